"""Vacancies, one document each."""

from dataclasses import asdict
from datetime import date
from typing import Any

from chassis.places import Place
from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

from profiles.vacancies.model import Facts, State, Vacancy

COLLECTION = "vacancies"
_TUPLES = ("skills", "contract_types", "sectors", "hours", "salary")
_DAYS = ("valid_through", "starts_on")
INDEXES = {COLLECTION: [IndexModel([("organisation", ASCENDING), ("_id", DESCENDING)])]}


async def find(reads: Reads, vacancy: str, *, organisation: str) -> Vacancy | None:
    """Return a vacancy of this organisation; another one's is not found."""
    found = await reads.find_one(COLLECTION, {"_id": vacancy, "organisation": organisation})
    return _from_document(found) if found else None


async def find_of(reads: Reads, organisation: str, *, state: State | None, before: str | None, limit: int) -> list[Vacancy]:
    """Return an organisation's vacancies, the newest first."""
    where: dict[str, Any] = {"organisation": organisation}
    if state is not None:
        where["state"] = state.value
    if before is not None:
        where["_id"] = {"$lt": before}
    return [_from_document(row) for row in await reads.find(COLLECTION, where, sort=[("_id", DESCENDING)], limit=limit)]


def keep(uow: UnitOfWork, vacancy: Vacancy) -> int:
    """Write a vacancy that is new or was read in this unit of work, and return its sequence."""
    document = _to_document(vacancy)
    if vacancy.sequence:
        return uow.save(COLLECTION, document)
    document["sequence"] = 1
    uow.insert(COLLECTION, document)
    return 1


def _to_document(vacancy: Vacancy) -> Document:
    facts = asdict(vacancy.facts)
    return {
        "_id": vacancy.id,
        "sequence": vacancy.sequence,
        "organisation": vacancy.organisation,
        "state": vacancy.state.value,
        "published_on": vacancy.published_on.isoformat(),
        "closed_on": vacancy.closed_on.isoformat() if vacancy.closed_on else None,
        "facts": {**facts, **{name: facts[name].isoformat() if facts[name] else None for name in _DAYS}},
    }


def _from_document(document: Document) -> Vacancy:
    facts, closed = _as_today(document["facts"]), document["closed_on"]
    for name in _TUPLES:
        facts[name] = None if facts[name] is None else tuple(facts[name])
    for name in _DAYS:
        facts[name] = date.fromisoformat(facts[name]) if facts[name] else None
    facts["places"] = tuple(Place(**place) for place in facts["places"])
    return Vacancy(
        id=document["_id"],
        organisation=document["organisation"],
        published_on=date.fromisoformat(document["published_on"]),
        facts=Facts(**facts),
        state=State(document["state"]),
        closed_on=date.fromisoformat(closed) if closed else None,
        sequence=document["sequence"],
    )


def _as_today(facts: Document) -> Document:
    """Return the facts of a vacancy, also of one that was kept when it had one place, no sector and no first day."""
    if "places" in facts:
        return dict(facts)
    kept = {name: value for name, value in facts.items() if name not in {"place", "remote"}}
    places = [facts["place"]] if facts["place"] else []
    workplace = "remote" if facts["remote"] else "on-site"
    return {**kept, "places": places, "workplace": workplace, "sectors": (), "starts_on": None}
