"""`consume`: a batch's effects in one transaction, against a transaction for each event; and against no database at all."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from aiokafka import AIOKafkaProducer
from chassis import inbox, outbox, parking
from chassis.consume import Consumer, Item
from chassis.inbox import Handler, Incoming
from chassis.kafka import make_broker
from chassis.mongo import Indexes, Mongo, transact
from chassis.uow import UnitOfWork
from faststream import AckPolicy
from faststream.kafka import Topic

from testkit.bench.figures import Figure, alternate
from testkit.bench.ground import Ground
from testkit.bench.relaying import at_a_pace
from testkit.counters import Running, Stream, headers_of, make_consumer, project
from testkit.parts import fresh_name
from testkit.waiting import beside

EVENTS, FEWER = 20_000, 1_500
KEYS = 4_000
OTHER_WRITES = 400
SEEN = "seen"
INDEXES: tuple[Indexes, ...] = (outbox.INDEXES, parking.INDEXES, {inbox.COLLECTION: [], SEEN: []})


async def consume(ground: Ground) -> list[Figure]:
    """Measure a projection's handler, one with a read for each event, and one beside writes to what it writes."""
    async with ground.stream() as stream, ground.stream() as short:
        await _fill(ground, stream, EVENTS)
        await _fill(ground, short, FEWER)

        def figure(name: str, rounds: Any, goal: float | None = None) -> Figure:
            return Figure(name, "events/s", "one transaction per event", rounds, goal=goal)

        async def run(handler: Handler, *, busy: bool = False, rounds: int = 3, many: int = EVENTS) -> Any:
            return await alternate(
                lambda: _rate(ground, stream if many == EVENTS else short, handler, many, busy=busy),
                lambda: _rate(ground, short, handler, FEWER, busy=busy, one_by_one=True),
                rounds=rounds,
                warm=False,
            )

        plain = await run(keep_latest, rounds=5)
        reading = await run(project, many=FEWER)
        busy = await run(keep_latest, busy=True)
        ceiling = await alternate(
            lambda: _rate(ground, stream, keep_latest, EVENTS),
            lambda: _without_database(ground, stream),
            rounds=3,
            warm=False,
        )
    return [
        figure("consume", plain, goal=10),
        figure("consume-reads", reading),
        figure("consume-busy", busy),
        Figure("consume-ceiling", "events/s", "FastStream's batches without a database", ceiling),
    ]


async def keep_latest(incoming: Incoming[Any], uow: UnitOfWork) -> None:
    """Follow a stream as a projection does: the event carries the whole state."""
    uow.replace(SEEN, {"_id": incoming.key, "value": incoming.event and incoming.event.value}, upsert=True)


async def _fill(ground: Ground, stream: Stream, events: int) -> None:
    producer = AIOKafkaProducer(**ground.kafka.arguments, linger_ms=5)
    await producer.start()
    try:
        sent = []
        for number in range(events):
            key, sequence = f"c{number % KEYS}", number // KEYS + 1
            body = b'{"counter":"%s","value":%d}' % (key.encode(), sequence)
            headers = headers_of(stream, sequence=sequence)
            sent.append(await producer.send(stream.topic.name, key=key.encode(), value=body, headers=headers))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


class Clocked:
    """Counts what a consumer applied, from its first batch on."""

    def __init__(self, consumer: Consumer, events: int, *, one_by_one: bool) -> None:
        self._apply, self._left, self._one_by_one = consumer.apply, events, one_by_one
        self._commit, self._begun, self._events = consumer.commit, 0.0, events
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        consumer.apply = self._applying  # type: ignore[method-assign]  # the wrapper is the point
        consumer.commit = self._committing  # type: ignore[method-assign]  # the wrapper is the point

    async def _applying(self, items: Sequence[Item]) -> None:
        self._begun = self._begun or time.perf_counter()
        for some in [[one] for one in items] if self._one_by_one else [items]:
            await self._apply(some)
        self._left -= len(items)

    async def _committing(self, offsets: Any) -> None:
        await self._commit(offsets)
        if self._left <= 0 and not self.done.done():
            self.done.set_result(self._events / (time.perf_counter() - self._begun))


async def _rate(
    ground: Ground, stream: Stream, handler: Handler, events: int, *, busy: bool = False, one_by_one: bool = False
) -> float:
    async with AsyncExitStack() as stack:
        mongo = await stack.enter_async_context(ground.database(*INDEXES))
        consumer = make_consumer(mongo, stream, handler)
        consumer.group = fresh_name("bench")
        clocked = Clocked(consumer, events, one_by_one=one_by_one)
        if busy:
            await stack.enter_async_context(beside(_other_writes(mongo)))
        await stack.enter_async_context(Running(consumer, ground.kafka))
        return await clocked.done


async def _other_writes(mongo: Mongo) -> None:
    """Write to the documents that the consumer writes too, at a steady pace."""
    number = 0

    async def one() -> None:
        nonlocal number
        number += 7
        key = f"c{number % KEYS}"

        async def work(uow: UnitOfWork) -> None:
            uow.update(SEEN, {"_id": key}, {"$inc": {"touched": 1}}, upsert=True)

        await transact(mongo, work)

    await at_a_pace(one, OTHER_WRITES, 120)


async def _without_database(ground: Ground, stream: Stream) -> float:
    """FastStream as its documentation shows it: batches of typed events, and a handler that only counts."""
    broker = make_broker(ground.kafka, client_id="bench")
    left, begun, done = EVENTS, 0.0, asyncio.get_running_loop().create_future()

    async def count(events: list[stream.event]) -> None:  # type: ignore[name-defined]  # the model is made at run time
        nonlocal left, begun
        begun = begun or time.perf_counter()
        left -= len(events)
        if left <= 0 and not done.done():
            done.set_result(EVENTS / (time.perf_counter() - begun))

    broker.subscriber(
        Topic(stream.topic.name, declare=False),
        group_id=fresh_name("bench"),
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        batch=True,
        max_records=500,
    )(count)
    await broker.start()
    try:
        return float(await done)
    finally:
        await broker.stop()
