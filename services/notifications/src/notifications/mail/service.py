"""Queuing mails and ending them: whoever asks, one mail per cause, and one delivery event for each end."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import structlog
from chassis import trace
from chassis.clock import Clock
from chassis.crypto import decrypt, encrypt
from chassis.erasure import is_erased
from chassis.keyring import Keyring, NoKeyError
from chassis.mongo import Mongo
from chassis.sealing import SealDarkError, SealedInbox
from chassis.uow import Document, Reads, UnitOfWork
from contracts.kinds import Sealed
from contracts.notifications.delivery import DeliveryEvent
from contracts.shapes.mail_request import MailDetails, MailRequestEvent

from notifications.mail import store
from notifications.mail.model import Reason, State, Target
from notifications.templates import AFTER_CLOSING

log = structlog.get_logger()
KEY_CLASS = "mail"
CONTACT = "contact"
"""What a mail waits for whose person cannot be mailed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    """A mail to queue: to whom, which template, why, and what it shows (`facts`, which are never personal)."""

    cause: str
    asker: str
    subject: str
    template: str
    language: str
    facts: dict[str, str]
    target: Target = Target.ACCOUNT
    tags: dict[str, str] = field(default_factory=dict)
    """What the mail hangs on, as `search` and `vacancy`: looked at again before it is sent."""


def queue(uow: UnitOfWork, new: NewMail, *, now: datetime, details: bytes | None = None, dark: bool = False) -> None:
    """Queue a mail once; `details` is what only the mail may know, encrypted."""
    document: Document = {
        "_id": new.cause,
        "asker": new.asker,
        "subject": new.subject,
        "template": new.template,
        "language": new.language,
        "facts": new.facts,
        "target": new.target,
        "tags": new.tags,
        "details": details,
        "dark": dark,
        "state": State.QUEUED,
        "reason": None,
        "attempts": 0,
        "asked_at": now,
        "due_at": now,
        "waits_for": None,
        "traceparent": trace.current(),
    }
    store.offer(uow, document)


@dataclass(frozen=True)
class MailRequests:
    """Takes the requests of other services: opens what they sealed and keeps it under the person's own key until it is sent."""

    keyring: Keyring
    inbox: SealedInbox
    clock: Clock

    async def take(self, uow: UnitOfWork, request: MailRequestEvent) -> None:
        """Queue the mail that is asked for; who is erased is only mailed about that, as long as their address is kept."""
        if await is_erased(uow, request.subject) and not await self._still_goes(request):
            return self._refuse(uow, request)
        new = NewMail(
            cause=request.cause,
            asker=type(request).topic.owner,
            subject=request.subject,
            template=request.template,
            language=request.language,
            facts=dict(request.facts),
            target=Target(request.address),
        )
        try:
            details = await self._kept(request)
        except NoKeyError:
            details, dark = None, True
        else:
            dark = request.sealed is not None and details is None
        if dark:
            log.error("mail_request_dark", cause=request.cause, subject=request.subject)
        queue(uow, new, now=self.clock.machine(), details=details, dark=dark)
        return None

    async def _still_goes(self, request: MailRequestEvent) -> bool:
        return request.template in AFTER_CLOSING and not await self.keyring.is_erased(request.subject)

    def _refuse(self, uow: UnitOfWork, request: MailRequestEvent) -> None:
        """Keep no row that would name an erased person again; whoever waits for a last mail's end is told that there is none.

        Such a request comes once more when its topic is read again beside an older dump.
        """
        log.info("mail_to_erased_person", cause=request.cause, subject=request.subject)
        if request.template in AFTER_CLOSING:
            asker = type(request).topic.owner
            uow.emit(DeliveryEvent(cause=request.cause, asker=asker, outcome=State.GIVEN_UP, on=self.clock.today()), sequence=1)

    async def _kept(self, request: MailRequestEvent) -> bytes | None:
        if request.sealed is None:
            return None
        opened = await open_box(self.inbox, request.sealed)
        if opened is None:
            return None
        key = await self.keyring.key(request.subject, KEY_CLASS)
        return encrypt(key, opened, subject=request.subject, path=request.cause)


