"""Sealing keys on the real MongoDB: always one to seal to, dark after fourteen days, and no crash that loses either."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from chassis import outbox, sealing
from chassis.clock import Clock
from chassis.crypto import UnreadableError
from chassis.keyfolder import KeyFolder
from chassis.keyring import CACHED, Keyring
from chassis.mongo import Mongo
from chassis.sealing import ANNOUNCED, PRIVATE, SealDarkError, SealedInbox, turn_sealing_keys
from chassis.wrapped import UnusableKeyError
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from nacl.public import PublicKey, SealedBox
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs
from testkit.clocks import TurnedClock


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def mongo(mongo_url: str, mongo_database: str, clock: Clock) -> AsyncIterator[Mongo]:
    connected = Mongo(mongo_url, database=mongo_database, clock=clock)
    await connected.ensure_indexes(outbox.INDEXES)
    yield connected
    await connected.close()


@pytest.fixture
async def keyring(mongo_url: str, mongo_database: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Keyring]:
    connected = Mongo(mongo_url, database=f"{mongo_database}_keyring", clock=clock)
    yield Keyring(connected, KeyFolder(tmp_path))
    await connected.client.drop_database(f"{mongo_database}_keyring")
    await connected.close()


async def nobody_lags() -> bool:
    return False


async def somebody_lags() -> bool:
    return True


@pytest.fixture
def turn(mongo: Mongo, keyring: Keyring) -> Callable[..., Any]:
    def run(lagging: sealing.Lagging = nobody_lags) -> Any:
        return turn_sealing_keys(mongo, keyring, NotificationsSealingKeyEvent, lagging)

    return run


async def announced(mongo: Mongo) -> list[NotificationsSealingKeyEvent]:
    rows = await mongo.find(outbox.COLLECTION, {"body": {"$ne": None}}, sort=[("_id", 1)])
    return sorted((NotificationsSealingKeyEvent.model_validate_json(row["body"]) for row in rows), key=lambda e: e.first_day)


async def revoked(mongo: Mongo) -> list[str]:
    rows = await mongo.find(outbox.COLLECTION, {"body": None}, sort=[("_id", 1)])
    assert all(row["sequence"] == 2 for row in rows)
    return [row["key"] for row in rows]


def sealed_to(event: NotificationsSealingKeyEvent, text: bytes = b"jan@example.nl") -> str:
    return base64.b64encode(SealedBox(PublicKey(base64.b64decode(event.public_key))).encrypt(text)).decode()


async def test_a_box_whose_key_is_gone_is_dark(turn: Any, mongo: Mongo, keyring: Keyring, clock: TurnedClock) -> None:
    await turn()
    key = (await announced(mongo))[0]
    box = sealed_to(key)
    assert await SealedInbox(keyring).open_sealed(key.key_id, box) == b"jan@example.nl"
    clock.turned = timedelta(days=14)
    await turn()
    with pytest.raises(SealDarkError, match=key.key_id):
        await SealedInbox(keyring).open_sealed(key.key_id, box)
    with pytest.raises(SealDarkError):
        await SealedInbox(keyring).open_sealed("never-ours", box)


async def test_a_process_that_knew_the_key_loses_it_within_the_bound(
    turn: Any, mongo: Mongo, keyring: Keyring, clock: TurnedClock
) -> None:
    await turn()
    key = (await announced(mongo))[0]
    inbox = SealedInbox(keyring)
    await inbox.open_sealed(key.key_id, sealed_to(key))
    clock.turned = timedelta(days=14)
    await turn()
    clock.ahead = CACHED
    with pytest.raises(SealDarkError):
        await inbox.open_sealed(key.key_id, sealed_to(key))


async def test_a_box_that_is_damaged_or_for_another_key_does_not_open(
    turn: Any, mongo: Mongo, keyring: Keyring, clock: TurnedClock
) -> None:
    await turn()
    clock.turned = timedelta(days=6)
    await turn()
    first, second = await announced(mongo)
    box = sealed_to(first)
    for bad in (sealed_to(second), box[:-8], "", "no base64!", box[:20] + ("A" if box[20] != "A" else "B") + box[21:]):
        with pytest.raises(UnreadableError, match=r"^sealed cannot be opened$"):
            await SealedInbox(keyring).open_sealed(first.key_id, bad)


async def test_every_day_has_a_key_and_each_goes_dark_on_its_fourteenth(
    turn: Any, mongo: Mongo, keyring: Keyring, clock: TurnedClock
) -> None:
    start = clock.today()
    for day in range(30):
        clock.turned = timedelta(days=day)
        await turn()
        today, keys = clock.today(), await announced(mongo)
        usable = [key for key in keys if key.first_day <= today <= key.used_until]
        assert len(usable) == 1
        living = {row["key_id"] for row in await keyring.mongo.find(PRIVATE, {})}
        assert living == {key.key_id for key in keys if today < key.destroyed_on}
        assert set(await revoked(mongo)) == {key.key_id for key in keys} - living
    keys = await announced(mongo)
    assert [key.first_day for key in keys] == [start + timedelta(days=7 * week) for week in range(5)]
    assert all(key.destroyed_on == key.first_day + timedelta(days=14) for key in keys)
    assert all(key.used_until == key.first_day + timedelta(days=6) for key in keys)


async def test_the_next_key_is_told_a_day_before_its_first(turn: Any, mongo: Mongo, clock: TurnedClock) -> None:
    start = clock.today()
    await turn()
    clock.turned = timedelta(days=5)
    assert await turn() == 0
    clock.turned = timedelta(days=6)
    assert await turn() == 1
    assert [key.first_day for key in await announced(mongo)] == [start, start + timedelta(days=7)]


async def test_after_a_year_away_there_is_a_key_at_once_and_the_old_ones_are_gone(
    turn: Any, mongo: Mongo, keyring: Keyring, clock: TurnedClock
) -> None:
    await turn()
    old = (await announced(mongo))[0]
    clock.turned = timedelta(days=365)
    await turn()
    assert [row["_id"] for row in await keyring.mongo.find(PRIVATE, {})] == [clock.today().isoformat()]
    assert await revoked(mongo) == [old.key_id]
    assert await turn() == 0


async def test_a_lagging_consumer_keeps_the_key_and_raises_an_alarm(
    turn: Any, mongo: Mongo, keyring: Keyring, clock: TurnedClock
) -> None:
    await turn()
    key = (await announced(mongo))[0]
    clock.turned = timedelta(days=14)
    with capture_logs() as logs:
        await turn(somebody_lags)
    assert [(one["event"], one["log_level"], one["keys"]) for one in logs] == [
        ("sealing_keys_kept_for_lagging_consumer", "error", [key.key_id])
    ]
    assert await SealedInbox(keyring).open_sealed(key.key_id, sealed_to(key))
    assert await revoked(mongo) == []
    await turn(nobody_lags)
    assert await revoked(mongo) == [key.key_id]


async def test_a_crash_between_making_and_announcing_is_mended(
    turn: Any, mongo: Mongo, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _crash_before_telling(turn, monkeypatch)
    made = [row["key_id"] for row in await keyring.mongo.find(PRIVATE, {})]
    assert len(made) == 1
    assert await announced(mongo) == []
    await turn()
    assert [key.key_id for key in await announced(mongo)] == made


async def test_a_crash_between_destroying_and_revoking_is_mended(
    turn: Any, mongo: Mongo, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await turn()
    key = (await announced(mongo))[0]
    clock.turned = timedelta(days=14)
    await _crash_before_telling(turn, monkeypatch)
    assert await revoked(mongo) == []
    await turn()
    assert await revoked(mongo) == [key.key_id]


async def _crash_before_telling(turn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dies(*_: object) -> None:
        raise AutoReconnect("killed")

    monkeypatch.setattr(sealing, "transact", dies)
    with pytest.raises(AutoReconnect):
        await turn()
    monkeypatch.undo()


async def test_workers_that_start_at_once_agree_on_one_key(turn: Any, mongo: Mongo, keyring: Keyring) -> None:
    await asyncio.gather(*(turn() for _ in range(5)))
    keys = await announced(mongo)
    assert [key.key_id for key in keys] == [row["key_id"] for row in await keyring.mongo.find(PRIVATE, {})]
    assert len(keys) == len(await mongo.find(ANNOUNCED, {})) == 1
    assert await SealedInbox(keyring).open_sealed(keys[0].key_id, sealed_to(keys[0]))


async def test_a_worker_that_does_not_see_another_ones_new_key_yet_does_not_revoke_it(
    turn: Any, mongo: Mongo, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a majority has not taken yet is not read, and meanwhile the key may have been announced."""
    find = keyring.mongo.find

    async def overtaken(collection: str, where: Any, **options: Any) -> Any:
        if not options:
            return await find(collection, where)
        monkeypatch.undo()
        await turn()
        return []

    monkeypatch.setattr(keyring.mongo, "find", overtaken)
    await turn()
    await turn()
    assert await revoked(mongo) == []
    assert len(await announced(mongo)) == 1


