"""Faults of change: a worker of the next version works beside today's, and events arrive of a type that nobody here knows."""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import httpx
from aiokafka import AIOKafkaProducer
from chassis.ids import new_id
from contracts.topics import TOPICS
from localstack.layout import ROOT, services
from pymongo import MongoClient

from testkit.deliveries import Delivery, saying
from testkit.faults.fault import Fault
from testkit.faults.nextversion import SEEN, NoticeEvent
from testkit.faults.process import NAME, Reins
from testkit.faults.site import Site
from testkit.waiting import eventually

NOTICES = 20
UNKNOWN = b"nl.kandidatenbank.that.nobody.knows"


@asynccontextmanager
async def beside(site: Site, service: str) -> AsyncIterator[Process]:
    """Run a second worker of a service, of the next version, and begin when it is ready."""
    process, port = f"{service}-next", _free_port()
    Reins(site.instance, process).tell("version", "next")
    environment = site.stack.process_environment(service) | {NAME: process, f"{service.upper()}_WORKER_PORT": str(port)}
    command = [sys.executable, "-m", "testkit.faults.process", service, "worker"]
    with (site.instance.logs / f"{process}.log").open("ab") as log:
        worker = await asyncio.create_subprocess_exec(*command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        await eventually(lambda: _ready(port), timeout=60, every=0.2)
        yield worker
    finally:
        await _end(worker)


async def next_beside(site: Site, dice: Random) -> str:
    """Let the next version work beside today's, and for a while in its place: both read what the other one writes."""
    service = dice.choice(services())
    async with beside(site, service):
        keys = await _notices(site)
        alone = dice.random() < 0.5
        if alone:
            await site.stop(f"{service}-worker")
        try:
            await asyncio.sleep(dice.uniform(2, 4))
        finally:
            if alone:
                await site.launch(f"{service}-worker")
        await eventually(lambda: asyncio.to_thread(_all_seen, site, service, keys), timeout=40, every=0.2)
    return f"the next version of {service} worked beside today's{', then in its place' if alone else ''}"


async def unknown_type(site: Site, dice: Random) -> str:
    """Put events of an unknown type on topics that services follow."""
    topics = dice.sample([topic.name for topic in TOPICS if topic.followed_by], 4)
    headers = [
        (name, UNKNOWN if name == "ce_type" else value) for name, value in saying(NoticeEvent(notice="unknown"), 1).headers()
    ]
    async with AIOKafkaProducer(bootstrap_servers=site.stack.kafka) as producer:
        for topic in topics * 5:
            await producer.send_and_wait(topic, key=f"unknown-{new_id()}".encode(), value=b"{}", headers=headers)
    return f"events of unknown types on {', '.join(topics)}"


async def _notices(site: Site) -> set[str]:
    """Put events on the topic that only the next version follows; returns their keys."""
    said: list[Delivery] = [saying(NoticeEvent(notice=f"notice-{new_id()}"), 1) for _ in range(NOTICES)]
    async with AIOKafkaProducer(bootstrap_servers=site.stack.kafka) as producer:
        for one in said:
            record = one.record()
            await producer.send_and_wait(record.topic, key=record.key, value=record.value, headers=one.headers())
    return {one.key for one in said}


def _all_seen(site: Site, service: str, keys: set[str]) -> bool:
    with MongoClient[dict[str, str]](site.stack.mongo_url(), serverSelectionTimeoutMS=3000) as client:
        return client[service][SEEN].count_documents({"_id": {"$in": sorted(keys)}}) == len(keys)


async def _ready(port: int) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
        try:
            return (await http.get(f"http://127.0.0.1:{port}/health/ready")).is_success
        except httpx.HTTPError:
            return False


async def _end(worker: Process) -> None:
    if worker.returncode is not None:
        return
    worker.terminate()
    try:
        await asyncio.wait_for(worker.wait(), 25)
    except TimeoutError:
        worker.kill()
        await worker.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


FAULTS = (Fault("version-next-beside", next_beside, heavy=True), Fault("version-unknown-type", unknown_type))
