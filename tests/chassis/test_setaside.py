"""What was set aside on real Kafka and MongoDB: replays that fail, meet others or come too late; discards; what operators see."""

import asyncio
from datetime import timedelta
from typing import ClassVar

import pytest
from chassis import consume, parking
from chassis.clock import Clock
from chassis.consume import is_trouble
from chassis.evidence import Wanted
from chassis.inbox import decode
from chassis.mongo import transact
from chassis.setaside import SetAside, Why
from contracts.envelope import Event, Topic
from pydantic import TypeAdapter, ValidationError
from testkit.counters import Running, Stream, fresh_stream, headers_of, make_consumer, prepare, project
from testkit.probe import send_raw
from testkit.waiting import eventually

ME = "0198c0de-0000-7000-8000-00000000beef"
WHY = "the producer sent rubbish, see its release notes"
GOOD = b'{"counter":"c","value":%d}'


class World:
    """One consumer with a handler that can be broken, and what it set aside."""

    def __init__(self, mongo, kafka, stream):
        self.mongo, self.kafka, self.stream = mongo, kafka, stream
        self.error: Exception | None = None
        self.consumer = self.another()
        self.aside = SetAside(mongo, self.consumer)

    def another(self, handler=None, stream=None):
        return make_consumer(self.mongo, stream or self.stream, handler or self.handle, when_parked=self.hide)

    async def handle(self, incoming, uow):
        if self.error is not None:
            raise self.error
        await project(incoming, uow)
        uow.delete("hidden", {"_id": incoming.key})

    async def hide(self, incoming, uow):
        uow.replace("hidden", {"_id": incoming.key}, upsert=True)

    async def send(self, value=1, *, sequence=1, key="c", raw=None, **changes):
        body = raw or b'{"counter":"%s","value":%d}' % (key.encode(), value)
        await send_raw(
            self.kafka, self.stream.topic.name, key.encode(), body, headers_of(self.stream, sequence=sequence, **changes)
        )

    async def hear(self, what, count=1):
        """Consume until so many are in a collection."""
        async with Running(self.another(), self.kafka):
            await eventually(lambda: self.has(what, count), timeout=20)
        return await self.mongo.find(what, {})

    async def has(self, collection, count):
        return len(await self.mongo.find(collection, {})) == count

    async def park(self, *, sequence=1, value=1):
        """Park the key `c`, which hides it, and mend the handler."""
        self.error = ValueError("jan@example.nl is no value")
        await self.send(value, sequence=sequence)
        await self.hear("parked")
        self.error = None
        return (await self.only()).id

    async def unreadable(self, raw=b'{"counter":"c","value":"x"}', **more):
        await self.send(raw=raw, **more)
        await self.hear("dead_letters")
        return (await self.only()).id

    async def only(self, **wanted):
        [one] = await self.aside.find(Wanted(**wanted), limit=10)
        return one

    async def replay(self, ref, **more):
        return (await self.aside.replay(ref, by=ME, **more)).outcome

    async def values(self, key="c"):
        row = await self.mongo.find_one("seen", {"_id": key})
        return [] if row is None else row["values"]

    async def arrive(self, value, *, sequence, consumer=None):
        """Let a consumer apply an event that it fetched just now."""
        await (consumer or self.consumer).apply([self.item(value, sequence)])

    def item(self, value, sequence):
        record = _record(self.stream, GOOD % value, headers_of(self.stream, sequence=sequence))
        [subscription] = self.consumer.subscriptions
        return decode(record, {(self.stream.topic.name, self.stream.topic.event_type): subscription})


def _record(stream, value, headers):
    class Record:
        topic, partition, offset, key = stream.topic.name, 0, 99, b"c"

    Record.value, Record.headers = value, tuple(headers)
    return Record()


@pytest.fixture
async def world(mongo, kafka, monkeypatch):
    monkeypatch.setattr(consume, "TRIES", 1)
    stream = fresh_stream(partitions=1)
    await prepare(mongo, stream, kafka)
    await mongo.ensure_indexes(parking.INDEXES)
    return World(mongo, kafka, stream)


async def test_a_parked_key_that_still_fails_stays_hidden_with_one_more_attempt_and_its_new_error(world):
    ref = await world.park()
    world.error = KeyError("piet@example.nl")
    assert await world.replay(ref) == "failed"
    [row] = await world.mongo.find("parked", {})
    assert (row["attempts"], row["reason"], row["error"].split()[0]) == (2, "failed", "KeyError")
    assert await world.mongo.find_one("hidden", {"_id": "c"})
    assert await world.values() == []
    assert await world.mongo.find("inbox", {"sequence": {"$gt": 0}}) == []


async def test_a_dead_letter_that_is_still_unreadable_stays_with_one_more_attempt(world):
    ref = await world.unreadable()
    assert await world.replay(ref) == "failed"
    one = await world.only()
    assert (one.id, one.attempts, one.reason, one.error) == (ref, 2, "invalid", "value: int_parsing")


