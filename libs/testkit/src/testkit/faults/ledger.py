"""The ledger: everything that the load did, and what became of it as far as its doer knows.

An acknowledged write must be there afterwards. A write whose answer never came (a time-out, a lost connection, a 5xx) may have
happened or not, and both are right. So for each thing the ledger claims not one value but those that are possible, and between
how many and how many times an effect must be found.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum


def now() -> float:
    """When something was asked or answered, to be compared with other such moments only."""
    return time.monotonic()


class Fate(StrEnum):
    """What the doer knows of a write."""

    ACKNOWLEDGED = "acknowledged"
    UNSURE = "unsure"
    REFUSED = "refused"


Thing = tuple[str, str]
"""Whose, and what: (`a subject`, `profile`)."""


@dataclass(frozen=True)
class Entry:
    """One write, however often its doer had to send it. `most` is how many effects those tries can have had."""

    thing: Thing
    value: Hashable
    fate: Fate
    most: int = 1
    late: bool = False
    """A try timed out: it may still happen after later writes."""
    at: float = field(default_factory=now, compare=False)
    """When it was answered."""


@dataclass
class Claim:
    """What may be found of one thing."""

    values: set[Hashable] = field(default_factory=lambda: {None})
    stragglers: set[Hashable] = field(default_factory=set)
    fewest: int = 0
    most: int = 0

    def add(self, entry: Entry) -> None:
        """Take one more write into account."""
        if entry.fate is Fate.REFUSED:
            return
        acknowledged = entry.fate is Fate.ACKNOWLEDGED
        self.values = {entry.value} if acknowledged else self.values | {entry.value}
        self.stragglers |= {entry.value} if entry.late else set()
        self.fewest += min(1, entry.most) if acknowledged else 0
        self.most += entry.most

    @property
    def possible(self) -> set[Hashable]:
        """The values that may be found."""
        return self.values | self.stragglers


@dataclass(frozen=True)
class Offer:
    """A saved search since it was acknowledged, or a vacancy since it was sent: who saved first is told, each person once."""

    group: str
    at: float
    who: str = ""


@dataclass
class Ledger:
    """One round's ledger."""

    entries: list[Entry] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What was seen to be wrong while the load ran."""
    hidden: set[str] = field(default_factory=set)
    """Handles that an acknowledged write took out of sight, for as long as nothing may have brought them back."""

    years: dict[str, str] = field(default_factory=dict)
    """The last day of the year that each subject was told."""
    gone: dict[str, str] = field(default_factory=dict)
    """Subject -> address of those whose wish to be erased was acknowledged."""
    searches: dict[str, Offer] = field(default_factory=dict)
    vacancies: dict[str, Offer] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    """Vacancies that were closed, as far as anybody knows."""

    def write(self, thing: Thing, value: Hashable, fate: Fate, *, most: int = 1, late: bool = False) -> None:
        """Note one write."""
        self.entries.append(Entry(thing, value, fate, most=most, late=late))

    def blame(self, what: str) -> None:
        """Note something that must not happen, whatever fails."""
        self.wrong.append(what)

    @property
    def acknowledged(self) -> int:
        """How many writes were acknowledged."""
        return sum(entry.fate is Fate.ACKNOWLEDGED for entry in self.entries)

    @property
    def unsure(self) -> int:
        """How many writes nobody knows about."""
        return sum(entry.fate is Fate.UNSURE for entry in self.entries)

    def claims(self) -> dict[Thing, Claim]:
        """What may be found of each thing."""
        found: dict[Thing, Claim] = {}
        for entry in self.entries:
            found.setdefault(entry.thing, Claim()).add(entry)
        return found
