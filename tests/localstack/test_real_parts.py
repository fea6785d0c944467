"""The parts that integration tests stand on are real: transactions, a compacted log, and no network without asking."""

import socket
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from chassis.kafka import Kafka
from pymongo import MongoClient
from testkit.network import BlockedNetworkError
from testkit.parts import create_topics, fresh_name


async def test_kafka_takes_a_transaction_and_gives_it_back(kafka: Kafka) -> None:
    topic = fresh_name("parts")
    await create_topics(kafka, [topic], partitions=1)
    producer = AIOKafkaProducer(**kafka.arguments, transactional_id=fresh_name("parts"))
    async with producer, producer.transaction():
        await producer.send_and_wait(topic, b"value", key=b"key")
    consumer = AIOKafkaConsumer(topic, **kafka.arguments, auto_offset_reset="earliest", isolation_level="read_committed")
    async with consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")


async def test_creating_a_topic_again_leaves_it_as_it_is(kafka: Kafka) -> None:
    topic = fresh_name("parts")
    await create_topics(kafka, [topic], partitions=3)
    await create_topics(kafka, [topic], partitions=5)
    async with AIOKafkaProducer(**kafka.arguments) as producer:
        assert await producer.partitions_for(topic) == {0, 1, 2}


def test_mongod_runs_transactions_and_ends_forgotten_ones_soon(mongo_url: str, mongo_database: str) -> None:
    with MongoClient[dict[str, Any]](mongo_url) as client, client.start_session() as session:
        with session.start_transaction():
            client[mongo_database].things.insert_one({"_id": 1}, session=session)
        assert client[mongo_database].things.find_one({"_id": 1})
        limit = client.admin.command("getParameter", transactionLifetimeLimitSeconds=1)
    assert limit["transactionLifetimeLimitSeconds"] == 10


def test_a_unit_test_cannot_reach_the_network() -> None:
    with socket.socket() as attempt, pytest.raises(BlockedNetworkError):
        attempt.connect(("127.0.0.1", 9))
