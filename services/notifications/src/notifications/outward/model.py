"""When systems outside are told that somebody is there, and when they are asked, reminded and reported about forgetting."""

from datetime import datetime, timedelta
from enum import StrEnum

STEPS = 3
"""The term to forget has three parts: after the first and the second somebody is reminded, after the third reported."""


class HandleState(StrEnum):
    """Where a handle is. It can come back from either end, as the same person's."""

    APPEARED = "appeared"
    CHANGED = "changed"
    GONE = "gone"
    """It has to be forgotten."""
    FORGOTTEN = "forgotten"
    """The time for that is over, and nothing tells of it any more."""


PRESENT = frozenset({HandleState.APPEARED, HandleState.CHANGED})


class ForgetState(StrEnum):
    """Where one organisation is with forgetting one handle."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    """The handle came back before it was acknowledged, in time or late."""


def next_step(asked_at: datetime, within: timedelta, now: datetime) -> tuple[int, datetime | None]:
    """Return how many parts of the term are over, and when the next one is; nothing comes after the last."""
    over = min(STEPS, (now - asked_at) // (within / STEPS))
    return over, None if over == STEPS else asked_at + (over + 1) * (within / STEPS)
