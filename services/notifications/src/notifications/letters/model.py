"""How a letter becomes the bytes that travel: plain text with an HTML alternative, and the headers around them. No I/O.

The bytes are written out, because the standard library's message object parses and folds each header several times, which costs
more than everything else in sending. It is still asked for what is not plain: a name, a subject or an address with other signs
than ASCII, or too long for one line. Nothing gets past it that could break out of a header.
"""

import hashlib
import re
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from unicodedata import normalize

from chassis.hashing import normal_domain

_PLAIN_TEXT = re.compile(r"[ -~]{1,60}")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")

_BOUNDARY = "=_words"
"""Parts the two texts: quoted-printable never writes `=_`, so they cannot hold it."""


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


def build(
    *, cause: str, sender: Correspondent, to: str, rendered: Rendered, at: datetime, unsubscribe: str | None = None
) -> bytes:
    """Return the message with the headers that mail servers and readers look for.

    With `unsubscribe` (an https address that takes a POST without sign-in) it offers one-click unsubscribe (RFC 8058).

    Raises:
        ValueError: Something would break out of a header.
    """
    utf8 = not to.isascii()
    head = [
        *_correspondent(sender, utf8),
        _to(to, utf8),
        _subject(" ".join(rendered.subject.split()), utf8),
        _line("Date", format_datetime(at)),
        _line("Message-ID", message_id(cause, sender.domain)),
        _line("Auto-Submitted", "auto-generated"),
        *(_one_click(unsubscribe) if unsubscribe is not None else ()),
        _line("Content-Language", rendered.language),
        _line("MIME-Version", "1.0"),
        _line("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'),
    ]
    parts = (_part("plain", rendered.text), _part("html", rendered.html))
    return "".join(head).encode() + b"".join(parts) + f"\r\n--{_BOUNDARY}--\r\n".encode()


@lru_cache(maxsize=8)
def _correspondent(sender: Correspondent, utf8: bool) -> tuple[str, str]:
    name = Address(display_name=sender.display_name, addr_spec=sender.address)
    return _folded("From", name, utf8), _folded("Reply-To", sender.reply_to, utf8)


def _to(address: str, utf8: bool) -> str:
    if len(address) <= 60 and _PLAIN_ADDRESS.fullmatch(address):
        return _line("To", address)
    local, _, domain = address.rpartition("@")
    return _folded("To", Address(username=local, domain=domain), utf8)


def _subject(subject: str, utf8: bool) -> str:
    return _line("Subject", subject) if _PLAIN_TEXT.fullmatch(subject) else _folded("Subject", subject, utf8)


def _one_click(address: str) -> tuple[str, str]:
    """Return both headers, the link whole: the standard policy encodes what is over 78 characters, and no reader decodes it."""
    return _line("List-Unsubscribe", f"<{address}>"), _line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def _line(name: str, value: str) -> str:
    """Return a header that needs neither folding nor encoding."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"not for one line of ASCII: {name}")
    return f"{name}: {value}\r\n"


def _folded(name: str, value: str | Address, utf8: bool) -> str:
    """Return a header as the standard library encodes and folds it; it refuses a line break."""
    policy = SMTPUTF8 if utf8 else SMTP
    folded: str = policy.fold(*policy.header_store_parse(name, value))
    return folded


def _part(subtype: str, text: str) -> bytes:
    head = (
        f"\r\n--{_BOUNDARY}\r\n",
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n',
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    )
    lines = b"".join(line + b"\r\n" for line in text.encode().splitlines())
    return "".join(head).encode() + b2a_qp(lines, istext=True)
