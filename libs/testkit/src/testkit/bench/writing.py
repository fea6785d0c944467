"""`write`: state and event through the unit of work, against the same two documents as plain inserts."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from chassis import outbox, trace
from chassis.ids import new_id
from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork

from testkit.bench.figures import Figure, alternate
from testkit.bench.ground import Ground
from testkit.counters import Stream

STATES = "counters"
WRITES, AT_ONCE = 1_500, 8


async def write(ground: Ground) -> list[Figure]:
    """Measure the rate of writes that several requests make at once."""
    async with ground.stream() as stream, ground.database(outbox.INDEXES, {STATES: []}) as mongo:
        rounds = await alternate(
            lambda: rate(lambda: _through_the_unit_of_work(mongo, stream), WRITES, AT_ONCE),
            lambda: rate(lambda: _two_inserts(mongo, stream), WRITES, AT_ONCE),
        )
    return [Figure("write", "writes/s", "two plain inserts, pairs/s", rounds, goal=0.8)]


async def rate(once: Callable[[], Awaitable[Any]], times: int, at_once: int) -> float:
    """Return how often per second something is done, by so many at once."""

    async def some() -> None:
        for _ in range(times // at_once):
            await once()

    begun = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return times / (time.perf_counter() - begun)


async def _through_the_unit_of_work(mongo: Mongo, stream: Stream) -> None:
    counter = new_id()

    async def work(uow: UnitOfWork) -> None:
        uow.insert(STATES, {"_id": counter, "sequence": 1})
        uow.emit(stream.event.model_validate({"counter": counter, "value": 1}), sequence=1)

    await transact(mongo, work)


async def _two_inserts(mongo: Mongo, stream: Stream) -> None:
    counter = new_id()
    event = stream.event.model_validate({"counter": counter, "value": 1})
    row = outbox.row(
        event_id=new_id(),
        topic=stream.topic,
        key=counter,
        sequence=1,
        body=event.model_dump_json().encode(),
        at=mongo.clock.machine(),
        traceparent=trace.current(),
    )
    await mongo.database[STATES].insert_one({"_id": counter, "sequence": 1})
    await mongo.database[outbox.COLLECTION].insert_one(row)
