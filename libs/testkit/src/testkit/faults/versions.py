"""Faults of change: a worker of the next version works beside today's, and events arrive of a type that nobody here knows."""

import asyncio
from random import Random

from chassis.ids import new_id
from contracts.topics import TOPICS
from localstack import users
from localstack.kafka import create, new_topic
from localstack.layout import services
from pymongo import MongoClient

from testkit.deliveries import Delivery, saying
from testkit.faults.broker import producing, when_up
from testkit.faults.fault import Fault
from testkit.faults.nextversion import SEEN, NoticeEvent
from testkit.faults.process import Reins
from testkit.faults.second import second_worker
from testkit.faults.site import Site
from testkit.waiting import eventually

NOTICES = 20
UNKNOWN = b"nl.kandidatenbank.that.nobody.knows"


async def next_beside(site: Site, dice: Random) -> str:
    """Let the next version work beside today's, and for a while in its place: both read what the other one writes."""
    service = dice.choice(services())
    name = f"{service}-next"
    Reins(site.instance, name).tell("version", "next")
    await _prepare(site, service)
    async with second_worker(site, service, name=name):
        await _read(site, service, await _notices(site))  # it takes part from then on
        keys = await _notices(site)
        alone = dice.random() < 0.5
        if alone:
            await site.stop(f"{service}-worker")
        try:
            await asyncio.sleep(dice.uniform(2, 4))
        finally:
            if alone:
                await site.launch(f"{service}-worker")
        await _read(site, service, keys)
    return f"the next version of {service} worked beside today's{', then in its place' if alone else ''}"


async def unknown_type(site: Site, dice: Random) -> str:
    """Put events of an unknown type on topics that services follow."""
    topics = dice.sample([topic.name for topic in TOPICS if topic.followed_by], 4)
    headers = [
        (name, UNKNOWN if name == "ce_type" else value) for name, value in saying(NoticeEvent(notice="unknown"), 1).headers()
    ]
    async with producing(site.stack.kafka) as producer:
        for topic in topics * 5:
            await producer.send_and_wait(topic, key=f"unknown-{new_id()}".encode(), value=b"{}", headers=headers)
    return f"events of unknown types on {', '.join(topics)}"


async def _prepare(site: Site, service: str) -> None:
    """Do what whoever deploys the next version does before: make the topic that it follows more, and let it follow."""
    topic = NoticeEvent.topic
    await when_up(lambda: create(site.stack.kafka, [new_topic(topic.name, topic.partitions, topic.configs)]))
    await when_up(lambda: asyncio.to_thread(users.let_follow, site.instance, service, topic.name))


async def _notices(site: Site) -> set[str]:
    """Put events on the topic that only the next version follows; returns their keys."""
    said: list[Delivery] = [saying(NoticeEvent(notice=f"notice-{new_id()}"), 1) for _ in range(NOTICES)]
    async with producing(site.stack.kafka) as producer:
        for one in said:
            record = one.record()
            await producer.send_and_wait(record.topic, key=record.key, value=record.value, headers=one.headers())
    return {one.key for one in said}


async def _read(site: Site, service: str, keys: set[str]) -> None:
    await eventually(lambda: asyncio.to_thread(_all_seen, site, service, keys), timeout=40, every=0.2)


def _all_seen(site: Site, service: str, keys: set[str]) -> bool:
    with MongoClient[dict[str, str]](site.stack.mongo_url(), serverSelectionTimeoutMS=3000) as client:
        return client[service][SEEN].count_documents({"_id": {"$in": sorted(keys)}}) == len(keys)


FAULTS = (Fault("version-next-beside", next_beside, heavy=True), Fault("version-unknown-type", unknown_type))
