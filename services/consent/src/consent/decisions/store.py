"""Decisions in MongoDB: what was shown, the present state, and an append-only history. Nothing in them says who somebody is."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from chassis.ids import new_id
from chassis.uow import Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from consent.decisions.model import Decision, Presentation, Shown, State

PRESENTATIONS, DECISIONS, HISTORY = "presentations", "decisions", "decision_history"
INDEXES = {
    PRESENTATIONS: [IndexModel([("subject", ASCENDING)])],
    DECISIONS: [IndexModel([("subject", ASCENDING)])],
    HISTORY: [
        IndexModel([("subject", ASCENDING), ("decided_on", ASCENDING)]),
        IndexModel([("key", ASCENDING), ("sequence", ASCENDING)], unique=True),
    ],
}


async def presentation(reads: Reads, presentation_id: str, *, subject: str) -> Presentation | None:
    """Return a presentation to this person; somebody else's is as unknown as one that never was."""
    found = await reads.find_one(PRESENTATIONS, {"_id": presentation_id, "subject": subject})
    if found is None:
        return None
    fields = {name: found[name] for name in ("subject", "version", "language", "sha256", "questions")}
    return Presentation(id=found["_id"], shown_on=date.fromisoformat(found["shown_on"]), **fields)


def add_presentation(uow: UnitOfWork, one: Presentation, *, at: datetime) -> None:
    """Keep what was shown. `at` is machine time, for whoever has to reconstruct it."""
    document = asdict(one) | {"_id": one.id, "shown_on": one.shown_on.isoformat(), "recorded_at": at}
    del document["id"]
    uow.insert(PRESENTATIONS, document)


async def decision(reads: Reads, key: str) -> Decision | None:
    """Return the present state for a person, purpose and controller."""
    found = await reads.find_one(DECISIONS, {"_id": key})
    return _decision(found) if found else None


async def decisions(reads: Reads, subject: str) -> list[Decision]:
    """Return the present state for all purposes of a person."""
    return [_decision(row) for row in await reads.find(DECISIONS, {"subject": subject}, sort=[("_id", ASCENDING)])]


async def history(reads: Reads, subject: str, *, until: date) -> list[Decision]:
    """Return every line of a person's history up to and including a day, the oldest first."""
    where = {"subject": subject, "decided_on": {"$lte": until.isoformat()}}
    rows = await reads.find(HISTORY, where, sort=[("decided_on", ASCENDING), ("key", ASCENDING), ("sequence", ASCENDING)])
    return [_decision(row) for row in rows]


def add(uow: UnitOfWork, new: Decision, *, at: datetime) -> Decision:
    """Begin a history."""
    document = _document(new)
    uow.insert(DECISIONS, {"_id": new.key, **document})
    _append(uow, new, document, at)
    return new


def save(uow: UnitOfWork, changed: Decision, *, at: datetime) -> Decision:
    """Write the next state of a decision that was read in this unit of work; return it with its new sequence."""
    document = {"_id": changed.key, **_document(changed)}
    sequence = uow.save(DECISIONS, document)
    kept = _decision(document)
    _append(uow, kept, _document(kept) | {"sequence": sequence}, at)
    return kept


def _append(uow: UnitOfWork, one: Decision, document: dict[str, Any], at: datetime) -> None:
    uow.insert(HISTORY, {"_id": new_id(), "key": one.key, **document, "recorded_at": at})


def _document(one: Decision) -> dict[str, Any]:
    return asdict(one) | {"state": one.state.value, "decided_on": one.decided_on.isoformat()}


def _decision(row: dict[str, Any]) -> Decision:
    return Decision(
        subject=row["subject"],
        purpose=row["purpose"],
        controller=row["controller"],
        state=State(row["state"]),
        shown=Shown(**row["shown"]),
        decided_on=date.fromisoformat(row["decided_on"]),
        sequence=row["sequence"],
    )
