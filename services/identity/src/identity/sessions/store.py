"""Sessions in MongoDB. A row is swapped whole, guarded by its sequence: of two refreshes at once one wins, one looks again."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from identity.sessions.model import EndReason, Session

SESSIONS = "sessions"
INDEXES = {
    SESSIONS: [
        IndexModel([("account", ASCENDING)]),
        IndexModel([("organisation", ASCENDING)]),
        IndexModel([("over_at", ASCENDING)]),
        IndexModel([("ended_at", ASCENDING)], partialFilterExpression={"ended_at": {"$type": "date"}}),
    ],
}


async def session(reads: Reads, session_id: str) -> Session | None:
    """Return a session."""
    row = await reads.find_one(SESSIONS, {"_id": session_id})
    return _session(row) if row else None


async def open_sessions(reads: Reads, where: dict[str, Any], now: datetime) -> list[Session]:
    """Return the sessions that have not ended, the youngest first."""
    found = await reads.find(SESSIONS, {**where, "ended_at": None, "over_at": {"$gt": now}}, sort=[("started_at", -1)])
    return [_session(row) for row in found]


async def of_account(reads: Reads, account: str) -> list[Session]:
    """Return all sessions of an account, ended or not."""
    return [_session(row) for row in await reads.find(SESSIONS, {"account": account})]


async def over(reads: Reads, before: datetime, limit: int) -> list[Session]:
    """Return sessions that were over before that moment."""
    where = {"$or": [{"over_at": {"$lt": before}}, {"ended_at": {"$type": "date", "$lt": before}}]}
    return [_session(row) for row in await reads.find(SESSIONS, where, limit=limit)]


def add(uow: UnitOfWork, new: Session) -> None:
    """Keep a new session."""
    uow.insert(SESSIONS, _row(new))


def save(uow: UnitOfWork, changed: Session) -> int:
    """Keep a changed session and return its new sequence."""
    return uow.save(SESSIONS, _row(changed))


def remove(uow: UnitOfWork, one: Session) -> None:
    """Drop a session. Its id is never used again."""
    uow.delete(SESSIONS, {"_id": one.id})


def _row(one: Session) -> Document:
    row = {"_id": one.id, **asdict(one)}
    del row["id"]
    return row


def _session(row: Document) -> Session:
    values = {name: value for name, value in row.items() if name != "_id"}
    reason = EndReason(row["end_reason"]) if row["end_reason"] else None
    return Session(**{**values, "id": row["_id"], "amr": tuple(row["amr"]), "end_reason": reason})
