"""Signing keys in MongoDB. `number` is unique, so that two workers cannot both make the next key."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from identity.keys.model import KeyTimes

KEYS = "signing_keys"
INDEXES = {KEYS: [IndexModel([("number", ASCENDING)], unique=True)]}


@dataclass(frozen=True)
class StoredKey:
    """One key pair. `x` is the public half (base64url), `private` is encrypted under a data key of the key's own."""

    id: str
    number: int
    times: KeyTimes
    x: str
    private: bytes


async def newest(reads: Reads) -> StoredKey | None:
    """Return the key that was made last."""
    found = await reads.find(KEYS, {}, sort=[("number", -1)], limit=1)
    return _key(found[0]) if found else None


async def valid_at(reads: Reads, now: datetime) -> list[StoredKey]:
    """Return all keys that are valid now or will be, the newest first."""
    return [_key(row) for row in await reads.find(KEYS, {"valid_until": {"$gt": now}}, sort=[("number", -1)])]


async def outlived(reads: Reads, now: datetime) -> list[StoredKey]:
    """Return the keys that nobody accepts any more."""
    return [_key(row) for row in await reads.find(KEYS, {"valid_until": {"$lte": now}})]


def add(uow: UnitOfWork, key: StoredKey) -> None:
    """Keep a new key."""
    uow.insert(KEYS, _document(key))


def remove(uow: UnitOfWork, key: StoredKey) -> None:
    """Drop a key."""
    uow.delete(KEYS, {"_id": key.id})


def _document(key: StoredKey) -> Document:
    row: dict[str, Any] = {"_id": key.id, "number": key.number, "x": key.x, "private": key.private}
    return {**row, **asdict(key.times), "valid_until": key.times.valid_until}


def _key(row: Document) -> StoredKey:
    times = KeyTimes(use_from=row["use_from"], use_until=row["use_until"])
    return StoredKey(id=row["_id"], number=row["number"], times=times, x=row["x"], private=row["private"])
