"""Where benchmarks run: the real parts of the instance `test`, with databases and topics of their own that go afterwards."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Self

import pymongo
from aiokafka.admin import AIOKafkaAdminClient
from chassis.clock import Clock
from chassis.kafka import Kafka, ensure_topics
from chassis.mongo import Indexes, Mongo
from contracts.envelope import Topic
from localstack import kafka as local_kafka
from localstack import mongo as local_mongo
from localstack.instance import ensure

from testkit.counters import Stream, fresh_stream
from testkit.parts import TEST, fresh_name

PATIENCE = timedelta(seconds=20)
DROPPING = 120
"""Seconds: what a benchmark wrote much of is not gone at once."""


@dataclass(frozen=True)
class Ground:
    """Kafka and MongoDB, as their administrators."""

    kafka: Kafka
    mongo_url: str

    @classmethod
    def ready(cls) -> Self:
        """Start what does not run; topics are made in a loop of their own, so not from within one."""
        ensure(TEST, ["kafka", "mongod"])
        return cls(local_kafka.login(TEST), local_mongo.url(TEST))

    @asynccontextmanager
    async def database(self, *indexes: Indexes) -> AsyncIterator[Mongo]:
        """A connection to an empty database with these indexes."""
        async with self.database_name() as name:
            mongo = Mongo(self.mongo_url, database=name, clock=Clock(), patience=PATIENCE)
            try:
                await mongo.ensure_indexes(*indexes)
                yield mongo
            finally:
                await mongo.close()

    @asynccontextmanager
    async def database_name(self) -> AsyncIterator[str]:
        """The name of a database that nobody uses; it goes afterwards, with the one beside it that holds its data keys."""
        name = fresh_name("bench")
        mongo = Mongo(self.mongo_url, database=name, clock=Clock())
        try:
            yield name
        finally:
            with pymongo.timeout(DROPPING):
                for one in (name, keyring_of(name)):
                    await mongo.client.drop_database(one)
            await mongo.close()
            shutil.rmtree(master_keys_of(name))

    @asynccontextmanager
    async def stream(self, partitions: int = 12) -> AsyncIterator[Stream]:
        """Topics of counters."""
        made = fresh_stream(partitions)
        async with AsyncExitStack() as stack:
            for event in (made.event, made.dead_letter):
                await stack.enter_async_context(self._topic(event.topic))
            yield made

    @asynccontextmanager
    async def _topic(self, topic: Topic) -> AsyncIterator[None]:
        await ensure_topics(self.kafka, [topic])
        try:
            yield
        finally:
            admin = AIOKafkaAdminClient(**self.kafka.arguments)
            await admin.start()
            try:
                await admin.delete_topics([topic.name])
            finally:
                await admin.close()


def keyring_of(database: str) -> str:
    """Return the name of the database with a benchmark's data keys."""
    return f"{database}_keyring"


def master_keys_of(database: str) -> Path:
    """Return the folder of the master keys that wrap them, made when it is not there yet."""
    folder = Path(gettempdir()) / f"{database}-master-keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
