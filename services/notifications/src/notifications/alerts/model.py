"""What is kept of a vacancy, and when it may still be offered. No I/O."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.profiles.vacancy import VacancyEvent

from notifications.words import stemmed, stems

OPEN = "open"


def is_offered(*, state: str, valid_through: date | None, today: date) -> bool:
    """Tell whether people may be told of a vacancy: it is open, and its last day has not passed."""
    return state == OPEN and (valid_through is None or today <= valid_through)


def hours_text(low: int | None, high: int | None) -> str | None:
    """Return the hours a week in figures, as `24-36`."""
    if low is None or high is None or low == high:
        return None if low is None and high is None else str(low if low is not None else high)
    return f"{low}-{high}"


def shown(event: VacancyEvent) -> dict[str, str | None]:
    """Return what a mail shows of a vacancy, apart from its organisation's name."""
    return {
        "title": event.title,
        "place": ", ".join(place.name for place in event.places) or None,
        "hours": hours_text(event.hours_min, event.hours_max),
        "url": event.url,
    }


def facts(event: VacancyEvent) -> dict[str, Any]:
    """Return what searches are compared with, as it is kept: whether the two still fit is asked again when the mail goes."""
    return {
        "stems": stemmed([event.title, event.description, *event.skills]),
        "skills": [" ".join(stems(skill)) for skill in event.skills],
        "places": [place.model_dump() for place in event.places],
        "workplace": event.workplace,
        "level": event.level,
        "hours": [event.hours_min, event.hours_max],
        "salary": [event.salary_min, event.salary_max],
        "contract_types": list(event.contract_types),
        "sectors": list(event.sectors),
        "organisation": event.organisation,
        "starts": event.starts_on and event.starts_on.toordinal(),
    }


def facts_of(vacancy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a vacancy as it is kept, also of one that was kept before there were stems and several places."""
    kept: dict[str, Any] = vacancy["facts"]
    if "stems" in kept:
        return kept
    at = kept["position"]
    place = {"name": vacancy["shown"]["place"], "province": None, "latitude": at[0], "longitude": at[1]} if at else None
    return {
        **kept,
        "stems": stemmed([*kept["texts"], *kept["skills"]]),
        "skills": [" ".join(stems(skill)) for skill in kept["skills"]],
        "places": [place] if place else [],
        "workplace": "remote" if kept["remote"] else "on-site",
        "salary": [None, None],
        "sectors": [],
        "organisation": vacancy["organisation"],
        "starts": None,
    }
