"""The access log: rows are added and read; nothing of them changes but in which block they are sealed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.mongo import Mongo
from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

from profiles.views.model import BLOCK, UNSEALED, Kind

COLLECTION = "accesses"
INDEXES = {
    COLLECTION: [
        IndexModel([("shown.subject", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([(BLOCK, ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("account", ASCENDING), ("at", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("organisation", ASCENDING), ("at", ASCENDING), ("_id", ASCENDING)]),
    ]
}
_NO_NUMBER = ["string", "object", "array", "binData", "objectId", "bool", "date", "null", "regex", "timestamp"]


@dataclass(frozen=True)
class Part:
    """What was shown of one person; only under their own key can be read what that was."""

    subject: str
    box: bytes


@dataclass(frozen=True)
class Access:
    """One row. Ids are UUIDv7, so they sort by the time at which they were made."""

    id: str
    at: datetime
    kind: Kind
    purpose: str
    account: str
    organisation: str
    organisation_name: str
    shown: tuple[Part, ...]


def add(uow: UnitOfWork, access: Access) -> None:
    """Add a row."""
    row = dict(vars(access))  # not asdict, which copies every text: each look at a person comes by here
    shown = [dict(vars(part)) for part in access.shown]
    uow.insert(COLLECTION, {"_id": row.pop("id"), **row, "shown": shown, BLOCK: UNSEALED})


async def find_of(reads: Reads, subject: str, *, before: str | None, limit: int) -> list[Access]:
    """Return the rows in which something of this person was shown, the newest first."""
    where: dict[str, Any] = {"shown.subject": subject, **({"_id": {"$lt": before}} if before else {})}
    return [_from_document(row) for row in await reads.find(COLLECTION, where, sort=[("_id", DESCENDING)], limit=limit)]


async def find_between(
    reads: Reads,
    who: Mapping[str, str],
    *,
    between: tuple[datetime, datetime],
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Access]:
    """Return the rows of an account, an organisation or both between two moments, the oldest first."""
    where: dict[str, Any] = {**who, "at": {"$gte": between[0], "$lte": between[1]}}
    if after:
        where["$or"] = [{"at": {"$gt": after[0]}}, {"at": after[0], "_id": {"$gt": after[1]}}]
    sort = [("at", ASCENDING), ("_id", ASCENDING)]
    return [_from_document(row) for row in await reads.find(COLLECTION, where, sort=sort, limit=limit)]


async def find_unsealed(reads: Reads, *, limit: int) -> list[Document]:
    """Return rows that no block holds yet, as they are stored: whatever was committed, however late."""
    return await reads.find(COLLECTION, {BLOCK: UNSEALED}, sort=[("_id", ASCENDING)], limit=limit)


async def count_unsealed(mongo: Mongo, *, limit: int) -> int:
    """Return how many rows no block holds yet, counted no further than `limit`."""
    return await mongo.count(COLLECTION, {BLOCK: UNSEALED}, limit=limit)


async def find_sealed(reads: Reads, first: int, last: int) -> list[Document]:
    """Return the rows that name a block between these two, as they are stored."""
    found = await reads.find(COLLECTION, {BLOCK: {"$gte": first, "$lt": last + 1}}, sort=[(BLOCK, ASCENDING), ("_id", ASCENDING)])
    return [row for row in found if not isinstance(row[BLOCK], list)]  # a list with such a number is found too, and is a stray


async def find_strays(reads: Reads, *, last: int, limit: int) -> list[Document]:
    """Return rows that are neither unsealed nor can lie in a block up to the last one."""
    outside: list[Mapping[str, Any]] = [
        {BLOCK: {"$lt": UNSEALED}},
        {BLOCK: {"$gt": UNSEALED, "$lt": 1}},
        {BLOCK: {"$gte": last + 1}},
        {BLOCK: None},
        {BLOCK: float("nan")},
        {BLOCK: {"$type": _NO_NUMBER}},
    ]
    return await reads.find(COLLECTION, {"$or": outside}, sort=[("_id", ASCENDING)], limit=limit)


def name_block(uow: UnitOfWork, ids: Iterable[str], block: int) -> None:
    """Let unsealed rows name the block that holds them from now on."""
    uow.update_many(COLLECTION, {"_id": {"$in": list(ids)}, BLOCK: UNSEALED}, {"$set": {BLOCK: block}})


def remove(uow: UnitOfWork, ids: Iterable[str]) -> None:
    """Remove rows whose term is over."""
    for row_id in ids:
        uow.delete(COLLECTION, {"_id": row_id})


def _from_document(row: Document) -> Access:
    same = {name: row[name] for name in ("at", "kind", "purpose", "account", "organisation", "organisation_name")}
    return Access(id=row["_id"], shown=tuple(Part(**one) for one in row["shown"]), **same)
