"""A small stream for tests of the messaging itself: counters, their events, a projection that follows them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from chassis.clock import Clock
from chassis.consume import Consumer
from chassis.crypto import DataKey
from chassis.inbox import Handler, Incoming, Subscription
from chassis.kafka import Kafka, ensure_topics, make_broker
from chassis.leases import Leases
from chassis.mongo import Mongo, transact
from chassis.outbox import INDEXES
from chassis.parking import Parking
from chassis.relay import Relay
from chassis.uow import UnitOfWork
from contracts.envelope import HAPPENING, STREAM, Event, Topic
from contracts.shapes.dead_letter import DeadLetterEvent

from testkit.parts import fresh_name


@dataclass(frozen=True)
class Stream:
    """Topics and models under names that no other test uses."""

    name: str
    event: type[Event]
    dead_letter: type[DeadLetterEvent]

    @property
    def topic(self) -> Topic:
        """The stream's topic."""
        return self.event.topic


def fresh_stream(partitions: int = 3, *, name: str | None = None) -> Stream:
    """Make a stream under a fresh name, or in another process under the name that a test gave it."""
    name = (name or fresh_name("s")).replace("-", "")
    counter_topic = Topic(
        f"{name}.counter.v1",
        kind=STREAM,
        key="counter",
        says="A counter.",
        tombstone="Gone.",
        followed_by=(),
        partitions=partitions,
    )
    dead_topic = Topic(
        f"{name}.dead-letter.v1",
        kind=HAPPENING,
        key="original",
        says="Dead.",
        followed_by=(),
        kept=timedelta(days=1),
        partitions=1,
    )

    class CounterEvent(Event):
        """A counter's value."""

        topic: ClassVar[Topic] = counter_topic
        counter: str
        value: int

        @property
        def key(self) -> str:
            """The counter."""
            return self.counter

    class CounterDeadLetter(DeadLetterEvent):
        """A dead letter about a counter."""

        topic: ClassVar[Topic] = dead_topic

    return Stream(name, CounterEvent, CounterDeadLetter)


async def raise_counter(mongo: Mongo, stream: Stream, counter: str) -> int:
    """Raise one counter: state and event in one transaction."""

    async def work(uow: UnitOfWork) -> int:
        document = await uow.find_one("counters", {"_id": counter})
        if document is None:
            document = {"_id": counter, "sequence": 1}
            uow.insert("counters", document)
        else:
            uow.save("counters", document)
        uow.emit(stream.event.model_validate({"counter": counter, "value": document["sequence"]}), sequence=document["sequence"])
        return int(document["sequence"])

    return await transact(mongo, work)


def make_relay(mongo: Mongo, stream: Stream, kafka: Kafka, *, owner: str, lease: float = 2, batch: int = 50) -> Relay:
    """Return a relay with a short lease."""
    leases = Leases(mongo, owner=owner, term=timedelta(seconds=lease))
    return Relay(mongo, leases, service=stream.name, kafka=kafka, batch=batch, poll=1)


async def prepare(mongo: Mongo, stream: Stream, kafka: Kafka) -> None:
    """Make the topics and indexes."""
    await ensure_topics(kafka, [stream.topic, stream.dead_letter.topic])
    await mongo.ensure_indexes(INDEXES)


def headers_of(stream: Stream, *, sequence: int = 1, **changes: str | None) -> list[tuple[str, bytes]]:
    """Return the headers of a good record, with some changed or (None) left out."""
    headers: dict[str, str | None] = {
        "ce_specversion": "1.0",
        "ce_id": fresh_name("e"),
        "ce_source": f"/{stream.name}",
        "ce_type": stream.topic.event_type,
        "ce_subject": "x",
        "ce_time": "2026-01-01T00:00:00+00:00",
        "ce_sequence": str(sequence),
    }
    headers |= changes
    return [(name, value.encode()) for name, value in headers.items() if value is not None]


def make_consumer(mongo: Mongo, stream: Stream, handler: Handler, *, when_parked: Handler | None = None) -> Consumer:
    """Return a consumer of the stream."""

    async def record_key() -> DataKey:
        return DataKey(bytes(32))

    parking = Parking(consumer=stream.name, dead_letter=stream.dead_letter, record_key=record_key, clock=Clock())
    return Consumer(mongo, stream.name, [Subscription(stream.event, handler, when_parked)], parking)


class Running:
    """A consumer on a broker of its own, as an async context."""

    def __init__(self, consumer: Consumer, kafka: Kafka, *, batch: int = 500) -> None:
        self._broker = make_broker(kafka, client_id="test")
        self.consumer = consumer
        consumer.attach(self._broker, batch=batch, session_ms=6000, heartbeat_ms=500)

    async def __aenter__(self) -> Consumer:
        await self._broker.start()
        return self.consumer

    async def __aexit__(self, *error: object) -> None:
        await self._broker.stop()


async def project(incoming: Incoming[Any], uow: UnitOfWork) -> None:
    """Keep each counter's values, and add up how often it was applied."""
    row = await uow.find_one("seen", {"_id": incoming.key}) or {"_id": incoming.key, "applied": 0, "values": []}
    row["applied"] += 1
    row["values"] = [*row["values"], None if incoming.event is None else incoming.event.value]
    uow.replace("seen", row, upsert=True)
