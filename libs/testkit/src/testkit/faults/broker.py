"""What faults themselves ask of Kafka: another fault may have it away at that moment, so they wait until it answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from chassis.kafka import Kafka
from confluent_kafka import KafkaException

from testkit.waiting import eventually

T = TypeVar("T")
STARTS_WITHIN = 170
"""Seconds that Kafka may need to come back, on a machine that does much else."""
LONGEST_AWAY_MS = 90_000


async def when_up(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask Kafka for something, again and again while it is away."""

    async def answered() -> tuple[T] | None:
        try:
            return (await ask(),)
        except (KafkaError, KafkaException, OSError):
            return None

    return (await eventually(answered, timeout=STARTS_WITHIN, every=0.5))[0]


@asynccontextmanager
async def producing(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    """A producer of a fault's own; each of its records comes once, also when Kafka goes away under it."""
    producer = await when_up(lambda: _started(kafka))
    try:
        yield producer
    finally:
        await producer.stop()


async def _started(kafka: Kafka) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(**kafka.arguments, enable_idempotence=True, request_timeout_ms=LONGEST_AWAY_MS)
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer
