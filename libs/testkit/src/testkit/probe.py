"""A probe on topics: reads all that one holds, and puts records on it past any outbox, as anybody could."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from chassis.kafka import Kafka


async def read_topic(kafka: Kafka, *topics: str) -> "list[ConsumerRecord[bytes, bytes]]":
    """Return all that the topics hold now, in the order of each partition."""
    consumer = AIOKafkaConsumer(*topics, **kafka.arguments, auto_offset_reset="earliest", group_id=None)
    try:
        await consumer.start()
        partitions = [TopicPartition(one, number) for one in topics for number in consumer.partitions_for_topic(one) or ()]
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord[bytes, bytes]] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records.extend(batch)
        return records
    finally:
        await consumer.stop()


async def send_raw(kafka: Kafka, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    """Put a record on a topic as anybody could, past the outbox."""
    producer = AIOKafkaProducer(**kafka.arguments)
    try:
        await producer.start()
        await producer.send_and_wait(topic, key=key, value=value, headers=headers)
    finally:
        await producer.stop()
