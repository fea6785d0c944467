"""Signing keys of the access log in MongoDB. `number` is unique, so that two workers cannot both make the next one."""

from dataclasses import dataclass
from datetime import datetime

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

KEYS = "access_log_keys"
INDEXES = {KEYS: [IndexModel([("number", ASCENDING)], unique=True)]}


@dataclass(frozen=True)
class StoredKey:
    """One pair. The row outlives its private half, which only the key ring opens, for what it signed is checked for years.

    `mac` is the service's own word that the public half is its own: whoever can only write into databases cannot give it.
    """

    id: str
    number: int
    made: datetime
    public: bytes
    mac: str
    private: bytes


async def newest(reads: Reads) -> StoredKey | None:
    """Return the key that was made last."""
    found = await reads.find(KEYS, {}, sort=[("number", DESCENDING)], limit=1)
    return _key(found[0]) if found else None


async def every(reads: Reads) -> list[StoredKey]:
    """Return all keys that there ever were: one for some months."""
    return [_key(row) for row in await reads.find(KEYS, {}, sort=[("number", ASCENDING)])]


def add(uow: UnitOfWork, key: StoredKey) -> None:
    """Keep a new key."""
    row = dict(vars(key))
    uow.insert(KEYS, {"_id": row.pop("id"), **row})


def _key(row: Document) -> StoredKey:
    same = {name: row[name] for name in ("number", "made", "public", "mac", "private")}
    return StoredKey(id=row["_id"], **same)
