"""When somebody is told of a vacancy, and in which mail. No I/O."""

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from chassis.clock import AMSTERDAM

from notifications.searches.model import Rhythm

IMMEDIATE: Final = "immediate"
WEEKLY: Final = "weekly"


class State(StrEnum):
    """Where a piece of news stands."""

    NOW = "now"
    """It goes by itself, as soon as its turn comes."""

    COLLECTED = "collected"
    """It waits for its search's next digest."""

    QUEUED = "queued"
    """It has its mail."""


def row_id(subject: str, vacancy: str) -> str:
    """Return the id of a piece of news: a person is told of a vacancy once."""
    return f"{subject}:{vacancy}"


def alert_cause(search: str, vacancy: str) -> str:
    """Return the cause of a mail about one vacancy."""
    return f"notifications:alert:{search}:{vacancy}"


def digest_cause(search: str, due: datetime) -> str:
    """Return the cause of a digest: a search has one at a time."""
    return f"notifications:digest:{search}:{due:%Y%m%dT%H%MZ}"


def due_at(rhythm: Rhythm, now: datetime) -> datetime:
    """Return when a search's owner is told of what is found now: at once, or at the next of their hours in Amsterdam.

    An hour that a change of the clocks leaves out is the one after it; of an hour that comes twice it is the first.
    """
    if rhythm.frequency == IMMEDIATE:
        return now
    today = now.astimezone(AMSTERDAM).date()
    for ahead in range(9):
        day = today + timedelta(days=ahead)
        at = datetime.combine(day, time(rhythm.hour), AMSTERDAM).astimezone(UTC)
        if at > now and (rhythm.frequency != WEEKLY or day.isoweekday() == rhythm.weekday):
            return at
    raise AssertionError("a week has seven days")
