"""Saved searches in MongoDB: the person's own words encrypted, and beside them what vacancies are compared with."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from notifications.searches.model import SearchState

SEARCHES = "searches"
TURNS = "search_turns"
TURN_KEPT = timedelta(minutes=10)
"""Longer than any transaction; machine time and no domain term, so an index lets the rows go."""

INDEXES = {
    SEARCHES: [
        IndexModel([("subject", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("compared.form", ASCENDING)]),
        IndexModel([("bucket", ASCENDING)], partialFilterExpression={"state": SearchState.ACTIVE}),
    ],
    TURNS: [IndexModel([("at", ASCENDING)], expireAfterSeconds=int(TURN_KEPT.total_seconds()))],
}


async def search(reads: Reads, search_id: str) -> Document | None:
    """Return one search, whosever it is."""
    return await reads.find_one(SEARCHES, {"_id": search_id})


async def searches_of(reads: Reads, subject: str, *, after: str | None, limit: int) -> list[Document]:
    """Return a person's searches, oldest first, from behind `after`."""
    where: dict[str, Any] = {"subject": subject} | ({"_id": {"$gt": after}} if after else {})
    return await reads.find(SEARCHES, where, sort=[("_id", ASCENDING)], limit=limit)


def take_turn(uow: UnitOfWork, subject: str) -> None:
    """Let a person's new searches at once conflict, so that each counts those before it.

    Without the count two turns in one millisecond would write the same, which is no write and conflicts with nothing.
    """
    uow.update(TURNS, {"_id": subject}, {"$set": {"at": uow.clock.machine()}, "$inc": {"turns": 1}}, upsert=True)


def add(uow: UnitOfWork, document: Document) -> None:
    """Add a new search."""
    uow.insert(SEARCHES, document)


def save(uow: UnitOfWork, document: Document) -> int:
    """Write a search that was read in this unit of work; return its new sequence."""
    return uow.save(SEARCHES, document)


def remove(uow: UnitOfWork, search_id: str) -> None:
    """Remove a search."""
    uow.delete(SEARCHES, {"_id": search_id})


async def remove_all(uow: UnitOfWork, subject: str) -> int:
    """Remove all searches of a person and return how many there were."""
    found = await uow.find(SEARCHES, {"subject": subject})
    for row in found:
        uow.delete(SEARCHES, {"_id": row["_id"]})
    uow.delete(TURNS, {"_id": subject})
    return len(found)


async def of_earlier_form(reads: Reads, *, limit: int) -> list[Document]:
    """Return searches that were saved before there was a form."""
    return await reads.find(SEARCHES, {"compared.form": None}, limit=limit)


async def in_buckets(reads: Reads, buckets: Sequence[int]) -> list[Document]:
    """Return of the active searches of these buckets what vacancies are compared with."""
    where = {"bucket": {"$in": list(buckets)}, "state": SearchState.ACTIVE}
    return await reads.find(SEARCHES, where, fields=("state", "compared"))


async def among(reads: Reads, ids: Sequence[str], *, compared: bool) -> list[Document]:
    """Return those of these searches for which mails are wanted: what decides if and when to tell, and `compared` if asked."""
    fields = ("subject", "since", "frequency", "hour", "weekday", *(("compared",) if compared else ()))
    return await reads.find(SEARCHES, {"_id": {"$in": list(ids)}, "state": SearchState.ACTIVE}, fields=fields)
