"""The relay: publishes the outbox in the order of each aggregate's sequence, and deletes what the broker acknowledged.

Several workers share the slots by leases, which only save work. What protects the log is the broker: each slot has one
transactional id, whose producer is made when the slot is taken, and that fences off a worker that was stopped and woken
again. Without it a late copy would stay as the last word of a compacted topic. An event may come twice, and none goes back.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from pymongo.errors import ConnectionFailure, PyMongoError

from chassis import trace
from chassis.detour import Detour
from chassis.ids import jitter
from chassis.kafka import Kafka
from chassis.leases import Leases
from chassis.metrics import RELAY_EVENTS, RELAY_FAILURES
from chassis.mongo import Mongo
from chassis.outbox import COLLECTION, SLOTS
from chassis.uow import Document

log = structlog.get_logger()

_ORDER = [("topic", 1), ("key", 1), ("sequence", 1)]
_FAILURES = (KafkaError, PyMongoError, OSError, AssertionError, ValueError)
"""aiokafka answers a fenced producer with errors of its own state machine too, not always with a KafkaError."""


class Relay:
    """One worker's share in publishing its service's outbox."""

    def __init__(self, mongo: Mongo, leases: Leases, *, service: str, kafka: Kafka, batch: int = 200, poll: float = 2.0) -> None:
        self.service, self.batch, self.poll = service, batch, poll
        self.failing: set[int] = set()
        self._mongo, self._leases, self._kafka = mongo, leases, kafka
        self._slots: dict[int, asyncio.Task[None]] = {}
        self._ending: set[int] = set()
        self._wake = {slot: asyncio.Event() for slot in range(SLOTS)}
        self._watching: asyncio.Task[None] | None = None

    @property
    def slots(self) -> frozenset[int]:
        """Return the slots that this worker serves now."""
        return frozenset(self._slots)

    async def run(self) -> None:
        """Publish a fair share of the slots until cancelled; then finish the running batches and give the slots back."""
        try:
            while True:
                try:
                    await self._share()
                except ConnectionFailure as error:
                    log.warning("relay_waits", error=type(error).__name__)
                await asyncio.sleep(jitter(self._leases.term.total_seconds() / 3))
        finally:
            await asyncio.shield(self._stop())

    async def _share(self) -> None:
        """Renew what is held, give back what was lost or is above a fair share, take what is free up to it."""
        await self._leases.take(f"relay-worker:{self._leases.owner}")
        share = -(-SLOTS // max(1, len(await self._leases.holders("relay-worker:"))))
        before = self.slots
        kept = [slot for slot in sorted(self._slots) if not self._slots[slot].done() and await self._leases.take(f"relay:{slot}")]
        await self._give_back(self.slots - set(kept[:share]))
        for slot in range(SLOTS):
            if len(self._slots) < share and slot not in self._slots and await self._leases.take(f"relay:{slot}"):
                self._slots[slot] = asyncio.create_task(self._serve(slot), name=f"relay:{slot}")
        if self.slots != before:
            await self._watch(self.slots)

    async def _give_back(self, slots: frozenset[int]) -> None:
        """Let the running batches finish, and free the leases."""
        self._ending |= slots
        tasks = [self._slots[slot] for slot in slots]
        for slot in slots:
            self._wake[slot].set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=5)
            for task in late:
                task.cancel()
        for slot in slots:
            self._slots.pop(slot)
            self._ending.discard(slot)
            self.failing.discard(slot)
            await self._leases.release(f"relay:{slot}")

    async def _stop(self) -> None:
        await self._watch(frozenset())
        with suppress(PyMongoError):  # leases that cannot be given back end by themselves
            await self._give_back(self.slots)
            await self._leases.release(f"relay-worker:{self._leases.owner}")

    async def _serve(self, slot: int) -> None:
        """Publish one slot while its lease is held; after any failure with a new producer, and a new look at the lease."""
        detour = Detour()
        while slot not in self._ending and await self._leases.take(f"relay:{slot}"):
            try:
                async with self._producer(slot) as producer:
                    await self._laps(slot, producer, detour)
            except _FAILURES as error:
                detour.failed()
                self.failing.add(slot)
                RELAY_FAILURES.inc()
                log.warning("relay_slot_failed", slot=slot, error=type(error).__name__)
                await asyncio.sleep(jitter(1.0))

    async def _laps(self, slot: int, producer: AIOKafkaProducer, detour: Detour) -> None:
        while slot not in self._ending:
            self._wake[slot].clear()
            left = await self._lap(slot, producer, detour)
            detour.passed()
            if not detour.narrow:
                self.failing.discard(slot)
            if not left:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake[slot].wait(), jitter(self.poll))

    async def _lap(self, slot: int, producer: AIOKafkaProducer, detour: Detour) -> bool:
        """Publish what waits, and tell whether something was left.

        After a full batch it goes on with the next aggregate, so that one that is written without pause starves no other.
        """
        left, last = False, None
        while slot not in self._ending and (found := await self.read(slot, last, detour.around())):
            rows = detour.choose(found)
            await self.publish(producer, rows)
            detour.published()
            RELAY_EVENTS.inc(len(rows))
            await self.delete(rows)
            if len(found) < self.batch and len(rows) == len(found):
                break
            left, last = True, rows[-1]
        return left

    async def read(self, slot: int, after: Document | None, around: Sequence[str] = ()) -> list[Document]:
        """Return the next rows of a slot, beginning behind the aggregate of the row `after`, without the topics `around`."""
        where: dict[str, Any] = {"slot": slot, **({"topic": {"$nin": list(around)}} if around else {})}
        if after is not None:
            later_key = {"topic": after["topic"], "key": {"$gt": after["key"]}}
            where["$or"] = [later_key, {"topic": {"$gt": after["topic"]}}]
        return await self._mongo.find(COLLECTION, where, sort=_ORDER, limit=self.batch)

    async def publish(self, producer: AIOKafkaProducer, rows: Sequence[Document]) -> None:
        """Send rows in one Kafka transaction and return when the broker has acknowledged all of it."""
        with ExitStack() as spans:  # each ends with the broker's word, or fails with the transaction
            parts = [(row, spans.push(_span(row))) for row in rows]
            async with producer.transaction():
                sent = [
                    await producer.send(
                        row["topic"], key=row["key"].encode(), value=row["body"], headers=_headers(self.service, row, span)
                    )
                    for row, span in parts
                ]
                await asyncio.gather(*sent)

    async def delete(self, rows: Sequence[Document]) -> None:
        """Remove rows that were acknowledged; anybody may, whoever holds the slot by now."""
        await self._mongo.database[COLLECTION].delete_many({"_id": {"$in": [row["_id"] for row in rows]}})

    @asynccontextmanager
    async def _producer(self, slot: int) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            **self._kafka.arguments,
            client_id=f"{self.service}-relay-{slot}",
            transactional_id=f"{self.service}-{slot}",
            transaction_timeout_ms=10_000,
            request_timeout_ms=10_000,
            acks="all",
            partitioner=partition,
        )
        try:
            await producer.start()
            yield producer
        finally:
            with suppress(TimeoutError, *_FAILURES):
                await asyncio.wait_for(producer.stop(), 5)

    async def _watch(self, slots: frozenset[int]) -> None:
        """Follow the inserts of these slots only: waking for every row costs each worker a command."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        self._watching = asyncio.create_task(self._follow(slots), name="relay:watch") if slots else None

    async def _follow(self, slots: frozenset[int]) -> None:
        inserts = {"operationType": "insert", "fullDocument.slot": {"$in": sorted(slots)}}
        while True:
            try:
                async with self._mongo.watch(
                    COLLECTION, [{"$match": inserts}, {"$project": {"fullDocument.slot": 1}}]
                ) as changes:
                    async for change in changes:
                        self._wake[change["fullDocument"]["slot"]].set()
            except PyMongoError as error:  # the slow poll stands behind it
                log.warning("relay_watch_lost", error=type(error).__name__)
            await asyncio.sleep(jitter(1.0))


