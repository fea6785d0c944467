"""Makes a letter of a queued mail, just before it is sent: whether it may still go, where to, and with which words."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from chassis.clock import Clock
from chassis.crypto import UnreadableError
from chassis.keyring import Keyring, NoKeyError
from chassis.uow import Document, Reads
from chassis.wrapped import UnusableKeyError
from contracts.shapes.mail_request import MailDetails
from jinja2 import TemplateError

from notifications.contacts import service as contacts
from notifications.contacts.service import Contact, Contacts, Standing
from notifications.letters.model import Correspondent, Rendered, ascii_address, build
from notifications.mail import service as queue
from notifications.mail.model import MailClass, Reason, State, Target
from notifications.sending.model import Again, Ended
from notifications.templates import TEMPLATES, Template
from notifications.templates.service import words

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to be handed over."""

    mail_class: MailClass
    sender: str
    recipient: str
    message: bytes


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What notifications adds to a mail from what it keeps itself."""

    variables: Mapping[str, Any]
    unsubscribe: str | None = None


Own = Callable[[Reads, Document], Awaitable[OwnWords | None]]
"""Gives a mail's own words; None when the mail is not wanted any more."""


@dataclass(frozen=True, kw_only=True)
class Composer:
    """Makes letters. `own` names, for templates with words of our own, who gives them."""

    keyring: Keyring
    clock: Clock
    contacts: Contacts
    correspondent: Correspondent
    public_url: str
    own: Mapping[str, Own]

    async def compose(self, reads: Reads, mail: Document) -> Letter | Again | Ended:
        """Return the letter, or why there is none: for now, or for ever."""
        template = TEMPLATES.get(mail["template"])
        if template is None:
            log.error("template_unknown", template=mail["template"], cause=mail["_id"])
            return Again(Reason.UNFIT)
        if mail.get("marked_at") is not None:
            return Ended(State.GIVEN_UP, Reason.UNSURE)
        if mail["dark"]:
            return Ended(State.GIVEN_UP, Reason.DARK)
        standing = await contacts.standing(reads, mail["subject"])
        if standing is Standing.ENDED or (standing is Standing.LEAVING and not template.after_closing):
            return Ended(State.GIVEN_UP, Reason.ACCOUNT_CLOSED)
        if standing is Standing.UNCLEAR:
            return Again(Reason.NO_CONTACT)
        try:
            return await self._written(reads, mail, template)
        except NoKeyError:
            return Ended(State.GIVEN_UP, Reason.DARK)
        except (TemplateError, UnreadableError, UnusableKeyError, LookupError, ValueError) as error:
            # Ours or the asker's mistake: it stays until it is mended or too old. The error's text may quote a value.
            log.error("mail_unfit", template=mail["template"], cause=mail["_id"], error=type(error).__name__)
            return Again(Reason.UNFIT)

    async def _written(self, reads: Reads, mail: Document, template: Template) -> Letter | Again | Ended:
        details = await queue.open_details(self.keyring, mail)
        to = await self._recipient(reads, mail, details)
        if to is None:
            return Again(Reason.NO_CONTACT)
        own = await self._own(reads, mail, template)
        if own is None:
            return Ended(State.GIVEN_UP, Reason.NOT_WANTED)
        variables = self._variables(mail, template, details) | dict(own.variables)
        subject, text, html = words(mail["template"], to.language, variables)
        address = ascii_address(to.address)
        message = build(
            cause=mail["_id"],
            sender=self.correspondent,
            to=address,
            rendered=Rendered(subject, text, html, to.language),
            at=self.clock.machine(),
            unsubscribe=own.unsubscribe,
        )
        return Letter(MailClass(template.mail_class), self.correspondent.address, address, message)

    async def _recipient(self, reads: Reads, mail: Document, details: MailDetails) -> Contact | None:
        if mail["target"] == Target.ACCOUNT:
            return await self.contacts.of(reads, mail["subject"])
        if details.address is None:
            raise LookupError("the box holds no address")
        return Contact(details.address, mail["language"])

    async def _own(self, reads: Reads, mail: Document, template: Template) -> OwnWords | None:
        return await self.own[mail["template"]](reads, mail) if template.own else OwnWords({})

    def _variables(self, mail: Document, template: Template, details: MailDetails) -> dict[str, Any]:
        facts = {name.replace("-", "_"): value for name, value in mail["facts"].items()}
        known: dict[str, Any] = facts | {"portal_url": self.public_url, "greeting": details.greeting}
        if template.page is not None:
            if not details.secret:
                raise LookupError("the box holds no secret")
            known["link"] = f"{self.public_url.rstrip('/')}{template.page}{details.secret}"
        return known
