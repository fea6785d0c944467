"""The key service: holds the master keys and wraps with them what lies in the keyring database, so that no database holds them.

A master key serves for one epoch, a week of domain time, and is destroyed 14 days after the epoch's first day: whatever was
copied before then goes dark with it (`epochs.py`). A row names its epoch and belongs to an owner, for whom alone it opens.
There are two: a folder (`keyfolder.py`) and the transit engine of Vault or OpenBao (`transit.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Protocol

from chassis.http.problems import BusyProblem

DESTROYED_AFTER: Final = timedelta(days=14)
"""Counted from an epoch's first day."""


class Trouble(StrEnum):
    """Why a key service did not do what it was asked."""

    AWAY = "unreachable"
    REFUSED = "refused"
    EMPTY = "no-epoch"
    ODD = "unexpected"


class KeyServiceError(BusyProblem, OSError):
    """The key service does not do what it should: trouble around us, so a consumer waits, and a caller hears 503."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble

    def __str__(self) -> str:
        return f"key service: {self.trouble}"


class Unopened(StrEnum):
    """Why one wrapped secret does not open, while the key service does what it should."""

    MISSING = "epoch-missing"
    """The master key of its epoch is not held, or not any more."""
    DAMAGED = "unreadable"
    """It is not this owner's, or damaged."""


@dataclass(frozen=True, order=True)
class Epoch:
    """A week with a master key of its own."""

    first_day: date
    name: str


@dataclass(frozen=True)
class Secret:
    """What is to be wrapped, and to whom it belongs."""

    owner: str
    plain: bytes = field(repr=False)


@dataclass(frozen=True)
class Wrapped:
    """A secret as the keyring database keeps it."""

    owner: str
    box: bytes
    epoch: str


class KeyService(Protocol):
    """What holds the master keys. Everything may raise KeyServiceError."""

    async def held(self) -> list[Epoch]:
        """Return the epochs whose master keys it holds, the oldest first; the last one wraps."""
        ...

    async def wrap(self, secrets: Sequence[Secret]) -> list[Wrapped]:
        """Wrap secrets under the newest epoch, in this order."""
        ...

    async def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes | Unopened]:
        """Open what was wrapped, in this order; what does not open says why, and holds up nothing else."""
        ...

    async def make(self, first_day: date) -> None:
        """Make the epoch that begins on this day, where none began then or later. Done at once by several, it is one."""
        ...

    async def destroy(self, epoch: str) -> None:
        """Destroy the master key of an epoch, which is the oldest, for good. Harmless when repeated."""
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


def week_of(day: date) -> date:
    """Return the Monday of a day's week, on which that week's epoch begins."""
    return day - timedelta(days=day.weekday())
