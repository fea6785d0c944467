"""The candidate bank: kept in step with the profiles, searched and opened by recruiters, every look noted (R1, R13, R19)."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from chassis.freshness import Freshness
from chassis.http.language import Text
from chassis.http.problems import BusyProblem, NotFoundProblem
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import Reads, UnitOfWork
from chassis.wrapped import UnusableKeyError

from profiles import records
from profiles.bank import store
from profiles.bank.model import Query, card_of, entry_of
from profiles.budgets.model import Looks
from profiles.budgets.service import Budgets, Refused
from profiles.disclosure.model import anonymised
from profiles.metrics import BANK_NOT_FRESH
from profiles.organisations.service import Organisation, acting_for
from profiles.records import Record, Records
from profiles.views import service as views
from profiles.views.service import Kind, Shown

Told = Mapping[str, Mapping[str, Any]]
Find = Callable[[Reads, str], Awaitable[list[str]]]
"""Finds the next subjects after one."""
PURPOSE = "candidate-search"
BATCH = 50
"""How many profiles one transaction of `rebuild` shows again."""
log = structlog.get_logger()


class NotFreshProblem(BusyProblem):
    """Whether somebody withdrew meanwhile is not known, so nobody is shown."""

    code = "bank-not-fresh"
    title = Text("De kandidatenbank is even niet te doorzoeken", "The candidate bank cannot be searched right now")


@dataclass(frozen=True)
class Projection:
    """Keeps the projection `bank`. `project` is what `profiles.records.Records` tells every change, in its transaction."""

    key: bytes

    async def project(self, uow: UnitOfWork, *, subject: str, handle: str, seen: Told | None) -> None:
        """Show `seen` under `handle` and nothing else of this subject; None: not in the bank."""
        if seen is None:
            store.remove(uow, subject)
        else:
            store.put(uow, subject=subject, handle=handle, entry=entry_of(seen, key=self.key))


def leave(uow: UnitOfWork, subject: str) -> None:
    """Take somebody out of the bank for good."""
    store.remove(uow, subject)


@dataclass(frozen=True)
class Opened:
    """One profile as it is shown: a card on a page of results, or all visible fields."""

    subject: str
    handle: str
    profile: dict[str, dict[str, Any]]
    readable: bool = True
    """False for somebody whose data key does not open: they keep their place on the page, and are not shown."""

    @property
    def shown(self) -> Shown:
        """Return what the access log keeps of it."""
        return Shown(self.subject, self.handle, [f"{group}.{name}" for group, fields in self.profile.items() for name in fields])


@dataclass(frozen=True)
class Bank:
    """What recruiters do. Each use case notes the access, and counts it, in the transaction in which it reads."""

    records: Records
    key: bytes
    freshness: Freshness
    fresh_within: timedelta
    budgets: Budgets

    async def check_fresh(self) -> None:
        """Refuse to show anybody while withdrawn consents may not have arrived."""
        if not await self.freshness.within(self.fresh_within):
            BANK_NOT_FRESH.inc()
            raise NotFreshProblem(retry_after=30)

    async def search(
        self, uow: UnitOfWork, *, caller: Caller, query: Query, after: str | None, limit: int
    ) -> list[Opened] | Refused:
        """Return the cards of who fits, at most `limit` and one more, which tells that there is a next page and is not noted."""
        organisation = await acting_for(uow, caller, bank=True)
        found = await store.find_page(uow, query, key=self.key, after=after, limit=limit + 1)
        both = await self.budgets.of(uow, recruiter=caller.subject, organisation=organisation.id)
        refused = await self.budgets.take(uow, both, Looks(rows=len(found[:limit])), organisation)
        if refused:
            return refused
        opened = await self._open(uow, found)
        shown = [one.shown for one in opened[:limit] if one.readable]
        await self._note(uow, caller, organisation, "search-page", shown)
        return opened

    async def view(self, uow: UnitOfWork, *, caller: Caller, handle: str) -> Opened | Refused:
        """Return what a recruiter sees of a profile. One answer for every handle that leads nowhere now."""
        organisation = await acting_for(uow, caller, bank=True)
        both = await self.budgets.of(uow, recruiter=caller.subject, organisation=organisation.id)
        refused = await self.budgets.take(uow, both, Looks(), organisation)
        if refused:
            return refused
        record = await records.find_by_handle(uow, handle)
        if record is None or not record.in_bank:
            raise NotFoundProblem
        refused = await self.budgets.take(uow, both, Looks(opened=1), organisation)
        if refused:
            return refused
        await self._fetch_keys([record])
        opened = Opened(record.subject, record.handle, await self.records.seen(record))
        await self._note(uow, caller, organisation, "view", [opened.shown])
        return opened

    async def _open(self, reads: Reads, found: list[tuple[str, str]]) -> list[Opened]:
        by_subject = {record.subject: record for record in await records.find_many(reads, [subject for subject, _ in found])}
        await self._fetch_keys(by_subject.values())
        return [await self._card(by_subject[subject]) for subject, _ in found]

    async def _card(self, record: Record) -> Opened:
        try:
            seen = await self.records.seen(record)
        except UnusableKeyError:
            return Opened(record.subject, record.handle, {}, readable=False)
        return Opened(record.subject, record.handle, card_of(anonymised(seen)))

    async def _fetch_keys(self, found: Iterable[Record]) -> None:
        """Read the keys of all at once, those of the access log among them; each is asked for by itself afterwards."""
        await self.records.keyring.prepare((one.subject, klass) for one in found for klass in (*one.boxes, views.CLASS))

    async def _note(self, uow: UnitOfWork, caller: Caller, organisation: Organisation, kind: Kind, shown: list[Shown]) -> None:
        await views.note(
            uow,
            keyring=self.records.keyring,
            clock=self.records.clock,
            caller=caller,
            organisation=organisation,
            kind=kind,
            purpose=PURPOSE,
            shown=shown,
        )


async def rebuild(mongo: Mongo, kept: Records, *, tell: Callable[[str], None]) -> int:
    """Make the projection anew while the service runs, after a restore or when its form changes.

    Show the bank every profile again, remove entries that no profile stands behind, and return how many there were.
    Harmless when repeated or broken off.
    """

    async def show(uow: UnitOfWork, subjects: Sequence[str]) -> None:
        for record in await records.find_many(uow, subjects):
            await kept.show_again(uow, record)

    async def remove(uow: UnitOfWork, subjects: Sequence[str]) -> None:
        known = {record.subject for record in await records.find_many(uow, subjects)}
        for subject in set(subjects) - known:
            store.remove(uow, subject)

    shown = await _each(
        mongo, lambda reads, after: records.find_subjects(reads, after=after, limit=BATCH), show, "profiles", tell
    )
    await _each(mongo, lambda reads, after: store.find_subjects(reads, after=after, limit=BATCH), remove, "entries", tell)
    return shown


async def _each(
    mongo: Mongo,
    find: Find,
    do: Callable[[UnitOfWork, Sequence[str]], Awaitable[None]],
    what: str,
    tell: Callable[[str], None],
) -> int:
    """Go through all subjects in the order of their ids, a transaction per batch."""
    done, after = 0, ""
    while subjects := await find(mongo, after):
        batch = tuple(subjects)
        await transact(mongo, lambda uow, batch=batch: do(uow, batch))  # type: ignore[misc]  # mypy cannot infer a default's type
        done, after = done + len(batch), batch[-1]
        tell(f"{done} {what} looked at")
    return done
