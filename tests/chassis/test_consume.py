"""The consumer on real Kafka and MongoDB: each row of what may arrive on a topic, and what happens then."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from chassis import consume
from testkit.counters import Running, fresh_stream, headers_of, make_consumer, make_relay, prepare, project, raise_counter
from testkit.probe import read_topic, send_raw
from testkit.waiting import eventually


@pytest.fixture
async def stream(mongo, kafka):
    made = fresh_stream()
    await prepare(mongo, made, kafka)
    return made


@pytest.fixture
def send(kafka, stream):
    async def send_one(key="c", value=b'{"counter":"c","value":1}', headers=None, **changes):
        await send_raw(kafka, stream.topic.name, key.encode(), value, headers or headers_of(stream, **changes))

    return send_one


async def seen(mongo, key="c"):
    return await mongo.find_one("seen", {"_id": key})


async def values(mongo, key="c"):
    row = await seen(mongo, key)
    return [] if row is None else row["values"]


@asynccontextmanager
async def relaying(mongo, stream, kafka):
    task = asyncio.create_task(make_relay(mongo, stream, kafka, owner="relay").run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_event_is_applied_once_and_in_order(mongo, kafka, stream):
    async with relaying(mongo, stream, kafka), Running(make_consumer(mongo, stream, project), kafka):
        await asyncio.gather(*(raise_counter(mongo, stream, f"c{number % 4}") for number in range(40)))
        for number in range(4):
            await eventually(lambda n=number: has_values(mongo, f"c{n}", 10))
    assert [await values(mongo, f"c{number}") for number in range(4)] == [list(range(1, 11))] * 4


async def has_values(mongo, key, count):
    return len(await values(mongo, key)) == count


@pytest.mark.parametrize(
    ("reason", "record"),
    [
        ("malformed", {"value": b"{broken"}),
        ("malformed", {"headers": [("ce_type", b"\xff\xfe")]}),
        ("malformed", {"ce_sequence": "many"}),
        ("malformed", {"ce_sequence": "9" * 25}),
        ("malformed", {"ce_sequence": "0"}),
        ("malformed", {"ce_id": None}),
        ("malformed", {"ce_specversion": "0.3"}),
        ("malformed", {"ce_time": "yesterday"}),
        ("malformed", {"key": ""}),
        ("invalid", {"value": b'{"counter":"c"}'}),
        ("invalid", {"value": b'{"counter":"c","value":"x"}'}),
        ("invalid", {"value": b'{"counter":"another","value":1}'}),
    ],
)
async def test_what_cannot_be_read_is_a_dead_letter_at_once_and_the_rest_goes_on(mongo, kafka, stream, send, reason, record):
    await send(**record)
    await send(value=b'{"counter":"c","value":7}')
    async with relaying(mongo, stream, kafka), Running(make_consumer(mongo, stream, project), kafka):
        await eventually(lambda: has_values(mongo, "c", 1))
        letter = await eventually(lambda: mongo.find_one("dead_letters", {}))
        told = await eventually(lambda: read_topic(kafka, stream.dead_letter.topic.name))
    assert letter["reason"] == reason
    assert record.get("value", b'{"counter"')[:10] not in bytes(letter["body"])
    event = stream.dead_letter.model_validate_json(told[0].value)
    assert (event.reason, event.origin_topic, event.consumer) == (reason, stream.topic.name, stream.name)
    assert await values(mongo) == [7]


async def test_an_unknown_type_is_skipped_and_more_fields_are_ignored(mongo, kafka, stream, send):
    await send(ce_type="nl.kandidatenbank.something.newer")
    await send(value=b'{"counter":"c","value":7,"newer":true}')
    consumer = make_consumer(mongo, stream, project)
    async with Running(consumer, kafka):
        await eventually(lambda: has_values(mongo, "c", 1))
    assert await values(mongo) == [7]
    assert consumer.skipped == 1
    assert await mongo.find_one("dead_letters", {}) is None


async def test_a_sequence_that_was_applied_or_a_lower_one_is_a_no_op(mongo, kafka, stream, send):
    for sequence, value in [(2, 20), (2, 21), (1, 10), (3, 30)]:
        await send(value=b'{"counter":"c","value":%d}' % value, sequence=sequence)
    async with Running(make_consumer(mongo, stream, project), kafka):
        await eventually(lambda: has_values(mongo, "c", 2))
    assert await values(mongo) == [20, 30]
    assert (await mongo.find_one("inbox", {}))["sequence"] == 3


async def test_a_tombstone_reaches_the_handler_and_an_old_event_brings_nothing_back(mongo, kafka, stream, send):
    await send(sequence=1)
    await send(value=None, sequence=2)
    await send(sequence=1)
    async with Running(make_consumer(mongo, stream, project), kafka):
        await eventually(lambda: has_values(mongo, "c", 2))
        await send(key="d", value=b'{"counter":"d","value":1}')
        await eventually(lambda: has_values(mongo, "d", 1))
    assert await values(mongo) == [1, None]


async def fail_on_c(incoming, uow):
    if incoming.key == "c":
        raise ValueError("jan@example.nl is no value")
    await project(incoming, uow)


async def test_a_failing_handler_parks_its_key_with_later_events_and_the_partition_goes_on(mongo, kafka, stream, send):
    hidden = []

    async def hide(incoming, uow):
        hidden.append(incoming.key)
        uow.replace("hidden", {"_id": incoming.key}, upsert=True)

    for number in range(5):
        await send(key=f"k{number}", value=b'{"counter":"k%d","value":1}' % number)
    await send(sequence=1)
    await send(sequence=2, value=b'{"counter":"c","value":2}')
    async with relaying(mongo, stream, kafka), Running(make_consumer(mongo, stream, fail_on_c, when_parked=hide), kafka):
        row = await eventually(lambda: mongo.find_one("parked", {"sequence": 2}), timeout=15)
        for number in range(5):
            await eventually(lambda n=number: has_values(mongo, f"k{n}", 1))
        told = await eventually(lambda: read_topic(kafka, stream.dead_letter.topic.name))
    assert (row["reason"], row["attempts"], row["key"], row["body"]) == ("failed", 5, "c", b'{"counter":"c","value":2}')
    assert await mongo.find_one("hidden", {"_id": "c"})
    assert len(told) == 1
    assert b"jan" not in told[0].value
    assert "jan" not in str(row)


async def test_a_handler_that_cancels_itself_is_a_failure_not_the_end(mongo, kafka, stream, send):
    async def cancel(incoming, uow):
        if incoming.key == "c":
            raise asyncio.CancelledError
        await project(incoming, uow)

    await send()
    await send(key="d", value=b'{"counter":"d","value":1}')
    async with Running(make_consumer(mongo, stream, cancel), kafka):
        await eventually(lambda: mongo.find_one("parked", {}), timeout=15)
        await eventually(lambda: has_values(mongo, "d", 1))


async def test_trouble_with_the_database_is_waited_for_in_order_and_readiness_says_so(mongo, kafka, stream, send):
    consumer = make_consumer(mongo, stream, project)
    apply, down = consumer.apply, asyncio.Event()
    states = []

    async def unreachable(items):
        if not down.is_set():
            raise OSError("no route")
        await apply(items)

    consumer.apply = unreachable
    async with Running(consumer, kafka):
        for sequence in (1, 2, 3):
            await send(value=b'{"counter":"c","value":%d}' % sequence, sequence=sequence)
        await eventually(lambda: not consumer.ready and consumer.troubled)
        states.append(consumer.ready)
        down.set()
        await eventually(lambda: has_values(mongo, "c", 3), timeout=20)
        await eventually(lambda: consumer.ready)
    assert states == [False]
    assert await values(mongo) == [1, 2, 3]
    assert await mongo.find_one("parked", {}) is None


async def test_a_record_whose_dead_letter_cannot_be_written_is_not_acknowledged(mongo, kafka, stream, send):
    consumer = make_consumer(mongo, stream, project)
    good = consumer._parking._record_key

    async def no_key():
        raise OSError("the keyring is away")

    consumer._parking._record_key = no_key
    await send(value=b"{broken")
    await send(value=b'{"counter":"c","value":7}')
    async with Running(consumer, kafka):
        await eventually(lambda: consumer.troubled)
        assert await mongo.find_one("dead_letters", {}) is None
        consumer._parking._record_key = good
        await eventually(lambda: mongo.find_one("dead_letters", {}), timeout=20)
        await eventually(lambda: has_values(mongo, "c", 1))


async def test_many_parked_keys_in_a_minute_stop_the_consumer(mongo, kafka, stream, monkeypatch):
    monkeypatch.setattr(consume, "FLOOD", 3)
    monkeypatch.setattr(consume, "TRIES", 1)

    async def bug(incoming, uow):
        raise KeyError("nothing works")

    consumer = make_consumer(mongo, stream, bug)
    for number in range(6):
        await send_raw(kafka, stream.topic.name, b"k%d" % number, b'{"counter":"k%d","value":1}' % number, headers_of(stream))
    async with Running(consumer, kafka, batch=1):
        await eventually(lambda: consumer.flooded, timeout=15)
        assert not consumer.ready
    assert len(await mongo.find("parked", {})) < 6


async def test_a_batch_killed_between_its_commit_and_the_offsets_is_applied_once(mongo, kafka, stream, send):
    first = make_consumer(mongo, stream, project)
    committed = asyncio.Event()

    async def never(offsets):
        committed.set()
        await asyncio.Event().wait()

    first.commit = never
    await send()
    async with Running(first, kafka):
        await committed.wait()
        assert await values(mongo) == [1]
    async with Running(make_consumer(mongo, stream, project), kafka):
        await send(key="d", value=b'{"counter":"d","value":1}')
        await eventually(lambda: has_values(mongo, "d", 1), timeout=20)
    assert await values(mongo) == [1]
