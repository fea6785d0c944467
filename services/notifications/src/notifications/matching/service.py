"""Finding the saved searches that a vacancy fits, behind a port, so that another way to find them changes nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from chassis.uow import Reads

from notifications.matching.model import Offered, matches
from notifications.searches import service as searches
from notifications.searches.model import wanted


@dataclass(frozen=True, slots=True)
class Match:
    """A saved search that a vacancy fits, and whose it is."""

    search: str
    subject: str


class Matcher(Protocol):
    """Something that finds the searches to which a vacancy is news."""

    async def matching(self, reads: Reads, offered: Offered, *, frequency: str, published_on: date) -> Sequence[Match]:
        """Return each active search of that frequency that the vacancy fits and that was saved by that day."""
        ...


@dataclass(frozen=True)
class EverySearch:
    """Asks every saved search, one by one: simply correct, and the measure of any faster way."""

    async def matching(self, reads: Reads, offered: Offered, *, frequency: str, published_on: date) -> Sequence[Match]:
        """Return each active search of that frequency that the vacancy fits and that was saved by that day."""
        rows = await searches.to_compare(reads, frequency=frequency, published_on=published_on)
        return [Match(row["_id"], row["subject"]) for row in rows if matches(wanted(row["compared"]), offered)]
