"""What alerts keep of other services' news: vacancies, the names of organisations, and who does not want alerts any more."""

from collections.abc import Sequence
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

from notifications.alerts.model import OPEN, facts_of

VACANCIES = "vacancies"
ORGANISATIONS = "organisations"
REFUSALS = "alert_refusals"
LONG_AGO = "1970-01-01"
INDEXES = {
    VACANCIES: [
        IndexModel([("published_on", DESCENDING)]),
        IndexModel([("state", DESCENDING), ("published_on", DESCENDING)]),
    ]
}


async def vacancy(reads: Reads, vacancy_id: str) -> Document | None:
    """Return a vacancy as it was last heard of."""
    found = await reads.find_one(VACANCIES, {"_id": vacancy_id})
    return None if found is None else _as_today(found)


async def vacancies(reads: Reads, ids: Sequence[str]) -> list[Document]:
    """Return those of these vacancies that are kept, in the order of their ids."""
    return [_as_today(row) for row in await reads.find(VACANCIES, {"_id": {"$in": list(ids)}}, sort=[("_id", ASCENDING)])]


async def current(reads: Reads, *, since: str, today: str, limit: int) -> list[Document]:
    """Return the vacancies that were published since a day, then those from before it that are offered still; newest first."""
    newest = [("published_on", DESCENDING)]
    recent = await reads.find(VACANCIES, {"published_on": {"$gte": since}}, sort=newest, limit=limit)
    if len(recent) < limit:
        offered = {"state": OPEN, "$or": [{"valid_through": None}, {"valid_through": {"$gte": today}}]}
        earlier = {**offered, "published_on": {"$not": {"$gte": since}}}
        recent += await reads.find(VACANCIES, earlier, sort=newest, limit=limit - len(recent))
    return [_as_today(row) for row in recent]


def _as_today(row: Document) -> Document:
    """Return a vacancy as vacancies are kept today, also one of which it was not kept when it was published."""
    return {"published_on": LONG_AGO} | row | {"facts": facts_of(row)}


def put_vacancy(uow: UnitOfWork, vacancy_id: str, fields: dict[str, Any]) -> None:
    """Write a vacancy as it is now."""
    uow.replace(VACANCIES, {"_id": vacancy_id, **fields}, upsert=True)


def remove_vacancy(uow: UnitOfWork, vacancy_id: str) -> None:
    """Forget a vacancy."""
    uow.delete(VACANCIES, {"_id": vacancy_id})


async def organisation_name(reads: Reads, organisation: str) -> str | None:
    """Return an organisation's name, or None while it is not known."""
    found = await reads.find_one(ORGANISATIONS, {"_id": organisation})
    return None if found is None else str(found["display"])


def put_organisation(uow: UnitOfWork, organisation: str, *, display: str) -> None:
    """Write an organisation's name as it is now."""
    uow.replace(ORGANISATIONS, {"_id": organisation, "display": display}, upsert=True)


def remove_organisation(uow: UnitOfWork, organisation: str) -> None:
    """Forget an organisation."""
    uow.delete(ORGANISATIONS, {"_id": organisation})


async def refuses(reads: Reads, subject: str) -> bool:
    """Tell whether a person withdrew from alerts altogether."""
    return await reads.find_one(REFUSALS, {"_id": subject}) is not None


def forget_refusal(uow: UnitOfWork, subject: str) -> None:
    """Forget whether a person withdrew from alerts."""
    uow.delete(REFUSALS, {"_id": subject})


def note_refusal(uow: UnitOfWork, subject: str, *, refused: bool) -> None:
    """Write whether a person withdrew from alerts altogether."""
    if refused:
        uow.replace(REFUSALS, {"_id": subject}, upsert=True)
    else:
        uow.delete(REFUSALS, {"_id": subject})
