"""MongoDB, through Motor: the only module that imports it, so that its successor (PyMongo's own async client) touches one file.

Everything is written with majority and read in transactions from a snapshot. `transact` has its own retry loop because
Motor's does not retry the commit and spins on conflicts.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

from bson import Timestamp
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo import IndexModel
from pymongo.errors import PyMongoError, WTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from chassis import trace
from chassis.clock import Clock
from chassis.ids import jitter
from chassis.mongo_trace import MongoSpans
from chassis.uow import Document, Fields, Filter, Operation, Sort, UnitOfWork

T = TypeVar("T")
Changes = AsyncIterator[Mapping[str, Any]]
Work = Callable[[UnitOfWork], Awaitable[T]]
Database = AsyncIOMotorDatabase[Document]
Indexes = Mapping[str, Sequence[IndexModel]]

TRANSIENT = "TransientTransactionError"
UNKNOWN_COMMIT = "UnknownTransactionCommitResult"
SHORTEST, LONGEST = timedelta(seconds=2), timedelta(seconds=10)


class BusyError(Exception):
    """The database did not take the change in time: the caller may try again (HTTP 503 with Retry-After)."""


class Mongo:
    """One service's database. `patience` is how long a transaction is retried: short for requests, longer for workers."""

    def __init__(self, url: str, *, database: str, clock: Clock, patience: timedelta = timedelta(seconds=4)) -> None:
        self.clock = clock
        self.patience = patience
        self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            tz_aware=True,
            w="majority",
            journal=True,
            retryWrites=True,
            readConcernLevel="majority",
            serverSelectionTimeoutMS=3000,
            connectTimeoutMS=2000,
            socketTimeoutMS=_longest_call(patience) // timedelta(milliseconds=1),
            event_listeners=[MongoSpans()] if trace.recording() else [],  # listening costs something on every command
        )
        self.database: Database = self.client[database]

    async def ping(self) -> bool:
        """Tell whether a primary answers."""
        try:
            await self.client.admin.command("hello")
        except PyMongoError:
            return False
        return bool(self.client.primary)

    async def ensure_indexes(self, *indexes: Indexes) -> None:
        """Make the collections and their indexes; harmless when they are there."""
        for collection, models in (item for mapping in indexes for item in mapping.items()):
            if models:
                await self.database[collection].create_indexes(list(models))

    async def find_one(self, collection: str, where: Filter) -> Document | None:
        """Return one document outside any transaction, or None."""
        found: Document | None = await self.database[collection].find_one(where)
        return found

    async def find(
        self, collection: str, where: Filter, *, sort: Sort | None = None, limit: int = 0, fields: Fields = None
    ) -> list[Document]:
        """Return documents outside any transaction; a limit of 0 is none."""
        return await self.database[collection].find(where, fields, sort=sort, limit=limit).to_list(None)

    async def count(self, collection: str, where: Filter, *, limit: int) -> int:
        """Return how many documents there are, counted no further than `limit`."""
        answer = await self.database.command("count", collection, query=dict(where), limit=limit, maxTimeMS=2000)
        return int(answer["n"])

    @asynccontextmanager
    async def watch(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> AsyncIterator[Changes]:
        """Open a change stream and give its changes; none is missed that a read from here on does not see."""
        since = await self._seen_until()
        async with self.database[collection].watch(list(pipeline), start_at_operation_time=since) as stream:
            yield stream

    @asynccontextmanager
    async def watch_all(self, pipeline: Sequence[Mapping[str, Any]]) -> AsyncIterator[Changes]:
        """Open a change stream, as `watch`, over every collection: its changes come in the order in which they were committed."""
        async with self.database.watch(list(pipeline), start_at_operation_time=await self._seen_until()) as stream:
            yield stream

    async def _seen_until(self) -> Timestamp:
        """Return until when reads see everything. By itself a stream begins later: behind what a majority does not have yet."""
        answer = await self.database.command("find", "any", limit=1, readConcern={"level": "majority"})
        seen: Timestamp = answer["operationTime"]
        return seen

    def session(self) -> AsyncIOMotorClientSession:
        """Begin a session. Nothing is sent for it, so this is no way to a thread and back, as Motor's own would be."""
        return AsyncIOMotorClientSession(self.client.delegate.start_session(), self.client)

    async def commit(self, session: AsyncIOMotorClientSession) -> None:
        """Commit a transaction once, without any retry."""
        await session.commit_transaction()

    async def close(self) -> None:
        """Close all connections."""
        self.client.close()


def _longest_call(patience: timedelta) -> timedelta:
    """Return how long one call may stay without an answer: a network that swallows everything is no reason to wait for ever."""
    return min(max(patience, SHORTEST), LONGEST)


class _InTransaction:
    """The database as one transaction sees it."""

    def __init__(self, database: Database, session: AsyncIOMotorClientSession) -> None:
        self._database, self._session = database, session

    async def find(
        self, collection: str, where: Filter, *, sort: Sort | None = None, limit: int = 0, fields: Fields = None
    ) -> list[Document]:
        cursor = self._database[collection].find(where, fields, sort=sort, limit=limit, session=self._session)
        return await cursor.to_list(None)

    async def write(self, collection: str, operations: list[Operation], *, ordered: bool) -> int:
        result = await self._database[collection].bulk_write(operations, ordered=ordered, session=self._session)
        return int(result.matched_count)


async def transact(mongo: Mongo, work: Work[T]) -> T:
    """Run `work` in one transaction and return what it returns.

    Transient errors, those of the commit included, run it again with a jittered back-off until the database's `patience`
    is over; an unknown commit result repeats the commit. So `work` must have no effect but through its unit of work.

    Raises:
        BusyError: The patience is over; nothing of the last try was kept, unless the commit's result stayed unknown.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + mongo.patience.total_seconds()
    wait = 0.005
    async with mongo.session() as session:
        while True:
            try:
                return await _once(mongo, session, work, deadline)
            except PyMongoError as error:
                if not error.has_error_label(TRANSIENT):
                    raise
                if loop.time() + wait > deadline:
                    raise BusyError("the database did not take the change in time") from error
            await asyncio.sleep(jitter(wait))
            wait = min(wait * 2, 1.0)


async def _once(mongo: Mongo, session: AsyncIOMotorClientSession, work: Work[T], deadline: float) -> T:
    session.start_transaction(
        read_concern=ReadConcern("snapshot"),
        write_concern=WriteConcern("majority", j=True),
        read_preference=ReadPreference.PRIMARY,
    )
    try:
        uow = UnitOfWork(_InTransaction(mongo.database, session), mongo.clock)
        result = await work(uow)
        await uow.flush()
        await _commit(mongo, session, deadline)
    except BaseException:
        await _abort(session)
        raise
    return result


async def _commit(mongo: Mongo, session: AsyncIOMotorClientSession, deadline: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            return await mongo.commit(session)
        except PyMongoError as error:
            if not error.has_error_label(UNKNOWN_COMMIT) or isinstance(error, WTimeoutError):
                raise
            if loop.time() > deadline:
                raise BusyError("the database did not say whether it kept the change") from error
        await asyncio.sleep(jitter(0.05))


async def _abort(session: AsyncIOMotorClientSession) -> None:
    """End the transaction if it still runs; the server drops by itself what cannot be ended from here."""
    try:
        await session.abort_transaction()
    except PyMongoError:
        return
