"""Data keys: one for each (subject, retention class), so that ending a class is destroying one key.

They lie wrapped in a keyring database of their own. A destroyed key's row stays as a marker without a key, so that nobody
makes it again; an erased subject gets no keys at all. Processes keep keys for at most `CACHED`, and ask each second which
were destroyed (`follow`): so one is unusable everywhere within a second or two, and within `CACHED` whatever fails.

The keyring is outside the business transaction. A key is made before the write that needs it (an abandoned write leaves a
key that opens nothing), and destroyed after the commit that says so (`destruction.py`).
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from chassis.bounded import Bounded
from chassis.crypto import KEY_BYTES, DataKey
from chassis.ids import random_bytes
from chassis.keyservice import KeyService, KeyServiceError, Secret, Trouble
from chassis.mongo import Indexes, Mongo
from chassis.uow import Document
from chassis.wrapped import DATA_KEYS, UnusableKeyError, unwrap, wrap

KEYS: Final = DATA_KEYS
ERASED: Final = "erased_subjects"
INDEXES: Final[Indexes] = {
    KEYS: [
        IndexModel([("subject", ASCENDING)]),
        IndexModel([("destroyed", ASCENDING)], partialFilterExpression={"destroyed": {"$type": "date"}}),
    ]
}
CACHED: Final = timedelta(seconds=60)
OVERLAP: Final = timedelta(seconds=60)
"""A destruction is seen when it is majority-committed, and was stamped before that, by another machine's clock."""
_DUPLICATE: Final = 11000
Owner = tuple[str, str]
"""A subject and a retention class."""
log = structlog.get_logger()


class NoKeyError(Exception):
    """There is no key for this subject and class: what it encrypted is dark, and nothing new can be kept under it."""

    loggable = True


class KeyMissingError(NoKeyError):
    """No key was ever made."""


class KeyDestroyedError(NoKeyError):
    """The key was destroyed and is never made again."""


class SubjectErasedError(KeyDestroyedError):
    """The subject was erased: nothing is created for it any more."""