async def test_a_dead_letter_of_a_type_that_nobody_follows_any_more_is_not_dropped(world):
    ref = await world.unreadable()
    world.aside = SetAside(world.mongo, make_consumer(world.mongo, fresh_stream(), world.handle))
    assert await world.replay(ref) == "failed"
    one = await world.only()
    assert (one.attempts, one.reason, one.error) == (2, "invalid", "unknown type")


async def test_a_dead_letter_whose_handler_fails_once_it_is_readable_stays_as_failed(world):
    ref = await world.unreadable()
    world.aside = tolerant(world)
    world.error = KeyError("x")
    assert await world.replay(ref) == "failed"
    assert (await world.only()).reason == "failed"
    assert await world.values() == []


async def test_trouble_with_the_database_is_nobodys_failure_and_changes_nothing(world):
    ref = await world.park()
    world.error = OSError("no route")
    with pytest.raises(OSError, match="no route") as raised:
        await world.replay(ref)
    assert is_trouble(raised.value)
    assert (await world.only()).attempts == 1


async def test_a_replayed_key_is_applied_with_its_latest_event_shown_again_and_goes_on(world):
    ref = await world.park()
    await world.arrive(2, sequence=2)
    assert await world.replay(ref) == "applied"
    assert await world.values() == [2]
    assert await world.mongo.find("parked", {}) == []
    assert await world.mongo.find("hidden", {}) == []
    await world.arrive(3, sequence=3)
    assert await world.values() == [2, 3]
    assert await world.replay(ref) == "gone"


async def test_an_event_that_waits_with_its_key_while_it_is_replayed_is_taken_instead(world):
    ref = await world.park()
    read, tries = world.consumer.read_again, []

    async def interrupted(row):
        tries.append(row["sequence"])
        if len(tries) == 1:
            await world.arrive(2, sequence=2, consumer=world.another())
        return await read(row)

    world.consumer.read_again = interrupted
    assert await world.replay(ref) == "applied"
    assert tries == [1, 2]
    assert await world.values() == [2]
    assert await world.mongo.find("parked", {}) == []


async def test_an_event_that_saw_its_key_parked_is_applied_when_that_is_replayed_meanwhile(world):
    """It must not wait with a row that is gone: it would be acknowledged and lost."""
    ref, arriving = await world.park(), world.another()
    parked, replayed = arriving._parking.parked, []

    async def interrupted(uow, items):
        seen = await parked(uow, items)
        if not replayed:
            replayed.append(await world.replay(ref))
        return seen

    arriving._parking.parked = interrupted
    await world.arrive(2, sequence=2, consumer=arriving)
    assert replayed == ["applied"]
    assert await world.values() == [1, 2]
    assert await world.mongo.find("parked", {}) == []


async def test_two_replays_at_once_have_one_effect(world):
    ref = await world.park()
    outcomes = await asyncio.gather(*(world.replay(ref) for _ in range(4)))
    assert sorted(outcomes) == ["applied", "gone", "gone", "gone"]
    assert await world.values() == [1]


async def test_a_replay_that_fails_beside_one_that_succeeds_brings_nothing_back(world):
    ref = await world.park()
    apply = world.consumer.apply_within

    async def overtaken(uow, item):
        assert await SetAside(world.mongo, world.another()).replay(ref, by=ME)
        raise KeyError("too late")

    world.consumer.apply_within = overtaken
    assert await world.replay(ref) == "gone"
    world.consumer.apply_within = apply
    assert await world.values() == [1]
    assert await world.mongo.find("parked", {}) == []


def tolerant(world):
    """Return the operator's side of a consumer whose contract takes more than that of the one that failed."""

    class Tolerant(Event):
        topic: ClassVar[Topic] = world.stream.topic
        counter: str
        value: int | str

        @property
        def key(self):
            return self.counter

    return SetAside(world.mongo, world.another(stream=Stream(world.stream.name, Tolerant, world.stream.dead_letter)))


async def test_a_dead_letter_is_read_again_by_todays_contract_with_its_own_key_and_headers(world):
    ref = await world.unreadable(sequence=7)
    world.aside = tolerant(world)
    assert await world.replay(ref) == "applied"
    assert await world.values() == ["x"]
    assert [row["sequence"] for row in await world.mongo.find("inbox", {})] == [7]
    assert await world.mongo.find("dead_letters", {}) == []


async def test_a_dead_letter_that_was_overtaken_is_not_applied_after_what_came_later(world):
    ref = await world.unreadable(sequence=1)
    await world.arrive(2, sequence=2)
    world.aside = tolerant(world)
    assert await world.replay(ref) == "applied-before"
    assert await world.values() == [2]


async def test_a_dead_letter_whose_key_is_parked_waits_with_it(world):
    ref = await world.unreadable(sequence=2)
    world.error = KeyError("x")
    await world.send(sequence=1)
    await world.hear("parked")
    world.aside = tolerant(world)
    assert await world.replay(ref) == "waits"
    world.error = None
    assert await world.replay((await world.only()).id) == "applied"
    assert await world.values() == ["x"]


