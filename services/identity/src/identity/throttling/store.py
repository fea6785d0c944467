"""Failure counters in MongoDB. They are machine time and no domain term, so an index lets them go after a day of quiet."""

from dataclasses import dataclass
from datetime import datetime

from chassis.uow import Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from identity.throttling.model import FORGOTTEN_AFTER

COUNTERS = "throttles"
INDEXES = {
    COUNTERS: [IndexModel([("seen_at", ASCENDING)], expireAfterSeconds=int(FORGOTTEN_AFTER.total_seconds()))],
}


@dataclass(frozen=True)
class Counter:
    """The failures in a row under one keyed hash, and until when nobody may try again."""

    id: str
    failures: int = 0
    blocked_until: datetime | None = None


async def counters(reads: Reads, ids: list[str]) -> dict[str, Counter]:
    """Return the counters, zero for those that are not kept."""
    rows = await reads.find(COUNTERS, {"_id": {"$in": ids}})
    found = {row["_id"]: Counter(row["_id"], row["failures"], row["blocked_until"]) for row in rows}
    return {one: found.get(one, Counter(one)) for one in ids}


def put(uow: UnitOfWork, counter: Counter, now: datetime) -> None:
    """Keep a counter."""
    row = {"_id": counter.id, "failures": counter.failures, "blocked_until": counter.blocked_until, "seen_at": now}
    uow.replace(COUNTERS, row, upsert=True)


def clear(uow: UnitOfWork, counter_id: str) -> None:
    """Forget the failures."""
    uow.delete(COUNTERS, {"_id": counter_id})
