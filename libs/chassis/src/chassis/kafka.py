"""The way to Kafka: who one is there, one broker object per worker, topics made by their owners, a start that waits."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code
from faststream.kafka import KafkaBroker
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLScram512

from chassis.outbox import EventTopic
from chassis.settings import ServiceSettings

log = structlog.get_logger()

BROKERS_DEFAULT = -1


@dataclass(frozen=True)
class Kafka:
    """Where the brokers are, and as whom one comes to them. Without a user one comes as nobody, as to a broker without users."""

    servers: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False

    @classmethod
    def told(cls, settings: ServiceSettings) -> Self:
        """Return what a service's settings say."""
        password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
        return cls(settings.kafka, settings.kafka_user, password, settings.kafka_tls)

    @property
    def security(self) -> BaseSecurity:
        """Return how FastStream logs in. SCRAM proves that both sides know the password, which itself never travels."""
        context = ssl.create_default_context() if self.tls else None
        return SASLScram512(self.user, self.password, context) if self.user else BaseSecurity(context)

    @property
    def arguments(self) -> dict[str, Any]:
        """Return what every client of aiokafka's takes."""
        return {"bootstrap_servers": self.servers, **parse_security(self.security)}


class TopicsError(KafkaError):  # type: ignore[misc]  # aiokafka carries no types
    """Topics that are missing, or that the broker lets this user not make."""

    def __init__(self, topics: dict[str, str]) -> None:
        super().__init__(", ".join(f"{topic}: {why}" for topic, why in topics.items()))
        self.topics = topics
        """The reason for each topic."""


def make_broker(kafka: Kafka, *, client_id: str) -> KafkaBroker:
    """Return FastStream's broker for a worker's consumers; the relay has producers of its own."""
    return KafkaBroker(
        kafka.servers,
        client_id=client_id,
        security=kafka.security,
        logger=logging.getLogger("faststream"),
        acks="all",
        enable_idempotence=True,
    )


async def ensure_topics(kafka: Kafka, topics: Iterable[EventTopic]) -> None:
    """Make one's own topics that do not exist yet, with as many replicas as the broker's own default says.

    Where somebody else has made them, no right to make them is needed.

    Raises:
        TopicsError: The broker refuses a topic.
        KafkaError: It does not answer.
    """
    async with _admin(kafka) as admin:
        seen = await admin.list_topics()
        answer = await admin.create_topics([_new(topic) for topic in topics if topic.name not in seen])
    # what went wrong stands in the answer, it is not raised
    found = {topic: for_code(code) for topic, code, *_ in answer.topic_errors}
    if refused := {topic: why.__name__ for topic, why in found.items() if why not in {NoError, TopicAlreadyExistsError}}:
        raise TopicsError(refused)


def _new(topic: EventTopic) -> NewTopic:
    # aiokafka takes the broker's default only beside an assignment of replicas, which may be empty.
    return NewTopic(topic.name, topic.partitions, BROKERS_DEFAULT, replica_assignments={}, topic_configs=dict(topic.configs))


async def find_topics(kafka: Kafka, names: Collection[str]) -> None:
    """Look for topics that others make: a consumer that starts before one of them is there would hang.

    Raises:
        TopicsError: Some are not there, or this user may not read them, which look alike to it.
        KafkaError: The broker does not answer.
    """
    async with _admin(kafka) as admin:
        seen = await admin.list_topics()
    if missing := sorted(set(names) - set(seen)):
        raise TopicsError(dict.fromkeys(missing, "not there, or not to be read"))


@asynccontextmanager
async def _admin(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**kafka.arguments)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def start_when_up(broker: KafkaBroker, kafka: Kafka, *, own: Iterable[EventTopic], followed: Collection[str]) -> None:
    """Make one's own topics, wait for the others', and start the broker: again and again until all of it succeeds."""
    own, wait = list(own), 0.2
    while True:
        try:
            await ensure_topics(kafka, own)
            await find_topics(kafka, followed)
            await broker.start()
        except TopicsError as error:
            log.warning("topics_missing", topics=error.topics, next_try_in=wait)
        except (KafkaError, OSError) as error:
            await broker.stop()
            log.warning("kafka_away", error=type(error).__name__, next_try_in=wait)
        else:
            return
        await asyncio.sleep(wait)
        wait = min(wait * 2, 5)
