"""Events as they may arrive: in any order across topics, doubled, late, compacted away, cut into any batches.

A history is what one key's stream says, oldest first. `schedules` draws ways in which the histories of a whole world can reach a
consumer; whatever it draws, the end must be the same. `arrive` hands them over as records, so that decoding takes part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from aiokafka import ConsumerRecord
from chassis import inbox
from chassis.clock import Clock
from chassis.consume import Consumer
from chassis.ids import new_id
from chassis.inbox import Incoming, Poison, Skipped
from chassis.kafka import Kafka
from contracts.envelope import SPEC_VERSION, STREAM, Event
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from testkit.probe import send_raw

few_examples = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # to shrink a way of a hundred deliveries takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the test puts its databases back before each example
)
"""For a property over a real database: as many examples as a test's time allows."""


@dataclass(frozen=True, repr=False)
class Delivery:
    """One event, or a tombstone (`event` is None), under its aggregate's sequence."""

    kind: type[Event]
    key: str
    sequence: int
    event: Event | None

    def __repr__(self) -> str:
        return f"{self.kind.topic.owner}.{self.kind.topic.stream}|{self.key}#{self.sequence}{'' if self.event else ' gone'}"

    def record(self) -> "ConsumerRecord[bytes, bytes]":
        """Return it as Kafka would give it."""
        value = None if self.event is None else self.event.model_dump_json().encode()
        size = len(value or b"")
        return ConsumerRecord(
            self.kind.topic.name, 0, 0, 0, 0, self.key.encode(), value, None, len(self.key), size, tuple(self.headers())
        )

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the envelope, as the relay writes it."""
        topic = self.kind.topic
        said = {
            "ce_specversion": SPEC_VERSION,
            "ce_id": new_id(),
            "ce_source": topic.source,
            "ce_type": topic.event_type,
            "ce_subject": self.key,
            "ce_time": Clock().machine().isoformat(),
            "ce_sequence": str(self.sequence),
        }
        return [(name, text.encode()) for name, text in said.items()]


History = Sequence[Delivery]
Schedule = Sequence[Sequence[Delivery]]


def history(*events: Event, then_gone: bool = False) -> list[Delivery]:
    """Return what one key's stream says, numbered from 1; with `then_gone` a tombstone ends it."""
    keys = {(type(event), event.key) for event in events}
    if len(keys) != 1:
        raise ValueError("a history is about one key of one topic")
    [(kind, key)] = keys
    said = [saying(event, number) for number, event in enumerate(events, 1)]
    return [*said, tombstone(kind, key, len(events) + 1)] if then_gone else said


def saying(event: Event, sequence: int) -> Delivery:
    """Return an event as the delivery of its own key."""
    return Delivery(type(event), event.key, sequence, event)


def tombstone(kind: type[Event], key: str, sequence: int) -> Delivery:
    """Return the word that an aggregate is gone."""
    return Delivery(kind, key, sequence, None)


def in_order(histories: Iterable[History]) -> Schedule:
    """Return the delivery that nobody doubts: everything once, one by one, as it happened within each key."""
    return [[one] for said in histories for one in said]


@st.composite
def schedules(draw: st.DrawFn, histories: Sequence[History]) -> Schedule:
    """Draw one way in which everything may arrive."""
    left = [_compacted(said, draw(st.lists(st.booleans(), min_size=len(said), max_size=len(said)))) for said in histories]
    arriving = _interleaved(left, draw(st.permutations([number for number, said in enumerate(left) for _ in said])))
    for place, later in draw(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), max_size=len(arriving))):
        earlier = place % len(arriving)  # a second copy at once, or long after what came next
        arriving.insert(earlier + 1 + later % (len(arriving) - earlier), arriving[earlier])
    cuts = draw(st.sets(st.integers(1, max(1, len(arriving) - 1)), max_size=12))
    return _batches(arriving, sorted(cuts))


async def arrive(consumer: Consumer, schedule: Schedule) -> None:
    """Let a consumer decode and apply every batch, as it does with what it fetched."""
    for batch in schedule:
        await consumer.apply([decoded(consumer, one) for one in batch])


async def put(kafka: Kafka, one: Delivery) -> None:
    """Put a delivery on its topic, as its owner's relay would."""
    record = one.record()
    await send_raw(kafka, record.topic, record.key, record.value, one.headers())


def decoded(consumer: Consumer, one: Delivery) -> Incoming[Any]:
    """Return what the consumer's decoder makes of a delivery; one that it cannot read is a mistake of the test."""
    item = as_decoded(consumer, one.record())
    if not isinstance(item, Incoming):
        raise TypeError(f"{one.kind.__name__}: {item}")
    return item


def as_decoded(consumer: Consumer, record: "ConsumerRecord[bytes, bytes]") -> Incoming[Any] | Poison | Skipped:
    """Return what the consumer's decoder makes of a record."""
    return inbox.decode(record, {(s.topic.name, s.topic.event_type): s for s in consumer.subscriptions})


def _compacted(said: History, gone: Sequence[bool]) -> list[Delivery]:
    """Leave out what compaction may have removed: of a stream's key anything but the last word, of happenings nothing."""
    if said[0].kind.topic.kind is not STREAM:
        return list(said)
    return [one for one, lost in zip(said[:-1], gone, strict=False) if not lost] + [said[-1]]


def _interleaved(histories: Sequence[History], order: Iterable[int]) -> list[Delivery]:
    streams = [iter(said) for said in histories]
    return [next(streams[number]) for number in order]


def _batches(arriving: Sequence[Delivery], cuts: Sequence[int]) -> list[Sequence[Delivery]]:
    edges = [0, *cuts, len(arriving)]
    return [batch for start, end in pairwise(edges) if (batch := arriving[start:end])]
