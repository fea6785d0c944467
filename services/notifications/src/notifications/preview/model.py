"""How many mails a search would have brought. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

LOOKS_BACK: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Mails:
    """How many mails there would have been, by how often they are wanted."""

    immediate: int
    daily: int
    weekly: int


def since(today: date) -> date:
    """Return the first of the thirty days of which today is the last."""
    return today - LOOKS_BACK + timedelta(days=1)


def mails(published: Iterable[date], *, today: date) -> Mails:
    """Count the mails of the thirty days: one for each vacancy; one for each day, or week from Monday on, that had any."""
    days = [day for day in published if since(today) <= day <= today]
    return Mails(len(days), len(set(days)), len({day.isocalendar()[:2] for day in days}))
