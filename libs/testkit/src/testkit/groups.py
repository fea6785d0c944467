"""Consumer groups of an instance: put back to the beginning of every topic, and waited for until they have read it all again."""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from chassis.kafka import Kafka
from contracts.topics import SERVICES, TOPICS

from testkit.probe import read_topic


async def rewind(kafka: Kafka, groups: Collection[str] = SERVICES) -> None:
    """Let groups read every topic again from offset 0. Nobody of them may be reading now: Kafka refuses it."""
    for group in groups:
        consumer = AIOKafkaConsumer(**kafka.arguments, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = _partitions(group)
            consumer.assign(partitions)
            await consumer.commit(dict.fromkeys(partitions, 0))
        finally:
            await consumer.stop()


async def behind(kafka: Kafka, groups: Collection[str] = SERVICES) -> int:
    """Return how many records the groups have not committed yet; what lies between records, no group ever commits."""
    admin = AIOKafkaAdminClient(**kafka.arguments)
    await admin.start()
    try:
        at = {group: await admin.list_consumer_group_offsets(group) for group in groups}
    finally:
        await admin.close()
    followers = {topic.name: topic.followed_by for topic in TOPICS}
    return sum(
        record.offset >= offsets[tp].offset if (tp := TopicPartition(record.topic, record.partition)) in offsets else True
        for record in await read_topic(kafka, *followers)
        for group, offsets in at.items()
        if group in followers[record.topic]
    )


def _partitions(group: str) -> list[TopicPartition]:
    followed = [topic for topic in TOPICS if group in topic.followed_by]
    return [TopicPartition(topic.name, number) for topic in followed for number in range(topic.partitions)]
