"""A master key for each week: what lives moves on, what was copied goes dark, and nothing that lives is ever left behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chassis import epochs, wrapped
from chassis.crypto import decrypt, encrypt
from chassis.epochs import SETTLED, Epochs
from chassis.keyfolder import KeyFolder
from chassis.keyring import Keyring
from chassis.keyservice import KeyServiceError, Secret, Unopened, Wrapped
from chassis.metrics import EPOCHS_KEPT, KEYS_TO_MOVE
from chassis.mongo import Mongo
from chassis.uow import Document
from chassis.wrapped import DATA_KEYS, SEALING_KEYS, UnusableKeyError, unwrap, wrap
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs
from testkit.clocks import TurnedClock

PEOPLE = [f"person-{number}" for number in range(7)]
FIRST, SECOND, THIRD = "2027-03-01", "2027-03-08", "2027-03-15"
"""Mondays; the clock begins on the first."""
Week = Callable[..., Awaitable[None]]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def mongo(mongo_url: str, mongo_database: str, clock: TurnedClock) -> AsyncIterator[Mongo]:
    connected = Mongo(mongo_url, database=mongo_database, clock=clock)
    await connected.ensure_indexes(wrapped.INDEXES)
    yield connected
    await connected.close()


@pytest.fixture
def keyring(mongo: Mongo, tmp_path: Path) -> Keyring:
    return Keyring(mongo, KeyFolder(tmp_path))


@pytest.fixture
def turning(keyring: Keyring) -> Epochs:
    return Epochs(keyring)


@pytest.fixture
def pass_days(turning: Epochs, clock: TurnedClock) -> Week:
    """Let days pass, and the job run until it has nothing left to do."""

    async def passing(days: int) -> None:
        clock.turned += timedelta(days=days)
        for _ in range(3):
            await turning.turn()
            clock.ahead += SETTLED

    return passing


async def held(keyring: Keyring) -> list[str]:
    return [epoch.name for epoch in await keyring.masters.held()]


async def under(mongo: Mongo, collection: str = DATA_KEYS) -> set[str]:
    return {row["epoch"] for row in await mongo.find(collection, {"epoch": {"$gt": ""}})}


async def boxes(keyring: Keyring) -> dict[str, bytes]:
    """Something that is kept about everybody."""
    keys = await keyring.keys([(person, "career") for person in PEOPLE])
    return {person: encrypt(key, person.encode(), subject=person, path="p") for (person, _), key in keys.items()}


async def assert_readable(keyring: Keyring, kept: dict[str, bytes]) -> None:
    """Assert that a process that begins now reads everything."""
    beginning = Keyring(keyring.mongo, keyring.masters)
    for person, box in kept.items():
        assert decrypt(await beginning.existing(person, "career"), box, subject=person, path="p") == person.encode()


async def told(turning: Epochs) -> tuple[float, float]:
    """What a scrape finds: how many keys wait, how many master keys are overdue."""
    for state in (KEYS_TO_MOVE, EPOCHS_KEPT):
        state.forget()
    await turning.read()
    found = [sample.value for state in (KEYS_TO_MOVE, EPOCHS_KEPT) for family in state.collect() for sample in family.samples]
    return found[0], found[1]


async def test_each_week_has_a_master_key_and_all_that_lives_moves_to_it(
    keyring: Keyring, mongo: Mongo, turning: Epochs, pass_days: Week, clock: TurnedClock
) -> None:
    kept = await boxes(keyring)
    await pass_days(0)
    assert (await held(keyring), await under(mongo)) == ([FIRST], {FIRST})
    await pass_days(6)
    assert await held(keyring) == [FIRST]
    clock.turned += timedelta(days=1)
    await keyring.masters.make(clock.today())
    assert await told(turning) == (len(PEOPLE), 0)
    assert await turning.turn() == len(PEOPLE)
    assert (await held(keyring), await under(mongo)) == ([FIRST, SECOND], {SECOND})
    assert await told(turning) == (0, 0)
    await assert_readable(keyring, kept)


async def test_sealing_keys_move_with_the_data_keys(keyring: Keyring, mongo: Mongo, pass_days: Week) -> None:
    (fields,) = await wrap(mongo, keyring.masters, [Secret("sealing:k", b"s" * 32)])
    await mongo.database[SEALING_KEYS].insert_one({"_id": FIRST, "key_id": "k", **fields})
    await pass_days(14)
    (row,) = await mongo.find(SEALING_KEYS, {})
    assert (row["epoch"], await held(keyring)) == (THIRD, [THIRD])
    assert await unwrap(keyring.masters, SEALING_KEYS, [row]) == [b"s" * 32]


async def test_a_master_key_is_destroyed_on_the_fourteenth_day_and_not_before(keyring: Keyring, pass_days: Week) -> None:
    kept = await boxes(keyring)
    await pass_days(7)
    await pass_days(6)
    assert await held(keyring) == [FIRST, SECOND]
    await pass_days(1)
    assert await held(keyring) == [SECOND, THIRD]
    await assert_readable(keyring, kept)


async def test_an_old_copy_of_the_keyring_cannot_be_opened_after_fourteen_days(
    keyring: Keyring, mongo: Mongo, pass_days: Week
) -> None:
    """Whoever copied everything but the master keys, before a person was erased, has nothing."""
    await boxes(keyring)
    copied = await mongo.find(DATA_KEYS, {})
    await keyring.erase(PEOPLE[0])
    await pass_days(7)
    assert all(isinstance(one, bytes) for one in await unwrap(keyring.masters, DATA_KEYS, copied))
    await pass_days(7)
    assert {type(one) for one in await unwrap(keyring.masters, DATA_KEYS, copied)} == {UnusableKeyError}
    assert await keyring.many([(person, "career") for person in PEOPLE[1:]])


async def test_a_worker_that_was_away_for_a_year_makes_one_master_key_and_leaves_nobody_behind(
    keyring: Keyring, pass_days: Week
) -> None:
    kept = await boxes(keyring)
    await pass_days(365)
    assert await held(keyring) == ["2028-02-28"]
    await assert_readable(keyring, kept)


async def test_nothing_is_destroyed_while_what_was_wrapped_before_may_still_be_on_its_way(
    keyring: Keyring, turning: Epochs, clock: TurnedClock
) -> None:
    await boxes(keyring)
    clock.turned = timedelta(days=14)
    assert await turning.turn() == len(PEOPLE)
    clock.ahead = SETTLED - timedelta(seconds=1)
    await turning.turn()
    assert await held(keyring) == [FIRST, THIRD]
    clock.ahead = SETTLED
    await turning.turn()
    assert await held(keyring) == [THIRD]


async def test_a_process_that_slept_while_its_master_key_went_takes_its_row_back(
    keyring: Keyring, mongo: Mongo, tmp_path: Path, pass_days: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    await boxes(keyring)
    sleeper = Keyring(mongo, KeyFolder(tmp_path))
    wrapping = sleeper.masters.wrap

    async def sleeps(secrets: Sequence[Secret]) -> list[Wrapped]:
        wrapped = await wrapping(secrets)
        await pass_days(14)
        return wrapped

    monkeypatch.setattr(sleeper.masters, "wrap", sleeps)
    with pytest.raises(KeyServiceError):
        await sleeper.key("new", "career")
    monkeypatch.undo()
    assert await under(mongo) == {THIRD}
    key = await sleeper.key("new", "career")
    box = encrypt(key, b"x", subject="new", path="p")
    assert decrypt(await keyring.existing("new", "career"), box, subject="new", path="p") == b"x"


async def test_a_master_key_stays_while_a_row_lives_under_it_and_an_alert_can_tell(
    keyring: Keyring, mongo: Mongo, turning: Epochs, pass_days: Week
) -> None:
    kept = await boxes(keyring)
    await mongo.database[DATA_KEYS].update_one({"_id": f"{PEOPLE[3]}:career"}, {"$set": {"wrapped": b"damaged"}})
    with capture_logs() as logs:
        await pass_days(14)
        await pass_days(7)
    assert await held(keyring) == [FIRST, THIRD, "2027-03-22"]
    assert await told(turning) == (1, 1)
    assert [(one["epoch"], one["living"]) for one in logs if one["event"] == "master_key_kept"] == [(FIRST, 1)]
    await assert_readable(keyring, {person: box for person, box in kept.items() if person != PEOPLE[3]})
    await keyring.erase(PEOPLE[3])
    await pass_days(0)
    assert (await held(keyring), await told(turning)) == ([THIRD, "2027-03-22"], (0, 0))


async def test_rewrapping_that_was_broken_off_goes_on(
    keyring: Keyring, mongo: Mongo, turning: Epochs, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await boxes(keyring)
    monkeypatch.setattr(epochs, "BATCH", 2)
    clock.turned = timedelta(days=14)
    wrapping, calls = keyring.masters.wrap, list[int]()

    async def breaks_off(secrets: Sequence[Secret]) -> list[Wrapped]:
        calls.append(len(secrets))
        if len(calls) == 3:
            raise AutoReconnect("away")
        return await wrapping(secrets)

    monkeypatch.setattr(keyring.masters, "wrap", breaks_off)
    with pytest.raises(AutoReconnect):
        await turning.turn()
    assert await under(mongo) == {FIRST, THIRD}
    await assert_readable(keyring, kept)
    assert await turning.turn() == len(PEOPLE) - 4
    assert await under(mongo) == {THIRD}
    await assert_readable(keyring, kept)


async def test_two_jobs_at_once_do_no_harm(
    keyring: Keyring, mongo: Mongo, tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await boxes(keyring)
    monkeypatch.setattr(epochs, "BATCH", 3)
    clock.turned = timedelta(days=14)
    jobs = [Epochs(Keyring(mongo, KeyFolder(tmp_path))) for _ in range(3)]
    moved = await asyncio.gather(*(job.turn() for job in jobs))
    assert sum(moved) == len(PEOPLE)
    clock.ahead += SETTLED
    await asyncio.gather(*(job.turn() for job in jobs))
    assert (await held(keyring), await under(mongo)) == ([THIRD], {THIRD})
    await assert_readable(keyring, kept)


async def test_a_key_that_is_destroyed_while_it_is_moved_stays_destroyed(
    keyring: Keyring, mongo: Mongo, turning: Epochs, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await boxes(keyring)
    clock.turned = timedelta(days=7)
    opening = keyring.masters.unwrap

    async def overtaken(boxes: Sequence[Wrapped]) -> list[bytes | Unopened]:
        await keyring.destroy(PEOPLE[0], "career")
        return await opening(boxes)

    monkeypatch.setattr(keyring.masters, "unwrap", overtaken)
    assert await turning.turn() == len(PEOPLE) - 1
    row: Document | Any = await mongo.find_one(DATA_KEYS, {"_id": f"{PEOPLE[0]}:career"})
    assert row.keys() == {"_id", "subject", "class", "destroyed"}


async def test_a_folder_that_was_not_mounted_gets_no_master_key(
    keyring: Keyring, mongo: Mongo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await boxes(keyring)
    unmounted = Keyring(mongo, KeyFolder(tmp_path_factory.mktemp("unmounted")))
    assert await Epochs(unmounted).turn() == 0
    assert await held(unmounted) == []
    assert await wrapped.missing(mongo, unmounted.masters) == [FIRST]


async def test_what_was_left_while_it_was_looked_at_is_not_missing(
    keyring: Keyring, mongo: Mongo, tmp_path: Path, pass_days: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that starts in the moment in which an epoch is left and destroyed does not refuse."""
    await boxes(keyring)
    starting = KeyFolder(tmp_path)
    holding = starting.held

    async def overtaken() -> Any:
        monkeypatch.undo()
        await pass_days(14)
        return await holding()

    monkeypatch.setattr(starting, "held", overtaken)
    assert await wrapped.missing(mongo, starting) == []
