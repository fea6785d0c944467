"""Makes the topics that the contracts name, as their owners want them kept."""

import asyncio

from contracts.topics import TOPICS

from localstack import kafka
from localstack.layout import Instance, stack


def create(instance: Instance) -> None:
    """Make every topic of the contracts that is not there yet."""
    asyncio.run(_create(kafka.bootstrap(instance)))


async def _create(address: str) -> None:
    local = stack()["kafka"]["topics"]
    await kafka.create(
        address, [kafka.new_topic(topic.name, topic.partitions, _settings(topic.configs, local)) for topic in TOPICS]
    )


def _settings(contract: dict[str, str], local: dict[str, str]) -> dict[str, str]:
    return {**contract, **local} if "compact" in contract["cleanup.policy"] else contract
