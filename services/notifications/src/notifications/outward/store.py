"""What is kept for systems outside, in MongoDB: ids, times, counts. Whose a handle is stands in one row, which goes with them."""

from datetime import datetime
from typing import Any

from chassis.mongo import Indexes, Mongo
from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from notifications.outward.model import ForgetState, HandleState

HANDLES = "outward_handles"
PEOPLE = "outward_people"
ORGANISATIONS = "outward_organisations"
FOLLOWERS = "followers"
FORGETS = "forgets"
OPEN = {"state": ForgetState.OPEN}

INDEXES: Indexes = {
    HANDLES: [IndexModel([("gone_at", ASCENDING)], partialFilterExpression={"state": HandleState.GONE})],
    FORGETS: [
        IndexModel([("next_at", ASCENDING)], partialFilterExpression=OPEN),
        IndexModel([("organisation", ASCENDING), ("handle", ASCENDING)], partialFilterExpression=OPEN),
        IndexModel([("handle", ASCENDING)], partialFilterExpression=OPEN),
    ],
}


async def handle_of(reads: Reads, subject: str) -> str | None:
    """Return the handle under which systems outside know a person now, or None."""
    found = await reads.find_one(PEOPLE, {"_id": subject})
    return None if found is None else str(found["handle"])


def put_person(uow: UnitOfWork, subject: str, handle: str) -> None:
    """Write under which handle a person is known."""
    uow.replace(PEOPLE, {"_id": subject, "handle": handle}, upsert=True)


def remove_person(uow: UnitOfWork, subject: str) -> None:
    """Forget under which handle a person was known."""
    uow.delete(PEOPLE, {"_id": subject})


async def handle(reads: Reads, name: str) -> Document:
    """Return a handle as it was told last; one that nobody was told of has the sequence 0."""
    return await reads.find_one(HANDLES, {"_id": name}) or {"_id": name, "sequence": 0, "state": None}


async def gone_handles(reads: Reads, *, before: datetime, limit: int) -> list[Document]:
    """Return the handles that had to be forgotten by a moment."""
    where = {"state": HandleState.GONE, "gone_at": {"$lte": before}}
    return await reads.find(HANDLES, where, sort=[("gone_at", ASCENDING)], limit=limit)


def save(uow: UnitOfWork, collection: str, row: Document) -> int:
    """Write a row that has a sequence, new or not, and return its new sequence."""
    if row["sequence"]:
        return uow.save(collection, row)
    row["sequence"] = 1
    uow.insert(collection, row)
    return 1


async def organisation(reads: Reads, name: str) -> Document | None:
    """Return what is known of an organisation: `display`, `access`, `administrators`."""
    return await reads.find_one(ORGANISATIONS, {"_id": name})


def put_organisation(uow: UnitOfWork, name: str, fields: dict[str, Any]) -> None:
    """Write an organisation as it is now."""
    uow.replace(ORGANISATIONS, {"_id": name, **fields}, upsert=True)


def remove_organisation(uow: UnitOfWork, name: str) -> None:
    """Forget an organisation."""
    uow.delete(ORGANISATIONS, {"_id": name})


async def follower(reads: Reads, organisation: str) -> Document | None:
    """Return the row of an organisation whose systems were let in: `reads_bank`, what was last set at Kafka."""
    return await reads.find_one(FOLLOWERS, {"_id": organisation})


async def followers(reads: Reads) -> list[Document]:
    """Return every organisation whose systems were let in, with `access`: whether it may see the bank."""
    rows = await reads.find(FOLLOWERS, {}, sort=[("_id", ASCENDING)])
    names = [row["_id"] for row in rows]
    allowed = {one["_id"] for one in await reads.find(ORGANISATIONS, {"_id": {"$in": names}, "access": True})}
    return [{**row, "access": row["_id"] in allowed} for row in rows]


def put_follower(uow: UnitOfWork, organisation: str, *, reads_bank: bool) -> None:
    """Write that an organisation's systems were let in, and whether to the bank's topic too."""
    uow.replace(FOLLOWERS, {"_id": organisation, "reads_bank": reads_bank}, upsert=True)


def remove_follower(uow: UnitOfWork, organisation: str) -> None:
    """Forget that an organisation's systems were let in."""
    uow.delete(FOLLOWERS, {"_id": organisation})


async def forget(reads: Reads, organisation: str, name: str) -> Document | None:
    """Return what an organisation was asked about a handle, whatever came of it."""
    return await reads.find_one(FORGETS, {"_id": f"{organisation}:{name}"})


async def open_forgets(reads: Reads, where: dict[str, Any], *, limit: int = 0) -> list[Document]:
    """Return what was asked and is not acknowledged, by organisation and handle."""
    return await reads.find(FORGETS, OPEN | where, sort=[("organisation", ASCENDING), ("handle", ASCENDING)], limit=limit)


async def due_forgets(mongo: Mongo, *, now: datetime, limit: int) -> list[Document]:
    """Return those of them that somebody has to be reminded of or that are late by now."""
    return await mongo.find(FORGETS, OPEN | {"next_at": {"$lte": now}}, sort=[("next_at", ASCENDING)], limit=limit)
