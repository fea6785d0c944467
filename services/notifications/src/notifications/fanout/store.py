"""Fan-outs that are under way: one row for each vacancy and share, with the search up to which it has come."""

from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

FANOUTS = "fanouts"
INDEXES = {FANOUTS: [IndexModel([("share", ASCENDING), ("_id", ASCENDING)]), IndexModel([("vacancy", ASCENDING)])]}


async def of_vacancy(reads: Reads, vacancy: str) -> list[Document]:
    """Return what is under way of a vacancy."""
    return await reads.find(FANOUTS, {"vacancy": vacancy})


async def of_share(reads: Reads, share: int) -> list[Document]:
    """Return what is under way in a share, the oldest vacancy first."""
    return await reads.find(FANOUTS, {"share": share}, sort=[("_id", ASCENDING)])


async def oldest(reads: Reads) -> Document | None:
    """Return the fan-out that has been under way for longest."""
    found = await reads.find(FANOUTS, {}, sort=[("at", ASCENDING)], limit=1)
    return found[0] if found else None


async def running(reads: Reads, row: Document) -> Document | None:
    """Return a fan-out as it stands, unless it has ended or its vacancy has changed since."""
    return await reads.find_one(FANOUTS, {"_id": row["_id"], "run": row["run"]})


def put(uow: UnitOfWork, row: dict[str, Any]) -> None:
    """Write a fan-out as it stands."""
    uow.replace(FANOUTS, row, upsert=True)


def remove(uow: UnitOfWork, row: Document) -> None:
    """End a fan-out."""
    uow.delete(FANOUTS, {"_id": row["_id"]})
