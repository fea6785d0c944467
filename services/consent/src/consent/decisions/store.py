"""Decisions in MongoDB: what was shown, the present state, and an append-only history. Nothing in them says who somebody is.

All of it goes when its term is over; of a person who is still there the last sequence stays, because followers know it.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from chassis.ids import new_id
from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from consent.decisions.model import ENDED, Decision, Presentation, Shown, State

PRESENTATIONS, DECISIONS, HISTORY = "presentations", "decisions", "decision_history"
SEQUENCES = "forgotten_decisions"
"""The last sequence of decisions whose term is over."""
INDEXES = {
    PRESENTATIONS: [IndexModel([("subject", ASCENDING)]), IndexModel([("proves", ASCENDING), ("shown_on", ASCENDING)])],
    DECISIONS: [IndexModel([("subject", ASCENDING)])],
    HISTORY: [
        IndexModel([("subject", ASCENDING), ("decided_on", ASCENDING)]),
        IndexModel([("key", ASCENDING), ("sequence", ASCENDING)], unique=True),
        IndexModel([("state", ASCENDING), ("decided_on", ASCENDING)]),
    ],
    SEQUENCES: [IndexModel([("subject", ASCENDING)])],
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
    document = asdict(one) | {"_id": one.id, "shown_on": one.shown_on.isoformat(), "recorded_at": at, "proves": False}
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


async def last_sequence(reads: Reads, key: str) -> int:
    """Return the last sequence of a decision whose term is over; 0 when there was none."""
    found = await reads.find_one(SEQUENCES, {"_id": key})
    return int(found["sequence"]) if found else 0


async def ended(reads: Reads, until: date, *, limit: int) -> list[Decision]:
    """Return lines by which a consent ended on this day or before, the oldest first."""
    where = {"state": {"$in": [state.value for state in ENDED]}, "decided_on": {"$lte": until.isoformat()}}
    return [_decision(row) for row in await reads.find(HISTORY, where, sort=[("decided_on", ASCENDING)], limit=limit)]


async def lines_until(reads: Reads, key: str, sequence: int, *, limit: int) -> list[Document]:
    """Return the lines of a decision up to a sequence as they are stored, the oldest first."""
    where = {"key": key, "sequence": {"$lte": sequence}}
    return await reads.find(HISTORY, where, sort=[("sequence", ASCENDING)], limit=limit)


async def remove_lines(uow: UnitOfWork, lines: Iterable[Document]) -> int:
    """Remove lines of one person, and what was shown for them unless another line needs it; return how many went."""
    gone = list(lines)
    for line in gone:
        uow.delete(HISTORY, {"_id": line["_id"]})
    shown = {line["shown"]["presentation"]: line["subject"] for line in gone}
    where = {"subject": {"$in": sorted(set(shown.values()))}, "shown.presentation": {"$in": sorted(shown)}}
    needed = {line["shown"]["presentation"] for line in await uow.find(HISTORY, where)}
    for presentation_id in set(shown) - needed:
        uow.delete(PRESENTATIONS, {"_id": presentation_id})
    return len(gone) + len(set(shown) - needed)


def remove(uow: UnitOfWork, one: Decision) -> None:
    """Remove the present state of a decision that was read in this unit of work."""
    uow.delete(DECISIONS, {"_id": one.key, "sequence": one.sequence})


def keep_sequence(uow: UnitOfWork, one: Decision, sequence: int) -> None:
    """Keep how far the sequence of a removed decision had come."""
    uow.replace(SEQUENCES, {"_id": one.key, "subject": one.subject, "sequence": sequence}, upsert=True)


async def drop_sequences(uow: UnitOfWork, subject: str) -> int:
    """Forget how far sequences of a person had come, of whom there is no more news; return how many there were."""
    rows = await uow.find(SEQUENCES, {"subject": subject})
    for row in rows:
        uow.delete(SEQUENCES, {"_id": row["_id"]})
    return len(rows)


async def unused_until(reads: Reads, until: date, *, limit: int) -> list[str]:
    """Return presentations of this day or before that led to no decision."""
    where = {"proves": False, "shown_on": {"$lte": until.isoformat()}}
    return [row["_id"] for row in await reads.find(PRESENTATIONS, where, sort=[("shown_on", ASCENDING)], limit=limit)]


def remove_unused(uow: UnitOfWork, presentation_id: str) -> None:
    """Remove a presentation, unless somebody decided upon it meanwhile."""
    uow.delete(PRESENTATIONS, {"_id": presentation_id, "proves": False})


def _append(uow: UnitOfWork, one: Decision, document: dict[str, Any], at: datetime) -> None:
    uow.insert(HISTORY, {"_id": new_id(), "key": one.key, **document, "recorded_at": at})
    uow.update(PRESENTATIONS, {"_id": one.shown.presentation}, {"$set": {"proves": True}})


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
