"""What a page of metrics tells of a real worker's parts, and that it tells nothing rather than something old."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from chassis import metrics, readings
from chassis.background import keep
from chassis.clock import Clock
from chassis.jobs import Job, Jobs
from chassis.kafka import Kafka
from chassis.leases import Leases
from chassis.mongo import Mongo
from localstack.figures import Page
from pymongo.errors import AutoReconnect
from testkit.counters import Running, fresh_stream, headers_of, make_consumer, make_relay, prepare, project, raise_counter
from testkit.parts import fresh_name
from testkit.probe import send_raw
from testkit.waiting import eventually


@pytest.fixture
async def stream(mongo, kafka):
    made = fresh_stream()
    await prepare(mongo, made, kafka)
    return made


async def told(**sources):
    return Page.read((await metrics.scrape(sources)).decode())


def outbox_of(mongo):
    return lambda: readings.read_outbox(mongo)


def events_of(consumer, mongo):
    return lambda: readings.read_consumer(consumer, mongo)


@asynccontextmanager
async def background(run):
    task = asyncio.create_task(run)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def outcomes(stream):
    page = await told()
    found = page.all("consumer_events_total")
    return {outcome: count for (outcome, topic), count in found.items() if topic == stream.topic.name and count}


async def test_the_outbox_is_told_with_its_depth_and_age_and_what_the_relay_took_from_it(mongo, kafka, stream):
    for _ in range(3):
        await raise_counter(mongo, stream, "c")
    page = await told(outbox=outbox_of(mongo))
    assert page.get("outbox_rows") == 3
    assert 0 < page.get("outbox_oldest_seconds") < 60
    before = page.get("relay_events_total") or 0
    relay = make_relay(mongo, stream, kafka, owner="relay")

    async def emptied():
        page = await told(outbox=outbox_of(mongo), relay=lambda: readings.read_relay(relay))
        assert (page.get("outbox_rows"), page.get("outbox_oldest_seconds")) == (0, 0)
        return page

    async with background(relay.run()):
        page = await eventually(emptied, timeout=30)
    assert (page.get("relay_slots"), page.get("relay_failing_slots")) == (8, 0)
    assert page.get("relay_events_total") - before == 3


async def test_a_relay_that_cannot_publish_is_told_with_its_slots_and_failures(mongo, stream):
    before = (await told()).get("relay_failures_total") or 0
    relay = make_relay(mongo, stream, Kafka("127.0.0.1:9"), owner="relay")

    async def failing():
        page = await told(relay=lambda: readings.read_relay(relay))
        assert page.get("relay_failing_slots") == 8
        return page

    async with background(relay.run()):
        page = await eventually(failing, timeout=30)
    assert page.get("relay_failures_total") - before >= 8


async def test_a_task_that_crashes_is_counted():
    runs, name = [], fresh_name("task")

    async def run():
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("once")

    await keep(name, run)
    assert (await told()).get("task_crashes_total", name) == 1


async def test_counting_stops_at_its_limit(mongo, stream, monkeypatch):
    monkeypatch.setattr(readings, "MOST_OUTBOX", 2)
    for _ in range(3):
        await raise_counter(mongo, stream, "c")
    assert (await told(outbox=outbox_of(mongo))).get("outbox_rows") == 2


async def test_every_event_is_counted_by_what_became_of_it(mongo, kafka, stream):
    async def send(value=b'{"counter":"c","value":1}', **headers):
        await send_raw(kafka, stream.topic.name, b"c", value, headers_of(stream, **headers))

    await send(sequence=2)
    await send(sequence=1)
    await send(ce_type="nl.kandidatenbank.something.newer")
    await send(value=b"{broken")
    await send(value=b'{"counter":"c"}')
    consumer = make_consumer(mongo, stream, project)
    async with Running(consumer, kafka):
        await eventually(lambda: at_end(consumer, mongo, stream), timeout=30)
    expected = {"applied": 1, "repeated": 1, "unknown": 1, "malformed": 1, "invalid": 1}
    assert await outcomes(stream) == expected
    page = await told(aside=lambda: readings.read_set_aside(mongo))
    assert page.all("dead_letters") == {("malformed",): 1, ("invalid",): 1}
    assert page.all("parked_keys") == {("failed",): 0}
    assert 0 < page.get("dead_letters_oldest_seconds", "malformed") < 60
    assert page.get("consumer_handler_seconds_total", stream.topic.name) > 0


async def at_end(consumer, mongo, stream):
    """The page of a consumer that has done all that is there, and that was something."""
    page = await told(events=events_of(consumer, mongo))
    assert page.get("consumer_lag_events", stream.topic.name) == 0
    assert await outcomes(stream)
    return page


async def test_what_cannot_be_handled_now_is_lag_with_an_age_and_none_when_it_is_done(mongo, kafka, stream):
    away = [True]

    async def handler(incoming, uow):
        if away:
            raise AutoReconnect("away")
        await project(incoming, uow)

    await send_raw(kafka, stream.topic.name, b"c", b'{"counter":"c","value":1}', headers_of(stream))
    consumer = make_consumer(mongo, stream, handler)

    async def behind():
        page = await told(events=events_of(consumer, mongo))
        assert page.get("consumer_lag_events", stream.topic.name) == 1
        assert page.get("consumer_halted_partitions") == 1
        return page

    async with Running(consumer, kafka):
        page = await eventually(behind, timeout=30)
        assert page.get("consumer_oldest_seconds", stream.topic.name) > 0
        assert page.get("consumer_halts_total", stream.topic.name) >= 1
        assert page.get("consumer_partitions", stream.topic.name) == 3
        away.clear()
        page = await eventually(lambda: at_end(consumer, mongo, stream), timeout=30)
    assert page.get("consumer_oldest_seconds", stream.topic.name) == 0
    assert (page.get("consumer_halted_partitions"), page.get("consumer_flooded"), page.get("unread", "events")) == (0, 0, 0)


async def test_an_event_in_whose_handler_the_consumer_hangs_is_lag_with_an_age(mongo, kafka, stream):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(incoming, uow):
        begun.set()
        await go_on.wait()
        await project(incoming, uow)

    await send_raw(kafka, stream.topic.name, b"c", b'{"counter":"c","value":1}', headers_of(stream))
    consumer = make_consumer(mongo, stream, handler)
    async with Running(consumer, kafka):
        await asyncio.wait_for(begun.wait(), 30)
        page = await told(events=events_of(consumer, mongo))
        assert page.get("consumer_lag_events", stream.topic.name) == 1
        assert page.get("consumer_oldest_seconds", stream.topic.name) > 0
        go_on.set()
        await eventually(lambda: at_end(consumer, mongo, stream), timeout=30)


async def test_a_handler_that_fails_is_seen_in_its_retries_and_its_parked_key(mongo, kafka, stream):
    async def handler(_incoming, _uow):
        raise ValueError("never")

    await send_raw(kafka, stream.topic.name, b"c", b'{"counter":"c","value":1}', headers_of(stream))
    await send_raw(kafka, stream.topic.name, b"c", b'{"counter":"c","value":2}', headers_of(stream, sequence=2))
    consumer = make_consumer(mongo, stream, handler)
    async with Running(consumer, kafka, batch=1):
        await eventually(lambda: has_outcomes(stream, {"parked": 1, "waiting": 1}), timeout=30)
    page = await told(aside=lambda: readings.read_set_aside(mongo))
    assert page.get("consumer_retries_total", stream.topic.name) == 4
    assert page.get("parked_keys", "failed") == 1
    assert 0 < page.get("parked_oldest_seconds", "failed") < 60


async def has_outcomes(stream, expected):
    return await outcomes(stream) == expected


async def test_a_partition_whose_end_the_broker_does_not_tell_has_no_lag_on_the_page():
    stale, fresh, now = TopicPartition("stale.v1", 0), TopicPartition("fresh.v1", 0), Clock().machine().timestamp()

    async def position(_tp):
        return 5

    source = SimpleNamespace(
        assignment=lambda: {stale, fresh},
        position=position,
        highwater=lambda _tp: 8,
        last_poll_timestamp=lambda tp: (now - 60 if tp == stale else now) * 1000,
    )
    consumer = SimpleNamespace(consumer=source, waiting={}, troubled=set(), flooded=True)
    page = await told(events=events_of(consumer, SimpleNamespace(clock=Clock())))
    assert (page.get("consumer_lag_events", "fresh.v1"), page.get("consumer_lag_events", "stale.v1")) == (3, None)
    assert page.get("consumer_partitions", "stale.v1") == 1
    assert page.get("consumer_flooded") == 1
    assert page.get("unread", "events") == 1


async def test_a_partition_that_another_worker_gets_is_no_lag_and_no_trouble_of_this_one(mongo, kafka, stream):
    async def handler(_incoming, _uow):
        raise AutoReconnect("away")

    await send_raw(kafka, stream.topic.name, b"c", b'{"counter":"c","value":1}', headers_of(stream))
    consumer = make_consumer(mongo, stream, handler)
    async with Running(consumer, kafka):
        await eventually(lambda: consumer.troubled and consumer.waiting, timeout=30)
        await consumer.consumer._coordinator._subscription.listener.on_partitions_revoked(consumer.consumer.assignment())
        assert (consumer.troubled, consumer.waiting) == (set(), {})


async def test_while_the_database_is_away_the_page_says_what_it_could_not_read_and_keeps_no_old_number(
    mongo, stream, monkeypatch
):
    monkeypatch.setattr(metrics, "PATIENCE", 0.5)
    await raise_counter(mongo, stream, "c")
    assert (await told(outbox=outbox_of(mongo))).get("outbox_rows") == 1
    nowhere = Mongo("mongodb://127.0.0.1:9/?directConnection=true", database="x", clock=Clock())
    page = await told(outbox=outbox_of(nowhere))
    await nowhere.close()
    assert (page.get("outbox_rows"), page.get("unread", "outbox")) == (None, 1)
    assert "process_resident_memory_bytes" in page.values


async def test_freshness_is_that_of_the_stalest_partition(mongo):
    now = mongo.clock.machine()
    stamps = {"0": now, "1": now - timedelta(seconds=50)}
    await mongo.database["freshness"].insert_one({"_id": "consent.decision.v1", "at": stamps})
    page = await told(freshness=lambda: readings.read_freshness(mongo))
    assert 50 <= page.get("freshness_seconds", "consent.decision.v1") < 60


async def test_a_job_is_told_with_its_last_success_its_rows_and_its_failures(mongo):
    name, runs = fresh_name("job"), []

    async def run():
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("once")
        return 7

    jobs = Jobs([Job(name, timedelta(seconds=0.05), run)], Leases(mongo, owner="a", term=timedelta(seconds=2)))
    began = Clock().machine().timestamp()

    async def twice():
        page = await told()
        assert (page.get("job_rows_total", name) or 0) >= 14
        return page

    async with background(jobs.run()):
        page = await eventually(twice)
    assert page.get("job_runs_total", name, "failed") == 1
    assert page.get("job_runs_total", name, "done") >= 2
    assert page.get("job_interval_seconds", name) == 0.05
    assert page.get("job_last_success_time_seconds", name) >= began
    assert page.get("job_last_duration_seconds", name) >= 0
