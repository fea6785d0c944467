"""Reads all topics from a round's beginning on, as services do: each partition in order, with aborted copies."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from chassis.kafka import Kafka
from contracts.notifications.organisation import ForOrganisationEvent
from contracts.topics import BY_NAME, TOPICS

from testkit.faults.world import Fact

Followers = dict[str, tuple[str, ...]]
Offsets = dict[TopicPartition, int]


@dataclass
class Tail:
    """What was said since `begin`."""

    kafka: Kafka
    organisations: Sequence[str] = ()
    """Names of organisations' own topics, which the contracts do not list."""
    facts: list[Fact] = field(default_factory=list)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    """(topic, partition) -> the offset of the last record, whatever it was."""
    _next: Offsets = field(default_factory=dict)

    async def begin(self) -> None:
        """Start at the present ends."""
        self.facts.clear()
        self.ends.clear()
        partitions = _partitions() + [TopicPartition(topic, 0) for topic in self.organisations]
        async with Reader(self.kafka) as consumer:
            self._next = dict(await consumer.end_offsets(partitions))

    def behind(self, followers: Followers, at: dict[tuple[str, str, int], int]) -> bool:
        """Whether a follower has not yet come to an end."""
        return any(
            end >= at.get((service, topic, partition), 0)
            for (topic, partition), end in self.ends.items()
            for service in followers.get(topic, ())
        )

    async def read(self) -> None:
        """Read on to the present ends. A broker that is away is asked again by the next call."""
        async with Reader(self.kafka) as consumer:
            ends = await consumer.end_offsets(list(self._next))
            behind = [tp for tp, end in ends.items() if self._next[tp] < end]
            consumer.assign(behind)
            for tp in behind:
                consumer.seek(tp, self._next[tp])
            while any([await consumer.position(tp) < ends[tp] for tp in behind]):
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    self._take(records)
            self._next |= {tp: await consumer.position(tp) for tp in behind}

    def _take(self, records: "Iterable[ConsumerRecord[bytes, bytes]]") -> None:
        for record in records:
            self.ends[record.topic, record.partition] = record.offset
            with suppress(KeyError, ValueError):  # what is no event at all
                self._note(record, dict(record.headers))

    def _note(self, record: "ConsumerRecord[bytes, bytes]", headers: dict[str, bytes]) -> None:
        key, sequence, name = (record.key or b"").decode(), int(headers["ce_sequence"]), headers["ce_id"].decode()
        said = ForOrganisationEvent if record.topic in self.organisations else BY_NAME[record.topic]
        if headers["ce_type"].decode() == said.topic.event_type:
            self.facts.append(Fact(record.topic, record.partition, record.offset, key, sequence, name))


async def committed(kafka: Kafka, groups: Iterable[str]) -> dict[tuple[str, str, int], int]:
    """Return how far each group is, by group, topic and partition."""
    admin = AIOKafkaAdminClient(**kafka.arguments, request_timeout_ms=5000)
    await admin.start()
    try:
        found = {group: await admin.list_consumer_group_offsets(group) for group in groups}
    finally:
        await admin.close()
    return {(group, tp.topic, tp.partition): at.offset for group, offsets in found.items() for tp, at in offsets.items()}


def _partitions() -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]


class Reader:
    """A consumer without a group, as an async context."""

    def __init__(self, kafka: Kafka, **options: str | int) -> None:
        self._consumer = AIOKafkaConsumer(**kafka.arguments, group_id=None, request_timeout_ms=5000, **options)

    async def __aenter__(self) -> AIOKafkaConsumer:
        try:
            await self._consumer.start()
        except KafkaError:
            await self._consumer.stop()
            raise
        return self._consumer

    async def __aexit__(self, *error: object) -> None:
        await self._consumer.stop()