async def test_a_keyring_that_was_restored_without_its_key_takes_the_old_one_back(
    turn: Any, mongo: Mongo, keyring: Keyring
) -> None:
    await turn()
    lost = (await announced(mongo))[0]
    await keyring.mongo.database[PRIVATE].delete_many({})
    await turn()
    assert await revoked(mongo) == [lost.key_id]
    living = [row["key_id"] for row in await keyring.mongo.find(PRIVATE, {})]
    assert {key.key_id for key in await announced(mongo)} == {lost.key_id, *living}
    assert living != [lost.key_id]


async def test_private_keys_lie_wrapped_and_belong_to_their_id(turn: Any, mongo: Mongo, keyring: Keyring) -> None:
    await turn()
    key = (await announced(mongo))[0]
    await keyring.mongo.database[PRIVATE].update_one({}, {"$set": {"key_id": "another"}})
    with pytest.raises(UnusableKeyError):
        await SealedInbox(keyring).open_sealed("another", sealed_to(key))
    assert await mongo.find(PRIVATE, {}) == []


def test_days_are_the_contracts() -> None:
    event = NotificationsSealingKeyEvent.model_validate(
        sealing._fields({"_id": "2026-03-02", "key_id": "k", "public_key": "AAAA"})
    )
    assert (event.used_until, event.destroyed_on) == (date(2026, 3, 8), date(2026, 3, 16))
