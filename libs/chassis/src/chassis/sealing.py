"""Sealing keys of a service that receives sealed details: what it must be told of a person comes sealed, through open topics.

A new X25519 pair each week of domain time, announced by event a day before its first day, so that senders never lack one;
they use it for 7 days, and 14 days after its first day the private half is destroyed, and every copy in topics, backups and
outboxes goes dark by itself. A private half lies wrapped under the master key in the keyring database, never elsewhere.
"""

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final, Protocol, Self

import structlog
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from pymongo.errors import DuplicateKeyError

from chassis.bounded import Bounded
from chassis.crypto import UnreadableError
from chassis.ids import new_id, random_bytes
from chassis.keyring import CACHED, Keyring
from chassis.keyservice import Secret
from chassis.mongo import Mongo, transact
from chassis.outbox import OutEvent
from chassis.uow import Document, UnitOfWork
from chassis.wrapped import OWNERS, SEALING_KEYS, UnusableKeyError, unwrap, wrap

PRIVATE: Final = SEALING_KEYS
"""In the keyring database, by first day: so two workers that make a week's key at once get the same one."""
ANNOUNCED: Final = "announced_sealing_keys"
"""In the service's database, by key id: what followers were told, with its sequence."""
WEEK: Final = timedelta(days=7)
DESTROYED_AFTER: Final = timedelta(days=14)
log = structlog.get_logger()

Lagging = Callable[[], Awaitable[bool]]
"""Tells whether a consumer of this service still has sealed details to read that may need an old key."""


class SealingKeyAnnouncement(OutEvent, Protocol):
    """The contract of `<service>.sealing-key.v1`, as far as it must be known here."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Return the event of these fields."""
        ...


class SealDarkError(Exception):
    """The private key of a box is gone: ask its sender again (`<service>.reseal.v1`), or let it be."""

    loggable = True


class SealedInbox:
    """Opens what was sealed to this service. Private keys are kept in memory for at most a minute."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._cache: Bounded[str, SealedBox[PrivateKey]] = Bounded(8, CACHED)

    async def open_sealed(self, key_id: str, box: str) -> bytes:
        """Return what is in a box (base64, as events carry it).

        Raises:
            SealDarkError: Its key was destroyed, or never was ours.
            UnusableKeyError: Its key is there and does not open.
            UnreadableError: It was not sealed to that key, or is damaged.
        """
        opener = await self._opener(key_id)
        try:
            return opener.decrypt(base64.b64decode(box, validate=True))
        except (CryptoError, ValueError):
            raise UnreadableError("sealed") from None

    async def _opener(self, key_id: str) -> SealedBox[PrivateKey]:
        now = self._keyring.mongo.clock.machine()
        held = self._cache.get(key_id, now)
        if held is not None:
            return held
        row = await self._keyring.mongo.find_one(PRIVATE, {"key_id": key_id})
        if row is None:
            raise SealDarkError(f"no sealing key {key_id}")
        (private,) = await unwrap(self._keyring.masters, PRIVATE, [row])
        if isinstance(private, UnusableKeyError):
            raise private
        opener = SealedBox(PrivateKey(private))
        self._cache.put(key_id, opener, now)
        return opener


async def turn_sealing_keys(mongo: Mongo, keyring: Keyring, announcement: type[SealingKeyAnnouncement], lagging: Lagging) -> int:
    """Make, announce and destroy sealing keys as their days come; return how many were. For a job that runs often.

    Made before announced, and destroyed before revoked: a crash between two steps is mended by the next run.
    """
    today = mongo.clock.today()
    await _make_missing(keyring, today)
    await _destroy_old(keyring, today, lagging)

    async def work(uow: UnitOfWork) -> int:
        told = {row["_id"]: row for row in await uow.find(ANNOUNCED, {})}
        # Read after `told`: who was told of a key was told after it was kept, so a key that is missing here is gone for good.
        living = await keyring.mongo.find(PRIVATE, {}, sort=[("_id", 1)])
        return _announce(uow, told, living, announcement)

    return await transact(mongo, work)


async def _make_missing(keyring: Keyring, today: date) -> None:
    days = [date.fromisoformat(row["_id"]) for row in await keyring.mongo.find(PRIVATE, {})]
    current = max((day for day in days if day <= today < day + WEEK), default=None)
    if current is None:
        current = today
        await _make(keyring, current)
    following = current + WEEK
    if today + timedelta(days=1) >= following and following not in days:
        await _make(keyring, following)


async def _make(keyring: Keyring, first_day: date) -> None:
    key_id, private = new_id(), PrivateKey(random_bytes(PrivateKey.SIZE))
    row = {
        "key_id": key_id,
        "public_key": base64.b64encode(bytes(private.public_key)).decode(),
        "made": keyring.mongo.clock.machine(),
    }
    (wrapped,) = await wrap(keyring.mongo, keyring.masters, [Secret(OWNERS[PRIVATE](row), bytes(private))])
    row |= wrapped
    try:
        await keyring.mongo.database[PRIVATE].update_one({"_id": first_day.isoformat()}, {"$setOnInsert": row}, upsert=True)
    except DuplicateKeyError:  # another worker made it in the same moment
        return


async def _destroy_old(keyring: Keyring, today: date, lagging: Lagging) -> None:
    last = (today - DESTROYED_AFTER).isoformat()
    due = await keyring.mongo.find(PRIVATE, {"_id": {"$lte": last}})
    if not due:
        return
    if await lagging():
        log.error("sealing_keys_kept_for_lagging_consumer", keys=[row["key_id"] for row in due])
        return
    for row in due:
        await keyring.mongo.database[PRIVATE].delete_one({"_id": row["_id"], "key_id": row["key_id"]})
        log.info("sealing_key_destroyed", key_id=row["key_id"])


def _announce(
    uow: UnitOfWork, told: Mapping[str, Document], living: Iterable[Document], announcement: type[SealingKeyAnnouncement]
) -> int:
    """Tell followers of keys that they do not know, and take back those that are gone (a restored keyring lacks some)."""
    alive = {row["key_id"]: row for row in living}
    for key_id in alive.keys() - told.keys():
        uow.insert(ANNOUNCED, {"_id": key_id, "sequence": 1})
        uow.emit(announcement.model_validate(_fields(alive[key_id])), sequence=1)
    for key_id in told.keys() - alive.keys():
        uow.delete(ANNOUNCED, {"_id": key_id})
        uow.emit_tombstone(announcement.topic, key=key_id, sequence=told[key_id]["sequence"] + 1)
    return len(alive.keys() ^ told.keys())


def _fields(row: Document) -> dict[str, Any]:
    first_day = date.fromisoformat(row["_id"])
    return {
        "key_id": row["key_id"],
        "public_key": row["public_key"],
        "first_day": first_day,
        "used_until": first_day + WEEK - timedelta(days=1),
        "destroyed_on": first_day + DESTROYED_AFTER,
    }
