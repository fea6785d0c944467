"""News in MongoDB. A row stays after its mail: it is what keeps a vacancy from being told twice."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from notifications.news.model import State

NEWS = "news"
INDEXES = {
    NEWS: [
        IndexModel([("subject", ASCENDING)]),
        IndexModel([("mail", ASCENDING)], partialFilterExpression={"mail": {"$type": "string"}}),
        IndexModel([("vacancy", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"state": State.NOW}),
        IndexModel([("due", ASCENDING), ("search", ASCENDING)], partialFilterExpression={"state": State.COLLECTED}),
        IndexModel([("on", ASCENDING)]),
    ]
}


async def known(reads: Reads, ids: Iterable[str]) -> dict[str, Document]:
    """Return those of these rows that there are, by id."""
    return {row["_id"]: row for row in await reads.find(NEWS, {"_id": {"$in": list(ids)}})}


def add(uow: UnitOfWork, row: dict[str, Any]) -> None:
    """Add a row that there was not. Of two at once one transaction runs again and sees the other's."""
    uow.insert(NEWS, row)


def put(uow: UnitOfWork, row: dict[str, Any]) -> None:
    """Write a row that was read in this unit of work."""
    uow.replace(NEWS, row)


async def next_vacancy(reads: Reads, after: str) -> str | None:
    """Return the next vacancy behind `after` of which somebody has to be told now."""
    found = await reads.find(NEWS, {"state": State.NOW, "vacancy": {"$gt": after}}, sort=[("vacancy", ASCENDING)], limit=1)
    return str(found[0]["vacancy"]) if found else None


async def of_vacancy(reads: Reads, vacancy: str, *, limit: int) -> list[Document]:
    """Return rows of a vacancy that are to be told now."""
    return await reads.find(NEWS, {"state": State.NOW, "vacancy": vacancy}, sort=[("_id", ASCENDING)], limit=limit)


async def due(reads: Reads, now: datetime, *, limit: int) -> list[Document]:
    """Return collected rows whose hour has come, the longest due first, those of a search together."""
    order = [("due", ASCENDING), ("search", ASCENDING)]
    return await reads.find(NEWS, {"state": State.COLLECTED, "due": {"$lte": now}}, sort=order, limit=limit)


async def collected(reads: Reads, search: str, due_on: datetime) -> list[Document]:
    """Return what one digest tells."""
    return await reads.find(NEWS, {"state": State.COLLECTED, "due": due_on, "search": search})


async def of_mail(reads: Reads, cause: str) -> list[Document]:
    """Return what a mail tells, in the order of the vacancies' ids."""
    return await reads.find(NEWS, {"mail": cause}, sort=[("vacancy", ASCENDING)])


async def of_subject(reads: Reads, subject: str) -> list[Document]:
    """Return all that a person was or is to be told."""
    return await reads.find(NEWS, {"subject": subject})


async def old(reads: Reads, *, before: str, limit: int) -> list[Document]:
    """Return rows from before a day."""
    return await reads.find(NEWS, {"on": {"$lt": before}}, sort=[("on", ASCENDING)], limit=limit)


def remove(uow: UnitOfWork, row: Document) -> None:
    """Forget a row."""
    uow.delete(NEWS, {"_id": row["_id"]})
