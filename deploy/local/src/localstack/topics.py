"""Makes the topics that the contracts name, as their owners want them kept."""

import asyncio

from chassis.kafka import Kafka
from contracts.envelope import Topic
from contracts.topics import TOPICS

from localstack import kafka
from localstack.layout import Instance, stack


def create(instance: Instance) -> None:
    """Make every topic of the contracts that is not there yet."""
    asyncio.run(_create(kafka.login(instance)))


async def _create(administrator: Kafka) -> None:
    await kafka.create(administrator, [kafka.new_topic(topic.name, topic.partitions, settings(topic)) for topic in TOPICS])


def settings(topic: Topic) -> dict[str, str]:
    """How the broker of this machine keeps a topic."""
    local = stack()["kafka"]["topics"]
    return {**topic.configs, **local} if "compact" in topic.configs["cleanup.policy"] else topic.configs