class Keyring:
    """The data keys of one service. Ask it for a key at each use and do not keep the answer: the cache is what is bounded."""

    def __init__(self, mongo: Mongo, masters: KeyService, *, cache_size: int = 10_000) -> None:
        self.mongo = mongo
        self.masters = masters
        self._cache: Bounded[Owner, DataKey] = Bounded(cache_size, CACHED)
        self._forgotten = 0
        self._heard: dict[Owner, datetime] = {}
        self._heard_until = mongo.clock.machine()

    async def key(self, subject: str, klass: str) -> DataKey:
        """Return the key to write with; it is made on first use, the same one for everybody who asks at once.

        Raises:
            KeyDestroyedError: It was destroyed, or (SubjectErasedError) the subject was erased.
        """
        try:
            return await self.existing(subject, klass)
        except KeyMissingError:
            await self._make([(subject, klass)])
            return await self.existing(subject, klass)

    async def keys(self, owners: Iterable[Owner]) -> dict[Owner, DataKey]:
        """Return the keys to write with of many at once: a few calls, however many there are and have to be made.

        Raises:
            KeyDestroyedError: One of them was destroyed, or (SubjectErasedError) one of the subjects was erased.
        """
        held, loaded = await self._held_and_loaded(owners)
        missing = [owner for owner, key in loaded.items() if isinstance(key, KeyMissingError)]
        if missing:
            await self._make(missing)
            loaded |= await self._load(missing)
        return held | {owner: _usable(key) for owner, key in loaded.items()}

    async def existing(self, subject: str, klass: str) -> DataKey:
        """Return the key to read with.

        Raises:
            KeyMissingError: It was never made.
            KeyDestroyedError: It was destroyed, or (SubjectErasedError) the subject was erased.
            UnusableKeyError: It is there and does not open.
        """
        key = self._cache.get((subject, klass), self.mongo.clock.machine())
        if key is not None:
            return key
        return _usable((await self._load([(subject, klass)]))[(subject, klass)])

    async def many(self, owners: Iterable[Owner]) -> dict[Owner, DataKey]:
        """Return the keys to read with of many at once; who has none is left out.

        Raises:
            UnusableKeyError: One of them is there and does not open.
        """
        held, loaded = await self._held_and_loaded(owners)
        return held | {owner: _usable(key) for owner, key in loaded.items() if not isinstance(key, NoKeyError)}

    async def prepare(self, owners: Iterable[Owner]) -> None:
        """Load keys that will each be asked for, in a few calls; whoever asks is told which of them do not open."""
        await self._held_and_loaded(owners)

    async def destroy(self, subject: str, klass: str) -> None:
        """Destroy a key, or forbid one that was never made. Harmless when repeated."""
        await self.mongo.database[KEYS].update_one(
            {"_id": row_id(subject, klass)},
            {
                "$unset": {"wrapped": "", "epoch": "", "made": ""},
                "$min": {"destroyed": self.mongo.clock.machine()},  # the first time stays
                "$setOnInsert": {"subject": subject, "class": klass},
            },
            upsert=True,
        )
        self.forget(subject, klass)

    async def erase(self, subject: str) -> None:
        """Destroy all keys of a subject and refuse to make any again. Harmless when repeated."""
        now = self.mongo.clock.machine()
        # First the list, then the keys: who makes a key between the two looks at the list afterwards (`_load`).
        await self.mongo.database[ERASED].update_one({"_id": subject}, {"$setOnInsert": {"erased": now}}, upsert=True)
        for row in await self.mongo.find(KEYS, {"subject": subject, "destroyed": None}):
            await self.destroy(subject, row["class"])

    async def is_erased(self, subject: str) -> bool:
        """Tell whether the subject was erased."""
        return await self.mongo.find_one(ERASED, {"_id": subject}) is not None

    def forget(self, subject: str, klass: str) -> None:
        """Drop a key from this process's cache."""
        self._forgotten += 1
        self._cache.drop((subject, klass))

    async def follow(self, every: timedelta) -> None:
        """Forget what other processes destroy, until cancelled; while the database is away the cache's bound stands."""
        while True:
            try:
                await self.forget_destroyed()
            except PyMongoError as error:
                log.warning("destroyed_keys_not_read", error=type(error).__name__)
            await asyncio.sleep(every.total_seconds())

    async def forget_destroyed(self) -> None:
        """Forget the keys that were destroyed since the last look."""
        looked, since = self.mongo.clock.machine(), self._heard_until - OVERLAP
        fields = {"subject": 1, "class": 1, "destroyed": 1}
        rows = await self.mongo.database[KEYS].find({"destroyed": {"$type": "date", "$gte": since}}, fields).to_list(None)
        seen = {(row["subject"], row["class"]): row["destroyed"] for row in rows}
        for owner in seen.keys() - self._heard.keys():
            self.forget(*owner)
        self._heard, self._heard_until = seen, max(self._heard_until, looked)

    async def is_served(self) -> bool:
        """Tell whether the key service answers; it raises when it does not."""
        await self.masters.held()
        return True

    async def close(self) -> None:
        """Close all connections."""
        await self.mongo.close()
        await self.masters.close()

    async def _make(self, owners: Sequence[Owner]) -> None:
        """Offer a key for each; where somebody made one in the same moment, theirs stays and is read back."""
        now = self.mongo.clock.machine()
        wrapped = await wrap(self.mongo, self.masters, [Secret(row_id(*owner), random_bytes(KEY_BYTES)) for owner in owners])
        offers = [
            UpdateOne(
                {"_id": row_id(subject, klass)},
                {"$setOnInsert": {"subject": subject, "class": klass, "made": now, **row}},
                upsert=True,
            )
            for (subject, klass), row in zip(owners, wrapped, strict=True)
        ]
        try:
            await self.mongo.database[KEYS].bulk_write(offers, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != _DUPLICATE for one in (error.details or {}).get("writeErrors", [{"code": None}])):
                raise
        await self._take_back(wrapped)

    async def _take_back(self, wrapped: Sequence[Document]) -> None:
        """Remove what this process wrote so late that its master key was gone by then: nobody can ever have opened it."""
        held = {epoch.name for epoch in await self.masters.held()}
        late = [row["wrapped"] for row in wrapped if row["epoch"] not in held]
        if late:
            await self.mongo.database[KEYS].delete_many({"epoch": {"$gt": "", "$nin": sorted(held)}, "wrapped": {"$in": late}})
            raise KeyServiceError(Trouble.AWAY)

    async def _held_and_loaded(self, owners: Iterable[Owner]) -> tuple[dict[Owner, DataKey], dict[Owner, "Found"]]:
        """Return what lies in the cache, and what the rest is found to be."""
        now = self.mongo.clock.machine()
        wanted = dict.fromkeys(owners)
        held = {owner: key for owner in wanted if (key := self._cache.get(owner, now)) is not None}
        return held, await self._load([owner for owner in wanted if owner not in held])

    async def _load(self, owners: list[Owner]) -> dict[Owner, "Found"]:
        if not owners:
            return {}
        forgotten = self._forgotten
        asked = self.mongo.clock.machine()  # before the reads: a key is never used longer than CACHED after they were true
        rows, erased = await asyncio.gather(
            self.mongo.find(KEYS, {"_id": {"$in": [row_id(*owner) for owner in owners]}}),
            self.mongo.find(ERASED, {"_id": {"$in": [subject for subject, _ in owners]}}),
        )
        by_id, gone = {row["_id"]: row for row in rows}, {row["_id"] for row in erased}
        judged = {owner: _judge(owner, by_id.get(row_id(*owner)), erased=owner[0] in gone) for owner in owners}
        alive = {owner: row for owner, row in judged.items() if not isinstance(row, NoKeyError)}
        opened = zip(alive, await unwrap(self.masters, KEYS, list(alive.values())), strict=True)
        usable: dict[Owner, Found] = {owner: DataKey(raw) if isinstance(raw, bytes) else raw for owner, raw in opened}
        for owner, key in usable.items():
            if isinstance(key, DataKey) and forgotten == self._forgotten:  # else it may have been destroyed while this read it
                self._cache.put(owner, key, asked)
        return {owner: row if isinstance(row, NoKeyError) else usable[owner] for owner, row in judged.items()}


Found = DataKey | NoKeyError | UnusableKeyError
"""What asking for a key comes to."""


def _usable(found: Found) -> DataKey:
    if isinstance(found, Exception):
        raise found
    return found


def _judge(owner: Owner, row: Document | None, *, erased: bool) -> Document | NoKeyError:
    """Return the row of a key that lives."""
    name = row_id(*owner)
    if erased:
        return SubjectErasedError(f"{owner[0]} was erased")
    if row is None:
        return KeyMissingError(f"{name} has no key")
    if row.get("destroyed") is not None:
        return KeyDestroyedError(f"the key of {name} was destroyed")
    return row


def row_id(subject: str, klass: str) -> str:
    """Return the name of a key; a class is a plain name, so that two keys cannot share one."""
    if ":" in klass or not subject or not klass:
        raise ValueError("a retention class is a plain name without colon")
    return f"{subject}:{klass}"
