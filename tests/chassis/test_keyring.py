"""Data keys on the real MongoDB: made once, destroyed for good, and never usable longer than the cache's bound."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import pytest
from chassis import keyring as keyrings
from chassis.clock import Clock
from chassis.crypto import DataKey, UnreadableError, decrypt, encrypt
from chassis.destruction import PENDING, destroy_due, schedule_destruction
from chassis.ids import new_id
from chassis.keyring import CACHED, ERASED, KEYS, KeyDestroyedError, KeyMissingError, Keyring, Owner, SubjectErasedError
from chassis.master import MasterKeyError, MasterKeys
from chassis.mongo import Mongo, transact
from chassis.uow import Document, Filter, UnitOfWork
from testkit.clocks import TurnedClock

MASTERS = MasterKeys.parse(base64.b64encode(b"m" * 32).decode())


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def mongo(mongo_url: str, mongo_database: str, clock: Clock) -> AsyncIterator[Mongo]:
    connected = Mongo(mongo_url, database=mongo_database, clock=clock)
    await connected.ensure_indexes(keyrings.INDEXES)
    yield connected
    await connected.close()


@pytest.fixture
def keyring(mongo: Mongo) -> Keyring:
    return Keyring(mongo, MASTERS)


@pytest.fixture
def elsewhere(mongo: Mongo) -> Keyring:
    """The same keyring in another process: nothing is shared but the database."""
    return Keyring(mongo, MASTERS)


def opens(key: DataKey, box: bytes) -> bool:
    try:
        return decrypt(key, box, subject="s", path="p") == b"value"
    except UnreadableError:
        return False


def box_of(key: DataKey) -> bytes:
    return encrypt(key, b"value", subject="s", path="p")


async def test_a_destroyed_key_is_gone_for_reading_and_writing_and_never_made_again(keyring: Keyring, mongo: Mongo) -> None:
    await keyring.key("ann", "identifying")
    await keyring.destroy("ann", "identifying")
    for ask in (keyring.key, keyring.existing):
        with pytest.raises(KeyDestroyedError, match="ann:identifying"):
            await ask("ann", "identifying")
    row = await mongo.find_one(KEYS, {"_id": "ann:identifying"})
    assert row is not None
    assert set(row) == {"_id", "subject", "class", "destroyed"}
    assert await keyring.many([("ann", "identifying")]) == {}


async def test_destroying_one_class_leaves_the_others(keyring: Keyring) -> None:
    box = box_of(await keyring.key("ann", "career"))
    await keyring.key("ann", "identifying")
    await keyring.destroy("ann", "identifying")
    assert opens(await keyring.key("ann", "career"), box)


async def test_destroying_again_keeps_the_first_time(keyring: Keyring, mongo: Mongo, clock: TurnedClock) -> None:
    await keyring.destroy("ann", "identifying")
    before = await mongo.find_one(KEYS, {"_id": "ann:identifying"})
    clock.ahead = timedelta(days=1)
    await keyring.destroy("ann", "identifying")
    assert await mongo.find_one(KEYS, {"_id": "ann:identifying"}) == before


async def test_a_key_that_was_never_made_can_be_forbidden(keyring: Keyring) -> None:
    await keyring.destroy("ann", "identifying")
    with pytest.raises(KeyDestroyedError):
        await keyring.key("ann", "identifying")


async def test_another_process_loses_a_destroyed_key_within_the_bound(
    keyring: Keyring, elsewhere: Keyring, clock: TurnedClock
) -> None:
    await elsewhere.key("ann", "identifying")
    await keyring.destroy("ann", "identifying")
    await elsewhere.existing("ann", "identifying")  # its cache may still hold it
    clock.ahead = CACHED
    with pytest.raises(KeyDestroyedError):
        await elsewhere.existing("ann", "identifying")


async def test_use_does_not_lengthen_a_cached_keys_life(keyring: Keyring, elsewhere: Keyring, clock: TurnedClock) -> None:
    await elsewhere.key("ann", "identifying")
    await keyring.destroy("ann", "identifying")
    for _ in range(3):
        clock.ahead += CACHED / 4
        await elsewhere.existing("ann", "identifying")
    clock.ahead += CACHED / 4
    with pytest.raises(KeyDestroyedError):
        await elsewhere.existing("ann", "identifying")


async def test_a_clock_that_was_set_back_does_not_keep_a_key(keyring: Keyring, elsewhere: Keyring, clock: TurnedClock) -> None:
    await elsewhere.key("ann", "identifying")
    await keyring.destroy("ann", "identifying")
    clock.ahead = -timedelta(hours=1)
    with pytest.raises(KeyDestroyedError):
        await elsewhere.existing("ann", "identifying")


async def test_forget_and_size_bound_the_cache(mongo: Mongo, keyring: Keyring) -> None:
    small = Keyring(mongo, MASTERS, cache_size=1)
    await small.key("ann", "a")
    await small.key("bob", "a")
    await keyring.destroy("ann", "a")
    await keyring.destroy("bob", "a")
    with pytest.raises(KeyDestroyedError):
        await small.existing("ann", "a")
    await small.existing("bob", "a")
    small.forget("bob", "a")
    with pytest.raises(KeyDestroyedError):
        await small.existing("bob", "a")


async def test_a_key_that_was_destroyed_while_it_was_read_is_not_kept(
    keyring: Keyring, elsewhere: Keyring, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    await elsewhere.key("ann", "identifying")
    find = mongo.find

    async def overtaken(collection: str, where: Filter) -> list[Document]:
        rows = await find(collection, where)
        if collection == KEYS:
            await keyring.destroy("ann", "identifying")
        return rows

    monkeypatch.setattr(mongo, "find", overtaken)
    await keyring.existing("ann", "identifying")
    monkeypatch.undo()
    with pytest.raises(KeyDestroyedError):
        await keyring.existing("ann", "identifying")


async def test_reading_makes_no_key(keyring: Keyring, mongo: Mongo) -> None:
    with pytest.raises(KeyMissingError):
        await keyring.existing("ann", "career")
    assert await mongo.find(KEYS, {}) == []


async def test_everybody_who_asks_at_once_gets_the_same_key(mongo: Mongo) -> None:
    rings = [Keyring(mongo, MASTERS) for _ in range(20)]
    for round_ in range(10):
        keys = await asyncio.gather(*(ring.key("ann", f"class-{round_}") for ring in rings))
        box = box_of(keys[0])
        assert all(opens(key, box) for key in keys)


async def test_keys_differ_by_subject_and_class_and_survive_a_restart(keyring: Keyring, elsewhere: Keyring) -> None:
    box = box_of(await keyring.key("ann", "career"))
    assert opens(await elsewhere.key("ann", "career"), box)
    assert not opens(await keyring.key("bob", "career"), box)
    assert not opens(await keyring.key("ann", "identifying"), box)


async def test_a_page_of_people_is_loaded_at_once(keyring: Keyring, elsewhere: Keyring) -> None:
    box = box_of(await keyring.key("ann", "career"))
    await keyring.key("bob", "career")
    await keyring.destroy("bob", "career")
    found = await elsewhere.many([("ann", "career"), ("bob", "career"), ("cas", "career")])
    assert list(found) == [("ann", "career")]
    assert opens(found["ann", "career"], box)


async def test_an_erased_subject_has_no_keys_and_gets_none(keyring: Keyring, elsewhere: Keyring, mongo: Mongo) -> None:
    await keyring.key("ann", "career")
    await keyring.key("bob", "career")
    await keyring.erase("ann")
    await keyring.erase("ann")
    for klass in ("career", "new"):
        with pytest.raises(SubjectErasedError):
            await elsewhere.key("ann", klass)
    assert await keyring.is_erased("ann")
    assert not await keyring.is_erased("bob")
    assert [row["_id"] for row in await mongo.find(KEYS, {"wrapped": {"$exists": True}})] == ["bob:career"]


async def test_a_key_that_is_made_while_the_subject_is_erased_is_not_given_out(mongo: Mongo) -> None:
    """The list of the erased is read after the key was made, so one of the two sees the other."""

    class Overtaken(Keyring):
        async def _make(self, owners: Iterable[Owner]) -> None:
            await super()._make(owners)
            await mongo.database[ERASED].insert_one({"_id": "ann"})

    with pytest.raises(SubjectErasedError):
        await Overtaken(mongo, MASTERS).key("ann", "career")
    await mongo.database[ERASED].delete_many({})
    await mongo.database[KEYS].delete_many({})
    with pytest.raises(SubjectErasedError):
        await Overtaken(mongo, MASTERS).keys([("bob", "career"), ("ann", "career")])


async def test_the_keys_of_many_are_made_with_a_few_calls_and_are_the_same_for_everybody(
    keyring: Keyring, elsewhere: Keyring, mongo: Mongo
) -> None:
    owners = [(f"person-{number}", "career") for number in range(40)]
    first = await keyring.key(*owners[0])
    made = await asyncio.gather(*(one.keys(owners) for one in (keyring, elsewhere, Keyring(mongo, MASTERS))))
    for owner in owners:
        box = box_of(made[0][owner])
        assert all(opens(keys[owner], box) for keys in made)
    assert opens(first, box_of(made[1][owners[0]]))
    assert len(await mongo.find(KEYS, {})) == len(owners)


async def test_among_many_one_destroyed_key_or_erased_subject_refuses_them_all_and_none_is_made(
    keyring: Keyring, mongo: Mongo
) -> None:
    await keyring.destroy("ann", "career")
    with pytest.raises(KeyDestroyedError):
        await keyring.keys([("bob", "career"), ("ann", "career")])
    await keyring.erase("cas")
    with pytest.raises(SubjectErasedError):
        await keyring.keys([("cas", "career")])
    assert await mongo.find_one(KEYS, {"_id": "cas:career"}) is None


async def test_keys_lie_wrapped_and_a_row_cannot_pass_for_another(keyring: Keyring, elsewhere: Keyring, mongo: Mongo) -> None:
    await keyring.key("ann", "career")
    row = await mongo.find_one(KEYS, {"_id": "ann:career"})
    assert row is not None
    await mongo.database[KEYS].insert_one({**row, "_id": "bob:career", "subject": "bob"})
    with pytest.raises(UnreadableError):
        await elsewhere.existing("bob", "career")


async def test_several_master_keys_are_told_apart_by_their_epoch(keyring: Keyring, mongo: Mongo) -> None:
    box = box_of(await keyring.key("ann", "career"))
    old, new = base64.b64encode(b"m" * 32).decode(), base64.b64encode(b"n" * 32).decode()
    both = Keyring(mongo, MasterKeys.parse(f"0:{old},1:{new}"))
    assert opens(await both.key("ann", "career"), box)
    await both.key("bob", "career")
    rows = await mongo.find(KEYS, {}, sort=[("_id", 1)])
    assert [(row["_id"], row["epoch"]) for row in rows] == [("ann:career", "0"), ("bob:career", "1")]
    with pytest.raises(MasterKeyError, match="epoch 0"):
        await Keyring(mongo, MasterKeys.parse(f"1:{new}")).existing("ann", "career")


@pytest.mark.parametrize("setting", ["", "geheim", "MTIz", "0:MTIz", base64.b64encode(b"m" * 31).decode()])
def test_an_unusable_master_key_is_refused_without_repeating_it(setting: str) -> None:
    with pytest.raises(MasterKeyError) as refused:
        MasterKeys.parse(setting)
    assert not setting or setting not in str(refused.value)


def test_a_class_with_a_colon_is_refused() -> None:
    with pytest.raises(ValueError, match="colon"):
        keyrings.row_id("ann", "a:b")


async def test_a_change_that_was_given_up_destroys_nothing(keyring: Keyring, mongo: Mongo) -> None:
    await keyring.key("ann", "identifying")

    async def fails(uow: UnitOfWork) -> None:
        schedule_destruction(uow, "ann", "identifying")
        await uow.flush()
        raise LookupError

    with pytest.raises(LookupError):
        await transact(mongo, fails)
    assert await destroy_due(mongo, keyring) == 0
    await keyring.existing("ann", "identifying")


async def _decide(mongo: Mongo, subject: str) -> None:
    async def work(uow: UnitOfWork) -> None:
        uow.insert("profiles", {"_id": new_id(), "subject": subject, "anonymity": "permanent"})
        schedule_destruction(uow, subject, "identifying")
        schedule_destruction(uow, subject, "identifying")  # a retried or repeated step

    await transact(mongo, work)


@pytest.mark.parametrize("crash", ["before the destruction", "after the destruction", "never"])
async def test_a_crash_between_commit_and_destruction_loses_nothing(
    crash: str, keyring: Keyring, elsewhere: Keyring, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keyring.key("ann", "identifying")
    await _decide(mongo, "ann")
    destroy = keyring.destroy

    async def dies(subject: str, klass: str) -> None:
        if crash == "after the destruction":
            await destroy(subject, klass)
        raise ConnectionError(crash)

    if crash != "never":
        monkeypatch.setattr(keyring, "destroy", dies)
        with pytest.raises(ConnectionError):
            await destroy_due(mongo, keyring)
        monkeypatch.undo()
        assert len(await mongo.find(PENDING, {})) == 1
    assert await destroy_due(mongo, elsewhere) == 1
    assert await mongo.find(PENDING, {}) == []
    with pytest.raises(KeyDestroyedError):
        await elsewhere.existing("ann", "identifying")
