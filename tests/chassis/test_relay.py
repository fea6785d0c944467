"""The relay on real Kafka: in order, nothing lost, nothing backwards, whoever publishes."""

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager

import pytest
from aiokafka.partitioner import DefaultPartitioner
from chassis.detour import Detour
from chassis.leases import Leases
from chassis.mongo import Mongo
from chassis.outbox import slot_of as slot
from chassis.relay import partition
from localstack.kafka import configure
from testkit.counters import fresh_stream, make_relay, prepare, raise_counter
from testkit.probe import read_topic
from testkit.waiting import eventually


async def outbox_is_empty(mongo: Mongo) -> bool:
    return await mongo.find_one("outbox", {}) is None


async def all_gone(mongo: Mongo, topic: str) -> bool:
    return await mongo.find_one("outbox", {"topic": topic}) is None


@asynccontextmanager
async def running(*relays):
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def sequences_by_key(records):
    found = defaultdict(list)
    for record in records:
        found[record.key.decode()].append(int(dict(record.headers)["ce_sequence"]))
    return found


async def test_events_leave_in_the_order_of_their_aggregate_and_the_outbox_is_emptied(mongo, kafka):
    stream = fresh_stream()
    await prepare(mongo, stream, kafka)
    async with running(make_relay(mongo, stream, kafka, owner="a")):
        await asyncio.gather(*(raise_counter(mongo, stream, f"c{number % 5}") for number in range(40)))
        await eventually(lambda: outbox_is_empty(mongo))
    found = sequences_by_key(await read_topic(kafka, stream.topic.name))
    assert found == {f"c{number}": list(range(1, 9)) for number in range(5)}


async def test_a_record_carries_the_cloudevents_attributes(mongo, kafka):
    stream = fresh_stream()
    await prepare(mongo, stream, kafka)
    await raise_counter(mongo, stream, "c")
    async with running(make_relay(mongo, stream, kafka, owner="a")):
        await eventually(lambda: outbox_is_empty(mongo))
    record = (await read_topic(kafka, stream.topic.name))[0]
    headers = {name: value.decode() for name, value in record.headers}
    assert headers.pop("ce_id")
    assert headers.pop("ce_time").endswith("+00:00")
    assert headers.pop("traceparent").startswith("00-")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_source": f"/{stream.name}",
        "ce_type": stream.topic.event_type,
        "ce_subject": "c",
        "ce_sequence": "1",
        "content-type": "application/json",
    }
    assert record.value == b'{"counter":"c","value":1}'


def test_an_aggregate_goes_to_the_partition_that_every_kafka_client_chooses():
    keys = [f"aggregate-{number}".encode() for number in range(500)] * 2
    for count in (1, 6, 12):
        partitions = list(range(count))
        assert [partition(key, partitions, []) for key in keys] == [DefaultPartitioner()(key, partitions, []) for key in keys]


async def test_a_busy_aggregate_does_not_starve_a_lone_one(mongo, kafka):
    stream = fresh_stream()
    await prepare(mongo, stream, kafka)
    relay = make_relay(mongo, stream, kafka, owner="a", batch=2)
    busy, lone = "a", next(f"z{number}" for number in range(100) if slot(f"z{number}") == slot("a"))
    for _ in range(6):
        await raise_counter(mongo, stream, busy)
    await raise_counter(mongo, stream, lone)
    published = []

    async def publish(producer, rows):
        published.append([row["key"] for row in rows])

    relay.publish = publish
    await relay._lap(slot("a"), None, Detour())
    assert published[:2] == [[busy, busy], [lone]]


async def test_a_topic_that_the_broker_refuses_stops_no_other(mongo, kafka):
    good, refused = fresh_stream(), fresh_stream()
    for stream in (good, refused):
        await prepare(mongo, stream, kafka)
    await configure(kafka, {refused.topic.name: {"max.message.bytes": "200"}})
    relay = make_relay(mongo, good, kafka, owner="a")
    for number in range(16):  # a slot has some of both
        await raise_counter(mongo, refused, f"r{number}")
        await raise_counter(mongo, good, f"g{number}")
    async with running(relay):
        await eventually(lambda: all_gone(mongo, good.topic.name), timeout=20)
        assert len(await mongo.find("outbox", {"topic": refused.topic.name})) == 16
        assert relay.failing
        await raise_counter(mongo, good, "later")
        await eventually(lambda: all_gone(mongo, good.topic.name), timeout=20)
        await configure(kafka, {refused.topic.name: dict(refused.topic.configs)})
        await eventually(lambda: outbox_is_empty(mongo), timeout=30)
        await eventually(lambda: not relay.failing)
    assert sequences_by_key(await read_topic(kafka, refused.topic.name)) == {f"r{number}": [1] for number in range(16)}


async def test_two_relays_share_the_slots_and_a_stopped_one_gives_its_own_back(mongo, kafka):
    stream = fresh_stream()
    await prepare(mongo, stream, kafka)
    first, second = (make_relay(mongo, stream, kafka, owner=owner) for owner in "ab")
    async with running(first):
        await eventually(lambda: len(first.slots) == 8)
        async with running(second):
            await eventually(lambda: (len(first.slots), len(second.slots)) == (4, 4))
            assert not first.slots & second.slots
        await eventually(lambda: len(first.slots) == 8)


async def test_a_row_published_but_not_deleted_comes_again_and_nothing_is_lost(mongo, kafka):
    stream = fresh_stream()
    await prepare(mongo, stream, kafka)
    killed, successor = make_relay(mongo, stream, kafka, owner="a"), make_relay(mongo, stream, kafka, owner="b")
    died = asyncio.Event()

    async def never_deletes(rows):
        died.set()
        await asyncio.Event().wait()

    killed.delete = never_deletes
    await raise_counter(mongo, stream, "c")
    task = asyncio.create_task(killed._serve(slot("c")))
    await died.wait()
    task.cancel()  # as a kill: the lease is not given back, the row stays
    async with running(successor):
        await eventually(lambda: outbox_is_empty(mongo))
    assert sequences_by_key(await read_topic(kafka, stream.topic.name)) == {"c": [1, 1]}


async def test_the_broker_refuses_what_a_woken_relay_sends_late(mongo, kafka):
    """Without fencing, sequence 1 would come after 2 and stay as the compacted topic's last word."""
    stream = fresh_stream()
    await prepare(mongo, stream, kafka)
    sleeper, successor = make_relay(mongo, stream, kafka, owner="a"), make_relay(mongo, stream, kafka, owner="b")
    await raise_counter(mongo, stream, "c")
    async with sleeper._producer(slot("c")) as late_producer:
        late_rows = await sleeper.read(slot("c"), None)
        async with running(successor):
            await eventually(lambda: outbox_is_empty(mongo))
            await raise_counter(mongo, stream, "c")
            await eventually(lambda: outbox_is_empty(mongo))
            with pytest.raises(Exception, match=r"(?i)fenced|epoch|transition|state"):
                await sleeper.publish(late_producer, late_rows)
    assert sequences_by_key(await read_topic(kafka, stream.topic.name))["c"][-1] == 2


async def test_a_lease_is_free_again_after_its_term(mongo):
    from datetime import timedelta

    held, other = (Leases(mongo, owner=owner, term=timedelta(seconds=0.5)) for owner in "ab")
    assert await held.take("x")
    assert await held.take("x")
    assert not await other.take("x")
    await eventually(lambda: other.take("x"), timeout=3)
    assert not await held.take("x")
    assert await other.holders("x") == {"x": "b"}
