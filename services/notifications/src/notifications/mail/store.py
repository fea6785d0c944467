"""The queue and log of mails in MongoDB: one document per cause, kept after sending without its content.

A queued mail is due at `due_at` (machine time). Claiming moves `due_at` to the end of the lease and leaves a token; every later
write of the holder filters on that token, so a sender that was stopped and woken changes nothing any more.
"""

from datetime import datetime
from typing import Any

from chassis.mongo import Mongo
from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from notifications.mail.model import State

MAILS = "mails"
MOST_COUNTED = 10_000
INDEXES = {
    MAILS: [
        IndexModel([("due_at", ASCENDING)], partialFilterExpression={"state": State.QUEUED}),
        IndexModel([("asked_at", ASCENDING)], partialFilterExpression={"state": State.QUEUED}),
        IndexModel([("subject", ASCENDING), ("asked_at", ASCENDING)]),
    ]
}
_CONTENT = ("facts", "details", "language", "target", "tags", "due_at", "lease", "marked_at", "waits_for", "dark")


def _due(now: datetime) -> dict[str, Any]:
    return {"state": State.QUEUED, "due_at": {"$lte": now}}


async def mail(reads: Reads, cause: str) -> Document | None:
    """Return the mail of a cause."""
    return await reads.find_one(MAILS, {"_id": cause})


async def waiting(mongo: Mongo, now: datetime) -> tuple[int, datetime | None]:
    """Return how many mails wait, counted no further than `MOST_COUNTED`, and since when the latest is due."""
    count = await mongo.count(MAILS, {"state": State.QUEUED, "due_at": {"$exists": True}}, limit=MOST_COUNTED)
    due = await mongo.find(MAILS, _due(now), sort=[("due_at", ASCENDING)], limit=1)
    return count, due[0]["due_at"] if due else None


async def count_due(mongo: Mongo, now: datetime, *, limit: int) -> int:
    """Return how many mails can be claimed, counted no further than `limit`."""
    return await mongo.count(MAILS, _due(now), limit=limit)


async def any_due(reads: Reads, now: datetime) -> bool:
    """Tell whether a mail can be claimed."""
    return await reads.find_one(MAILS, _due(now)) is not None


async def claim(uow: UnitOfWork, *, now: datetime, until: datetime, token: str, limit: int) -> list[Document]:
    """Take the mails that have been due longest, until the lease's end."""
    found = await uow.find(MAILS, _due(now), sort=[("due_at", ASCENDING)], limit=limit)
    for row in found:
        row["attempts"] += 1
        uow.update(MAILS, {"_id": row["_id"]}, {"$set": {"lease": token, "due_at": until}, "$inc": {"attempts": 1}})
    return found


async def held(uow: UnitOfWork, cause: str, token: str) -> Document | None:
    """Return a claimed mail if the token still holds it."""
    return await uow.find_one(MAILS, {"_id": cause, "state": State.QUEUED, "lease": token})


def offer(uow: UnitOfWork, document: Document) -> None:
    """Queue a mail unless its cause was queued before."""
    uow.offer(MAILS, document)


def mark(uow: UnitOfWork, cause: str, at: datetime) -> None:
    """Write that the message is about to be handed over."""
    uow.update(MAILS, {"_id": cause}, {"$set": {"marked_at": at}})


def put_back(uow: UnitOfWork, cause: str, *, due_at: datetime, reason: str, waits_for: str | None) -> None:
    """Let a mail be tried again later; whether it was taken is certain, so a mark is taken off."""
    change = {"due_at": due_at, "reason": reason, "waits_for": waits_for}
    uow.update(MAILS, {"_id": cause}, {"$set": change, "$unset": {"lease": "", "marked_at": ""}})


def end(uow: UnitOfWork, cause: str, fields: dict[str, Any]) -> None:
    """Write how a mail ended, and remove its content."""
    uow.update(MAILS, {"_id": cause}, {"$set": fields, "$unset": dict.fromkeys(_CONTENT, "")})


def hurry(uow: UnitOfWork, subject: str, *, waits_for: str, now: datetime) -> None:
    """Make a person's mails due that wait for something that has come."""
    uow.update_many(MAILS, {"subject": subject, "state": State.QUEUED, "waits_for": waits_for}, {"$set": {"due_at": now}})


async def of_subject(reads: Reads, subject: str) -> list[Document]:
    """Return all mails to a person, sent or not."""
    return await reads.find(MAILS, {"subject": subject})


def remove(uow: UnitOfWork, cause: str) -> None:
    """Drop a mail. Whoever is about to hand it over holds it no longer."""
    uow.delete(MAILS, {"_id": cause})


async def overdue(reads: Reads, *, asked_before: datetime, now: datetime, limit: int) -> list[Document]:
    """Return queued mails that nobody holds and that were asked for too long ago."""
    old = {"state": State.QUEUED, "asked_at": {"$lte": asked_before}, "$or": [{"lease": None}, {"due_at": {"$lte": now}}]}
    return await reads.find(MAILS, old, limit=limit)
