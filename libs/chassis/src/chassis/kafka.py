"""The way to Kafka: one broker object per worker, topics made as the contracts say, a start that waits for the broker."""

import asyncio
import logging
from collections.abc import Iterable

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from chassis.outbox import EventTopic

log = structlog.get_logger()

TOPIC_EXISTS = 36
BROKERS_DEFAULT = -1


def make_broker(bootstrap: str, *, client_id: str) -> KafkaBroker:
    """Return FastStream's broker for a worker's consumers; the relay has producers of its own."""
    return KafkaBroker(
        bootstrap, client_id=client_id, logger=logging.getLogger("faststream"), acks="all", enable_idempotence=True
    )


async def ensure_topics(bootstrap: str, topics: Iterable[EventTopic]) -> None:
    """Make the topics that do not exist yet, with as many replicas as the broker's own default says.

    Raises:
        KafkaError: The broker does not answer, or refuses a topic.
    """
    wanted = [_new(topic) for topic in topics]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(wanted)
        refused = [(e[0], e[1]) for e in answer.topic_errors if e[1] not in {0, TOPIC_EXISTS}]
        if refused:
            raise KafkaError(f"topics refused (name, code): {refused}")
    finally:
        await admin.close()


def _new(topic: EventTopic) -> NewTopic:
    # aiokafka takes the broker's default only beside an assignment of replicas, which may be empty.
    return NewTopic(topic.name, topic.partitions, BROKERS_DEFAULT, replica_assignments={}, topic_configs=dict(topic.configs))


async def start_when_up(broker: KafkaBroker, bootstrap: str, topics: Iterable[EventTopic]) -> None:
    """Make the topics and start the broker, again and again until Kafka answers."""
    topics, wait = list(topics), 0.2
    while True:
        try:
            await ensure_topics(bootstrap, topics)
            await broker.start()
        except (KafkaError, OSError) as error:
            await broker.stop()
            log.warning("kafka_away", error=type(error).__name__, next_try_in=wait)
        else:
            return
        await asyncio.sleep(wait)
        wait = min(wait * 2, 5)