async def test_what_was_discarded_is_gone_for_good_but_not_the_word_about_it(world, capsys):
    ref = await world.park(sequence=2)
    assert (await world.aside.discard(ref, why=WHY, by=ME)).outcome == "discarded"
    assert await world.replay(ref) == "gone"
    assert (await world.aside.discard(ref, why=WHY, by=ME)).outcome == "gone"
    kept = await world.aside.one(ref)
    assert (kept.kind, kept.by, kept.why, kept.reason, kept.offset) == ("discarded", ME, WHY, "failed", 0)
    assert not {"body", "headers"} & (await world.mongo.find_one("discarded", {})).keys()
    assert WHY in capsys.readouterr().out
    assert await world.aside.find(Wanted(), limit=10) == []
    assert (await world.only(kind="discarded")).id == ref


async def test_a_discarded_protective_event_hides_until_a_later_one_and_no_copy_of_it_is_applied(world):
    ref = await world.park(sequence=2)
    await world.aside.discard(ref, why=WHY, by=ME)
    await world.arrive(2, sequence=2)
    assert await world.values() == []
    assert await world.mongo.find_one("hidden", {"_id": "c"})
    await world.arrive(3, sequence=3)
    assert await world.values() == [3]
    assert await world.mongo.find("hidden", {}) == []


async def test_a_discarded_dead_letter_leaves_the_inbox_alone(world):
    ref = await world.unreadable(sequence=2)
    assert (await world.aside.discard(ref, why=WHY, by=ME)).outcome == "discarded"
    assert await world.mongo.find("inbox", {}) == []


async def test_a_dry_run_tells_what_would_happen_and_leaves_nothing_behind(world):
    ref = await world.park()
    before = await world.mongo.find("parked", {})
    assert await world.replay(ref, dry=True) == "applied"
    world.error = KeyError("x")
    assert await world.replay(ref, dry=True) == "failed"
    assert await world.mongo.find("parked", {}) == before
    assert await world.values() == []
    assert await world.mongo.find_one("hidden", {"_id": "c"})


async def test_a_key_is_not_parked_when_another_consumer_applied_the_event_meanwhile(world):
    """Whoever was stopped and woken again would hide what is in order."""
    item, parking = world.item(1, 1), world.consumer._parking

    async def park(uow):
        parked = await parking.park(uow, item, attempts=5, error="KeyError")
        if not await world.values():
            await world.arrive(1, sequence=1, consumer=world.another())
        return parked

    assert await transact(world.mongo, park) is False
    assert await world.mongo.find("parked", {}) == []


async def test_everything_of_one_reason_is_replayed_in_batches_each_once_and_what_fails_does_not_stop_it(world, monkeypatch):
    monkeypatch.setattr("chassis.setaside.BATCH", 2)
    for number in range(5):
        await world.send(key="c", raw=b'{"counter":"c","value":"%d"x}' % number)
    await world.send(raw=b'{"counter":"c","value":"y"}', sequence=9)
    await world.hear("dead_letters", 6)

    async def do(ref):
        return await world.aside.replay(ref, by=ME)

    outcomes = [one.outcome async for one in world.aside.each(Wanted(reason="malformed"), do)]
    assert outcomes == ["failed"] * 5
    world.aside = tolerant(world)
    assert [one.outcome async for one in world.aside.each(Wanted(), do)] == ["failed"] * 5 + ["applied"]
    assert {one.attempts for one in await world.aside.find(Wanted(), limit=10)} == {3}


async def test_operators_find_by_what_is_known_the_oldest_first_and_never_see_content(world):
    await world.send(raw=b'{"counter":"c","value":"jan"}', key="jan@example.nl")
    await world.send(raw=b"{jan", key="k1")
    await world.hear("dead_letters", 2)
    parked = await world.mongo.find("parked", {})
    assert parked == []
    world.error = ValueError("jan")
    await world.send(key="k2")
    await world.hear("parked")
    found = await world.aside.find(Wanted(), limit=10)
    assert [(one.kind, one.reason, one.key, one.offset) for one in found] == [
        ("dead-letter", "invalid", None, 0),
        ("dead-letter", "malformed", "k1", 1),
        ("parked-key", "failed", "k2", 2),
    ]
    assert "jan" not in str(found)
    assert [one.trace for one in found if len(one.trace) != 32] == []
    later = Clock().machine() + timedelta(minutes=1)
    for wanted, count in [
        (Wanted(kind="parked-key"), 1),
        (Wanted(reason="invalid"), 1),
        (Wanted(key="k1"), 1),
        (Wanted(topic=world.stream.topic.name), 3),
        (Wanted(topic="another"), 0),
        (Wanted(consumer=world.stream.name), 3),
        (Wanted(consumer="another"), 0),
        (Wanted(since=later), 0),
        (Wanted(since=later - timedelta(hours=1)), 3),
    ]:
        assert len(await world.aside.find(wanted, limit=10)) == count, wanted
    rest = await world.aside.find(Wanted(), after=found[0].id, limit=1)
    assert [one.id for one in rest] == [found[1].id]


@pytest.mark.parametrize(
    "why", ["", "too short", "x" * 201, "two lines\nof them are too many", "because of jan@example.nl", " \u200b" * 9]
)
def test_a_reason_is_one_line_that_names_nobody(why):
    with pytest.raises(ValidationError):
        TypeAdapter(Why).validate_python(why)
