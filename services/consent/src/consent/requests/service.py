"""Opens requests, hears what services confirm, asks for mails, and lets a person and the operators follow them."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from chassis.clock import Clock, years_before, years_later
from chassis.erasure import Erased
from chassis.hashing import keyed_hash
from chassis.ids import new_secret
from chassis.mongo import Mongo, transact
from chassis.sealed_events import Sealer
from chassis.uow import Reads, UnitOfWork
from contracts.consent.mail_request import ConsentMailRequestEvent
from contracts.consent.request import RequestEvent
from contracts.shapes.mail_request import MailDetails

from consent.requests import model, store
from consent.requests.model import OWN, ErasureRequest, Kept, Part, Phase, Word

FIRST_MAIL, LAST_MAIL = "erasure-begun", "erased"
BATCH: Final = 200
"""How many requests that are past their term one run removes at most."""


@dataclass(frozen=True)
class Requests:
    """The use cases. Each runs in the unit of work of the event or request that it is about."""

    clock: Clock
    sealer: Sealer
    hash_key: bytes

    async def open(self, uow: UnitOfWork, *, request: str, subject: str, language: str) -> None:
        """Open a request and mail the link by which it is followed; once."""
        if await store.request(uow, request) is not None or await store.is_over(uow, request):
            return
        secret = new_secret()
        opened = model.open_request(
            request=request, subject=subject, link_hash=self._hash(secret), language=language, today=self.clock.today()
        )
        store.add(uow, opened)
        uow.emit(_event(opened), sequence=opened.sequence)
        await self._mail(uow, opened, FIRST_MAIL, {"answer-before": str(opened.due_on)}, MailDetails(secret=secret))
        word = await store.take_early_word(uow, request)
        if word is not None:  # an older dump: its last mail went in an earlier life, and is not asked for again
            await self._hear(uow, opened, word)
        for service, part in (await store.take_early(uow, request)).items():
            await self.confirm(uow, request, service, part)

    async def confirm(self, uow: UnitOfWork, request: str, service: str, part: Part) -> None:
        """Take a service's confirmation; it may come before the news that opens the request."""
        current = await store.request(uow, request)
        if current is not None:
            await self._keep(uow, current, model.confirm(current, service, part))
        elif not await store.is_over(uow, request):
            store.keep_early(uow, request, service, part)

    def forget_part(self, uow: UnitOfWork, request: str, service: str) -> None:
        """Forget what a service confirmed for a request that is over, or never was."""
        store.drop_early(uow, request, service)

    async def delivered(self, uow: UnitOfWork, cause: str, outcome: Word) -> None:
        """Hear what became of a last mail."""
        request = _request_of(cause)
        if request is None:
            return
        current = await store.request(uow, request)
        if current is not None:
            await self._hear(uow, current, outcome)
        elif not await store.is_over(uow, request):
            store.keep_early_word(uow, request, outcome)

    async def _hear(self, uow: UnitOfWork, current: ErasureRequest, outcome: Word) -> None:
        await self._keep(uow, current, model.hear_of_last_mail(current, outcome, today=self.clock.today()))

    async def by_link(self, reads: Reads, secret: str) -> ErasureRequest | None:
        """Return the request that this link follows."""
        return await store.by_link(reads, self._hash(secret))

    async def _keep(self, uow: UnitOfWork, before: ErasureRequest, after: ErasureRequest) -> None:
        if after.wants_last_mail:
            await self._mail(uow, after, LAST_MAIL, _last_facts(after))
            after = model.ask_last_mail(after)
        if after == before:
            return
        sequence = store.save(uow, after)
        if after.phase is not before.phase:
            uow.emit(_event(after), sequence=sequence)

    async def _mail(
        self, uow: UnitOfWork, one: ErasureRequest, template: str, facts: dict[str, str], details: MailDetails | None = None
    ) -> None:
        await self.sealer.request_mail(
            uow,
            ConsentMailRequestEvent,
            cause=f"{OWN}:{template}:{one.id}",
            subject=one.subject,
            template=template,
            language=one.language,
            facts=facts,
            details=details,
        )

    def _hash(self, secret: str) -> str:
        return keyed_hash(self.hash_key, "request-link", secret)


def part_of(erased: Erased, years: int) -> Part:
    """Return consent's own part as the others confirm theirs: what somebody agreed to stays provable (GDPR, article 7(1))."""
    until = years_later(erased.on, years)
    kept = (Kept("consent-records", "gdpr-7-1", until), Kept("this-request", "gdpr-5-2", until))
    return Part(Phase(erased.step), erased.on, dict(erased.counts), erased.receipt, kept)


async def remove_closed(mongo: Mongo, years: int) -> int:
    """Remove requests that were closed so many years ago (domain time), tell every service so, and return how many."""
    due = await store.closed_until(mongo, years_before(mongo.clock.today(), years), limit=BATCH)
    return sum([await transact(mongo, partial(_remove, request)) for request in due])


async def _remove(request: str, uow: UnitOfWork) -> bool:
    found = await store.request(uow, request)
    if found is None:
        return False
    store.end(uow, request)
    uow.emit_tombstone(RequestEvent.topic, key=request, sequence=found.sequence + 1)
    return True


async def page(reads: Reads, *, after: str, limit: int, closed_too: bool) -> list[ErasureRequest]:
    """Return requests after an id, the oldest first."""
    return await store.page(reads, after=after, limit=limit, closed_too=closed_too)


async def most_urgent(reads: Reads) -> ErasureRequest | None:
    """Return the open request whose term ends first."""
    return await store.most_urgent(reads)


def _last_facts(one: ErasureRequest) -> dict[str, str]:
    return {"dark-on": str(one.dark_on), "kept-until": str(max(found.until for found in one.kept))}


def _request_of(cause: str) -> str | None:
    start = f"{OWN}:{LAST_MAIL}:"
    return cause.removeprefix(start) if cause.startswith(start) else None


def _event(one: ErasureRequest) -> RequestEvent:
    return RequestEvent(
        request=one.id, subject=one.subject, kind="erasure", phase=one.phase.value, opened_on=one.opened_on, due_on=one.due_on
    )
