"""Data keys: one for each (subject, retention class), so that ending a class is destroying one key.

They lie wrapped in a keyring database of their own. A destroyed key's row stays as a marker without a key, so that nobody
makes it again; an erased subject gets no keys at all. Processes keep keys for at most `CACHED`: that is how long a key can
still be used anywhere after it was destroyed.

The keyring is outside the business transaction. A key is made before the write that needs it (an abandoned write leaves a
key that opens nothing), and destroyed after the commit that says so (`destruction.py`).
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from chassis.bounded import Bounded
from chassis.crypto import KEY_BYTES, DataKey
from chassis.ids import random_bytes
from chassis.master import MasterKeys
from chassis.mongo import Indexes, Mongo
from chassis.uow import Document

KEYS: Final = "data_keys"
ERASED: Final = "erased_subjects"
INDEXES: Final[Indexes] = {KEYS: [IndexModel([("subject", ASCENDING)])]}
CACHED: Final = timedelta(seconds=60)
_DUPLICATE: Final = 11000
Owner = tuple[str, str]
"""A subject and a retention class."""


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

    def __init__(self, mongo: Mongo, masters: MasterKeys, *, cache_size: int = 10_000) -> None:
        self.mongo = mongo
        self.masters = masters
        self._cache: Bounded[Owner, DataKey] = Bounded(cache_size, CACHED)
        self._forgotten = 0

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
        for owner, key in loaded.items():
            if isinstance(key, NoKeyError):
                raise key
            held[owner] = key
        return held

    async def existing(self, subject: str, klass: str) -> DataKey:
        """Return the key to read with.

        Raises:
            KeyMissingError: It was never made.
            KeyDestroyedError: It was destroyed, or (SubjectErasedError) the subject was erased.
        """
        key = self._cache.get((subject, klass), self.mongo.clock.machine())
        if key is not None:
            return key
        found = (await self._load([(subject, klass)]))[(subject, klass)]
        if isinstance(found, NoKeyError):
            raise found
        return found

    async def many(self, owners: Iterable[Owner]) -> dict[Owner, DataKey]:
        """Return the keys of many at once, to show a page of people; who has none is left out."""
        held, loaded = await self._held_and_loaded(owners)
        return held | {owner: key for owner, key in loaded.items() if isinstance(key, DataKey)}

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

    async def _make(self, owners: Iterable[Owner]) -> None:
        """Offer a key for each; where somebody made one in the same moment, theirs stays and is read back."""
        now = self.mongo.clock.machine()
        offers = []
        for subject, klass in owners:
            name = row_id(subject, klass)
            row = {"subject": subject, "class": klass, "made": now} | self.masters.wrap(random_bytes(KEY_BYTES), owner=name)
            offers.append(UpdateOne({"_id": name}, {"$setOnInsert": row}, upsert=True))
        try:
            await self.mongo.database[KEYS].bulk_write(offers, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != _DUPLICATE for one in (error.details or {}).get("writeErrors", [{"code": None}])):
                raise

    async def _held_and_loaded(self, owners: Iterable[Owner]) -> tuple[dict[Owner, DataKey], dict[Owner, DataKey | NoKeyError]]:
        """Return what lies in the cache, and what the rest is found to be."""
        now = self.mongo.clock.machine()
        wanted = dict.fromkeys(owners)
        held = {owner: key for owner in wanted if (key := self._cache.get(owner, now)) is not None}
        return held, await self._load([owner for owner in wanted if owner not in held])

    async def _load(self, owners: list[Owner]) -> dict[Owner, DataKey | NoKeyError]:
        if not owners:
            return {}
        forgotten = self._forgotten
        asked = self.mongo.clock.machine()  # before the reads: a key is never used longer than CACHED after they were true
        rows, erased = await asyncio.gather(
            self.mongo.find(KEYS, {"_id": {"$in": [row_id(*owner) for owner in owners]}}),
            self.mongo.find(ERASED, {"_id": {"$in": [subject for subject, _ in owners]}}),
        )
        by_id, gone = {row["_id"]: row for row in rows}, {row["_id"] for row in erased}
        found = {owner: self._judge(owner, by_id.get(row_id(*owner)), erased=owner[0] in gone) for owner in owners}
        for owner, key in found.items():
            if isinstance(key, DataKey) and forgotten == self._forgotten:  # else it may have been destroyed while this read it
                self._cache.put(owner, key, asked)
        return found

    def _judge(self, owner: Owner, row: Document | None, *, erased: bool) -> DataKey | NoKeyError:
        name = row_id(*owner)
        if erased:
            return SubjectErasedError(f"{owner[0]} was erased")
        if row is None:
            return KeyMissingError(f"{name} has no key")
        if row.get("destroyed") is not None:
            return KeyDestroyedError(f"the key of {name} was destroyed")
        return DataKey(self.masters.unwrap(row, owner=name))


def row_id(subject: str, klass: str) -> str:
    """Return the name of a key; a class is a plain name, so that two keys cannot share one."""
    if ":" in klass or not subject or not klass:
        raise ValueError("a retention class is a plain name without colon")
    return f"{subject}:{klass}"
