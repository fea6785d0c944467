"""A request to be erased and the order in which it is fulfilled. Pure: no I/O and no clock of its own.

    services --all confirmed--> identity --confirmed--> (last mail) --went, or cannot--> contact --confirmed--> closed

Everything is blocked before it begins, because the account was closed. Where a mail still has to go, its address is kept until
it has gone; who has no address any more cannot be told, and is erased all the same.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum


class Phase(StrEnum):
    """How far a request is; the names are those of `consent.request.v1`."""

    SERVICES = "services"
    IDENTITY = "identity"
    CONTACT = "contact"
    CLOSED = "closed"


class Word(StrEnum):
    """What became of the last mail; the last three are final."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    BOUNCED = "bounced"
    GIVEN_UP = "given-up"


OWN = "consent"
"""The name under which this service's own part stands beside those of the others."""
ASKED: dict[Phase, tuple[str, ...]] = {
    Phase.SERVICES: (OWN, "notifications", "profiles"),
    Phase.IDENTITY: ("identity",),
    Phase.CONTACT: ("notifications",),
    Phase.CLOSED: (),
}
"""Whose turn it is in each phase."""
ORDER = tuple(Phase)
DARK_AFTER = timedelta(days=14)
"""When the master keys are gone under which copies of the destroyed data keys lay."""


@dataclass(frozen=True)
class Kept:
    """What stays because the law asks for it, and until when."""

    what: str
    ground: str
    until: date


@dataclass(frozen=True)
class Part:
    """What one service confirmed, up to a phase."""

    done: Phase
    on: date
    counts: dict[str, int]
    receipt: str
    kept: tuple[Kept, ...] = ()

    def covers(self, phase: Phase) -> bool:
        """Tell whether it confirms this phase."""
        return ORDER.index(self.done) >= ORDER.index(phase)


@dataclass(frozen=True)
class ErasureRequest:
    """One person's wish to be erased."""

    id: str
    subject: str
    opened_on: date
    due_on: date
    link_hash: str
    language: str
    phase: Phase = Phase.SERVICES
    parts: dict[str, Part] = field(default_factory=dict)
    word: Word | None = None
    closed_on: date | None = None
    sequence: int = 1

    @property
    def waiting_for(self) -> list[str]:
        """Return which services have not confirmed the present phase."""
        return [service for service in ASKED[self.phase] if not self._confirmed(service)]

    @property
    def wants_last_mail(self) -> bool:
        """Tell whether only the last mail is left to be asked for."""
        return self.phase is Phase.IDENTITY and not self.waiting_for and self.word is None

    @property
    def dark_on(self) -> date:
        """Return the day from which no old copy can be opened any more, as far as the confirmations say by now."""
        return max([part.on for part in self.parts.values()], default=self.opened_on) + DARK_AFTER

    @property
    def kept(self) -> list[Kept]:
        """Return what stays by law, whichever service keeps it."""
        return [one for _, part in sorted(self.parts.items()) for one in part.kept]

    def _confirmed(self, service: str) -> bool:
        part = self.parts.get(service)
        return part is not None and part.covers(self.phase)


def open_request(*, request: str, subject: str, link_hash: str, language: str, today: date) -> ErasureRequest:
    """Return a new request; it has to be fulfilled within one month (GDPR, article 12(3))."""
    due = month_later(today)
    return ErasureRequest(id=request, subject=subject, opened_on=today, due_on=due, link_hash=link_hash, language=language)


def confirm(current: ErasureRequest, service: str, part: Part) -> ErasureRequest:
    """Return the request with a service's confirmation, moved on when it was the last one; an older one changes nothing."""
    earlier = current.parts.get(service)
    if earlier is not None and earlier.covers(part.done):
        return current
    return _moved(replace(current, parts={**current.parts, service: part}), today=part.on)


def ask_last_mail(current: ErasureRequest) -> ErasureRequest:
    """Return the request while its last mail is on its way."""
    return replace(current, word=Word.ASKED)


def hear_of_last_mail(current: ErasureRequest, outcome: Word, *, today: date) -> ErasureRequest:
    """Return the request after its last mail went, or cannot go; the news may come before what makes it the last one."""
    if current.word not in (None, Word.ASKED):
        return current
    return _moved(replace(current, word=outcome), today=today)


def _moved(current: ErasureRequest, *, today: date) -> ErasureRequest:
    """Move on as far as what is confirmed allows."""
    while current.phase is not Phase.CLOSED and not current.waiting_for:
        if current.phase is Phase.IDENTITY and current.word in (None, Word.ASKED):
            return current
        following = ORDER[ORDER.index(current.phase) + 1]
        current = replace(current, phase=following, closed_on=today if following is Phase.CLOSED else None)
    return current


def month_later(day: date) -> date:
    """Return the same day a month later, or that month's last (Regulation 1182/71, article 3(2)(c))."""
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return min(first.replace(day=min(day.day, 28)) + timedelta(days=max(0, day.day - 28)), last)