async def open_box(inbox: SealedInbox, sealed: Sealed) -> bytes | None:
    """Return what a sender sealed to us, or None when its key is gone by now."""
    try:
        return await inbox.open_sealed(sealed.key_id, sealed.box)
    except SealDarkError:
        return None


async def open_details(keyring: Keyring, mail: Document) -> MailDetails:
    """Return what only this mail may know.

    Raises:
        NoKeyError: The person's key is gone.
    """
    if mail["details"] is None:
        return MailDetails()
    key = await keyring.existing(mail["subject"], KEY_CLASS)
    return MailDetails.model_validate_json(decrypt(key, mail["details"], subject=mail["subject"], path=mail["_id"]))


def end(uow: UnitOfWork, mail: Document, *, state: State, reason: Reason, on: date, now: datetime) -> None:
    """Write how a mail ended and tell its asker, in one unit of work."""
    fields: dict[str, Any] = {"state": state, "reason": reason, "on": on.isoformat(), "ended_at": now}
    store.end(uow, mail["_id"], fields)
    uow.emit(DeliveryEvent(cause=mail["_id"], asker=mail["asker"], outcome=state, on=on), sequence=1)


async def waiting(mongo: Mongo, *, now: datetime) -> tuple[int, datetime | None]:
    """Return how many mails wait, and since when the latest is due."""
    return await store.waiting(mongo, now)


async def count_due(mongo: Mongo, *, now: datetime, limit: int) -> int:
    """Return how many mails could go now, counted no further than `limit`."""
    return await store.count_due(mongo, now, limit=limit)


async def any_due(reads: Reads, now: datetime) -> bool:
    """Tell whether a mail can be claimed."""
    return await store.any_due(reads, now)


async def claim(uow: UnitOfWork, *, now: datetime, until: datetime, token: str, limit: int) -> list[Document]:
    """Take the mails that have been due longest, until the lease's end; the token proves the hold."""
    return await store.claim(uow, now=now, until=until, token=token, limit=limit)


async def holds(uow: UnitOfWork, cause: str, token: str) -> bool:
    """Tell whether a token still holds a mail; whoever changes the mail asks in the same unit of work."""
    return await store.held(uow, cause, token) is not None


def mark(uow: UnitOfWork, cause: str, at: datetime) -> None:
    """Write that a mail's message is about to be handed over, so that whoever finds it later knows that it may have been."""
    store.mark(uow, cause, at)


async def overdue(reads: Reads, *, asked_before: datetime, now: datetime, limit: int) -> list[Document]:
    """Return queued mails that nobody holds and that were asked for too long ago."""
    return await store.overdue(reads, asked_before=asked_before, now=now, limit=limit)


def put_back(uow: UnitOfWork, mail: Document, *, due_at: datetime, reason: Reason) -> None:
    """Let a mail be tried again later; one that waits for its person's contact says so, and goes as soon as that comes."""
    waits_for = CONTACT if reason is Reason.NO_CONTACT else None
    store.put_back(uow, mail["_id"], due_at=due_at, reason=reason, waits_for=waits_for)


async def forget(uow: UnitOfWork, subject: str, *, but: frozenset[str] = frozenset()) -> int:
    """Drop all mails to a person, sent or not, save those of the templates `but`, and return how many there were."""
    found = [one for one in await store.of_subject(uow, subject) if one["template"] not in but]
    for one in found:
        store.remove(uow, one["_id"])
    return len(found)


def hurry(uow: UnitOfWork, subject: str, *, waits_for: str, now: datetime) -> None:
    """Make a person's waiting mails due, because what they wait for has come."""
    store.hurry(uow, subject, waits_for=waits_for, now=now)
