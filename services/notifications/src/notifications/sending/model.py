"""Pure rules of sending: how long to wait, what an answer of the mail server means, how a message is built. No I/O."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from enum import StrEnum
from typing import Any
from unicodedata import normalize

from chassis.hashing import normal_domain

from notifications.mail.model import MailClass, Reason, State

UNSUBSCRIBE = "List-Unsubscribe"


class Answer(StrEnum):
    """What one try at the mail server came to."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """For good (5xx about this recipient or this message)."""

    DEFERRED = "deferred"
    """Not now (4xx, or trouble before the message was handed over); it is certain that the server did not take it."""

    UNSURE = "unsure"
    """The connection went away between the message and the server's answer: it may have been taken."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a mail is tried: waiting doubles from `first` to `longest`, and ends `give_up_after` its request."""

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=1)
    give_up_after: timedelta = timedelta(days=4)

    def wait(self, attempts: int) -> timedelta:
        """Return how long to wait, at most, after that many tries (the caller jitters it)."""
        doublings = min(max(attempts, 1) - 1, 30)
        doubled: timedelta = self.first * 2**doublings
        return min(doubled, self.longest)

    def too_old(self, *, asked_at: datetime, now: datetime) -> bool:
        """Tell whether it is too late for another try."""
        return now - asked_at >= self.give_up_after


@dataclass(frozen=True, slots=True)
class Again:
    """The mail stays in the queue, for this reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Ended:
    """The mail leaves the queue in this state, for this reason."""

    state: State
    reason: Reason


def verdict(answer: Answer, *, mail_class: MailClass, too_old: bool) -> Again | Ended:
    """Return what an answer means for a mail of that class."""
    if answer is Answer.ACCEPTED:
        return Ended(State.ACCEPTED, Reason.TAKEN)
    if answer is Answer.REFUSED:
        return Ended(State.BOUNCED, Reason.REFUSED)
    if answer is Answer.UNSURE and mail_class is MailClass.AT_MOST_ONCE:
        return Ended(State.GIVEN_UP, Reason.UNSURE)
    if too_old:
        return Ended(State.GIVEN_UP, Reason.TOO_OLD)
    return Again(Reason.UNSURE if answer is Answer.UNSURE else Reason.DEFERRED)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's words: subject line, plain text and HTML, in one language."""

    subject: str
    text: str
    html: str
    language: str


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Who mails, and where answers go."""

    address: str
    display_name: str
    reply_to: str

    @property
    def domain(self) -> str:
        """The sender's domain, which message ids carry."""
        return self.address.rpartition("@")[2]


def message_id(cause: str, domain: str) -> str:
    """Return the Message-ID of a cause: the same for every copy, and it tells nothing about whom it is for."""
    return f"<{hashlib.sha256(cause.encode()).hexdigest()[:40]}@{domain}>"


def ascii_address(address: str) -> str:
    """Return the address as it is handed to a mail server: the mailbox that its hash stands for, and no other.

    The domain as `chassis.hashing` takes it (the standard library's codec would send straße.de's mail to strasse.de), the local
    part in the one form that RFC 6531 asks for.

    Raises:
        ValueError: It is no address, or one that a mail program would read as another (a comment, a group).
    """
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or any(sign.isspace() for sign in address) or parseaddr(address)[1] != address:
        raise ValueError("not an address")
    return f"{normalize('NFC', local)}@{normal_domain(domain)}"


class _Policy(EmailPolicy):
    """Leaves the link in a header as it is: the standard policy encodes what is over 78 characters, and no reader decodes it."""

    def fold(self, name: str, value: Any) -> str:
        """Return the header's lines as text."""
        return f"{name}: {value}{self.linesep}" if name == UNSUBSCRIBE else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return the header's lines as bytes."""
        return self.fold(name, value).encode() if name == UNSUBSCRIBE else super().fold_binary(name, value)


def build(
    *, cause: str, sender: Correspondent, to: str, rendered: Rendered, at: datetime, unsubscribe: str | None = None
) -> EmailMessage:
    """Return the message: plain text with an HTML alternative, and the headers that mail servers and readers look for.

    With `unsubscribe` (an https address that takes a POST without sign-in) it offers one-click unsubscribe (RFC 8058). Whatever
    would break out of a header is refused by the email policy with a ValueError.
    """
    local, _, domain = to.rpartition("@")
    message = EmailMessage(policy=_Policy(linesep=SMTP.linesep, utf8=not to.isascii()))
    message["From"] = Address(display_name=sender.display_name, addr_spec=sender.address)
    message["To"] = Address(username=local, domain=domain)
    message["Reply-To"] = sender.reply_to
    message["Subject"] = " ".join(rendered.subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(cause, sender.domain)
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe is not None:
        message[UNSUBSCRIBE] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = rendered.language  # last: earlier it would move into the first part
    return message