def _span(row: Document) -> trace.Span:
    """Begin the span of publishing a row, below what wrote it."""
    topic = row["topic"]
    fields: trace.Fields = {
        "messaging.system": "kafka",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
        "messaging.message.id": row["_id"],
    }
    return trace.begin(f"send {topic}", row["traceparent"], trace.Kind.PRODUCER, fields)


def _headers(service: str, row: Document, span: trace.Span) -> list[tuple[str, bytes]]:
    """Return the CloudEvents 1.0 attributes of the Kafka binding, binary mode."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", row["_id"].encode()),
        ("ce_source", f"/{service}".encode()),
        ("ce_type", row["type"].encode()),
        ("ce_subject", row["key"].encode()),
        ("ce_time", row["time"].isoformat().encode()),
        ("ce_sequence", b"%d" % row["sequence"]),
        ("content-type", b"application/json"),
        ("traceparent", span.traceparent.encode()),
    ]


def partition(key: bytes, partitions: Sequence[int], _available: Sequence[int]) -> int:
    """Return the partition of an aggregate, the one that every Kafka client chooses for its key."""
    return partitions[_hash(key) % len(partitions)]


@lru_cache(maxsize=4096)
def _hash(key: bytes) -> int:
    """Return Kafka's hash of a key. In Python it costs a fifth of publishing an event, and the same aggregates come again."""
    return int(murmur2(key)) & 0x7FFFFFFF
