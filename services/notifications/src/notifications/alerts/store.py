"""What alerts keep of other services' news: vacancies, the names of organisations, and who does not want alerts any more."""

from typing import Any

from chassis.uow import Document, Reads, UnitOfWork

from notifications.alerts.model import facts_of

VACANCIES = "vacancies"
ORGANISATIONS = "organisations"
REFUSALS = "alert_refusals"


async def vacancy(reads: Reads, vacancy_id: str) -> Document | None:
    """Return a vacancy as it was last heard of."""
    found = await reads.find_one(VACANCIES, {"_id": vacancy_id})
    return None if found is None else found | {"facts": facts_of(found)}


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
