"""When a consumer last saw the end of a topic: what may have been withdrawn meanwhile is not shown."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

from chassis import freshness
from chassis.freshness import Freshness
from testkit.counters import Running, fresh_stream, headers_of, make_consumer, prepare, project
from testkit.probe import send_raw
from testkit.waiting import eventually

SOON = timedelta(seconds=0.1)
RECENT = timedelta(minutes=1)


@asynccontextmanager
async def watched(fresh, consumer):
    task = asyncio.create_task(fresh.watch(consumer, every=SOON))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_topic_is_fresh_when_every_partition_was_seen_at_its_end(mongo, kafka):
    stream = fresh_stream()
    await prepare(mongo, stream, kafka)
    await send_raw(kafka, stream.topic.name, b"c", b'{"counter":"c","value":1}', headers_of(stream))
    fresh = Freshness(mongo, stream.topic)
    assert await fresh.seen_at() is None
    assert not await fresh.within(RECENT)
    async with Running(make_consumer(mongo, stream, project), kafka) as consumer, watched(fresh, consumer):
        await eventually(lambda: fresh.within(RECENT), timeout=20)
    seen = await fresh.seen_at()
    assert not await fresh.within(mongo.clock.machine() - seen - timedelta(seconds=1))


async def test_a_partition_that_waits_for_the_database_is_not_at_its_end(mongo, kafka):
    stream = fresh_stream(partitions=1)
    await prepare(mongo, stream, kafka)
    await send_raw(kafka, stream.topic.name, b"c", b'{"counter":"c","value":1}', headers_of(stream))
    consumer, fresh = make_consumer(mongo, stream, project), Freshness(mongo, stream.topic)
    apply, up = consumer.apply, asyncio.Event()

    async def away(items):
        if not up.is_set():
            raise OSError("away")
        await apply(items)

    consumer.apply = away
    async with Running(consumer, kafka), watched(fresh, consumer):
        await eventually(lambda: consumer.troubled)
        seen = await fresh.seen_at()
        up.set()
        await eventually(lambda: fresh.within(RECENT), timeout=30)
    assert seen is None


async def test_one_look_serves_for_a_moment_and_a_look_that_saw_nothing_serves_for_none(mongo, monkeypatch):
    stream, looks, find_one = fresh_stream(partitions=1), [], mongo.find_one

    async def looking(*where):
        looks.append(where)
        return await find_one(*where)

    monkeypatch.setattr(mongo, "find_one", looking)
    fresh = Freshness(mongo, stream.topic)
    assert [await fresh.within(RECENT) for _ in range(2)] == [False, False]
    await mongo.database["freshness"].insert_one({"_id": stream.topic.name, "at": {"0": mongo.clock.machine()}})
    assert [await fresh.within(RECENT) for _ in range(2)] == [True, True]
    assert len(looks) == 3
    monkeypatch.setattr(freshness, "LOOK_SERVES", 0.0)
    assert await fresh.within(RECENT)
    assert len(looks) == 4
