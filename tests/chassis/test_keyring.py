"""Data keys on the real MongoDB: made once, destroyed for good, and never usable longer than the cache's bound."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest
from chassis import keyring as keyrings
from chassis.clock import Clock
from chassis.consume import is_trouble
from chassis.crypto import DataKey, UnreadableError, decrypt, encrypt
from chassis.destruction import PENDING, destroy_due, schedule_destruction
from chassis.http.errors import problem_of
from chassis.ids import new_id
from chassis.keyfolder import KeyFolder
from chassis.keyring import CACHED, ERASED, KEYS, KeyDestroyedError, KeyMissingError, Keyring, Owner, SubjectErasedError
from chassis.keyservice import Epoch, KeyService, KeyServiceError, Trouble, Unopened
from chassis.metrics import REGISTRY
from chassis.mongo import Mongo, transact
from chassis.uow import Document, Filter, UnitOfWork
from chassis.wrapped import UnusableKeyError
from testkit.clocks import TurnedClock


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
def masters(tmp_path: Path) -> KeyService:
    return KeyFolder(tmp_path)


@pytest.fixture
def keyring(mongo: Mongo, masters: KeyService) -> Keyring:
    return Keyring(mongo, masters)


@pytest.fixture
def elsewhere(mongo: Mongo, tmp_path: Path) -> Keyring:
    """The same keyring in another process: nothing is shared but the database and the folder."""
    return Keyring(mongo, KeyFolder(tmp_path))


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


async def test_forget_and_size_bound_the_cache(mongo: Mongo, keyring: Keyring, masters: KeyService) -> None:
    small = Keyring(mongo, masters, cache_size=1)
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


async def test_everybody_who_asks_at_once_gets_the_same_key(mongo: Mongo, tmp_path: Path) -> None:
    rings = [Keyring(mongo, KeyFolder(tmp_path)) for _ in range(20)]
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


async def test_a_key_that_is_made_while_the_subject_is_erased_is_not_given_out(mongo: Mongo, masters: KeyService) -> None:
    """The list of the erased is read after the key was made, so one of the two sees the other."""

    class Overtaken(Keyring):
        async def _make(self, owners: Iterable[Owner]) -> None:
            await super()._make(owners)
            await mongo.database[ERASED].insert_one({"_id": "ann"})

    with pytest.raises(SubjectErasedError):
        await Overtaken(mongo, masters).key("ann", "career")
    await mongo.database[ERASED].delete_many({})
    await mongo.database[KEYS].delete_many({})
    with pytest.raises(SubjectErasedError):
        await Overtaken(mongo, masters).keys([("bob", "career"), ("ann", "career")])


async def test_the_keys_of_many_are_made_with_a_few_calls_and_are_the_same_for_everybody(
    keyring: Keyring, elsewhere: Keyring, mongo: Mongo, masters: KeyService
) -> None:
    owners = [(f"person-{number}", "career") for number in range(40)]
    first = await keyring.key(*owners[0])
    made = await asyncio.gather(*(one.keys(owners) for one in (keyring, elsewhere, Keyring(mongo, masters))))
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
    with pytest.raises(UnusableKeyError) as refused:
        await elsewhere.existing("bob", "career")
    assert refused.value.why is Unopened.DAMAGED


async def test_a_key_that_does_not_open_fails_who_asks_for_it_and_nobody_else(
    keyring: Keyring, elsewhere: Keyring, mongo: Mongo
) -> None:
    for owner in ("ann", "bob"):
        await keyring.key(owner, "career")
    await mongo.database[KEYS].update_one({"_id": "ann:career"}, {"$set": {"epoch": "2020-01-06"}})
    before = count("epoch-missing")
    both = [("ann", "career"), ("bob", "career")]
    await elsewhere.prepare(both)
    for ask in (elsewhere.key, elsewhere.existing):
        with pytest.raises(UnusableKeyError) as refused:
            await ask("ann", "career")
        assert refused.value.why is Unopened.MISSING
    for ask_many in (elsewhere.many, elsewhere.keys):
        with pytest.raises(UnusableKeyError):
            await ask_many(both)
    await elsewhere.existing("bob", "career")
    assert count("epoch-missing") == before + 5
    assert problem_of(refused.value).status == 500
    assert str(refused.value) == "key-unusable"


def count(reason: str) -> float:
    return REGISTRY.get_sample_value("kandidatenbank_unusable_keys_total", {"reason": reason}) or 0


async def test_only_the_very_first_key_of_a_keyring_makes_an_epoch(
    mongo: Mongo, keyring: Keyring, masters: KeyService, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await keyring.key("ann", "career")
    assert await masters.held() == [Epoch(date(2027, 3, 1), "2027-03-01")]
    unmounted = KeyFolder(tmp_path_factory.mktemp("unmounted"))
    with pytest.raises(KeyServiceError) as refused:
        await Keyring(mongo, unmounted).key("bob", "career")
    assert refused.value.trouble is Trouble.EMPTY
    assert is_trouble(refused.value)
    assert problem_of(refused.value).status == 503
    assert await unmounted.held() == []


async def test_another_process_forgets_what_was_destroyed_or_erased_as_soon_as_it_looks(
    keyring: Keyring, elsewhere: Keyring
) -> None:
    for owner in (("ann", "career"), ("bob", "career"), ("cas", "career")):
        await elsewhere.key(*owner)
    await keyring.destroy("ann", "career")
    await keyring.erase("bob")
    await elsewhere.forget_destroyed()
    with pytest.raises(KeyDestroyedError):
        await elsewhere.existing("ann", "career")
    with pytest.raises(SubjectErasedError):
        await elsewhere.existing("bob", "career")
    await keyring.mongo.database[KEYS].delete_many({})
    await elsewhere.existing("cas", "career")  # still in its cache


async def test_what_was_forgotten_once_does_not_keep_others_out_of_the_cache(
    keyring: Keyring, elsewhere: Keyring, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keyring.key("ann", "career")
    await keyring.destroy("bob", "career")
    await elsewhere.forget_destroyed()
    find = mongo.find

    async def looked_meanwhile(collection: str, where: Filter) -> list[Document]:
        await elsewhere.forget_destroyed()
        return await find(collection, where)

    monkeypatch.setattr(mongo, "find", looked_meanwhile)
    await elsewhere.existing("ann", "career")
    monkeypatch.undo()
    await mongo.database[KEYS].delete_many({})
    assert await elsewhere.many([("ann", "career")])


async def test_a_destruction_that_was_stamped_by_a_late_clock_is_heard(
    keyring: Keyring, elsewhere: Keyring, clock: TurnedClock
) -> None:
    await elsewhere.key("ann", "career")
    await elsewhere.forget_destroyed()
    clock.ahead = -timedelta(seconds=30)
    await keyring.destroy("ann", "career")
    clock.ahead = timedelta()
    await elsewhere.forget_destroyed()
    with pytest.raises(KeyDestroyedError):
        await elsewhere.existing("ann", "career")


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
