"""A mail server in front of the mail catcher that refuses, defers, hangs or goes away when told to, and writes down what it took.

Its record is what nobody else can know: whether it took a mail, and whether the sender can have heard so.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session
from aiosmtplib import SMTPException
from aiosmtplib import send as forward

Kind = Literal["defer-recipient", "defer", "reject-recipient", "reject", "hang", "hang-untaken", "late", "close", "close-untaken"]
TAKES = {"hang", "late", "close"}
SAYS: dict[str, str] = {
    "defer-recipient": "450 4.2.0 not now",
    "defer": "451 4.3.0 not now",
    "reject-recipient": "550 5.1.1 nobody of that name",
    "reject": "554 5.7.1 not this message",
}
TAKEN = "250 2.0.0 taken"


@dataclass
class Mood:
    """What the server does with the next `times` mails (with all while it lasts, when 0); `late` answers after `seconds`."""

    kind: Kind
    times: int = 0
    seconds: float = 0
    met: int = 0

    @property
    def over(self) -> bool:
        """Whether it has met as many mails as it was for."""
        return 0 < self.times <= self.met


@dataclass(frozen=True)
class Posted:
    """One line of the record. `taken`: it has the mail; `said`: what it answered, nothing when it kept silent."""

    message_id: str
    to: str
    taken: bool
    said: str
    heard: bool = False
    """The sender came back on the same connection, so it knows the answer."""


@dataclass
class PostOffice:
    """The server's handler for aiosmtpd."""

    record: Path
    catcher: int
    """The port of the mail catcher."""
    moods: list[Mood] = field(default_factory=list)
    _last: dict[Session, Posted] = field(default_factory=dict)

    async def serve(self) -> asyncio.Server:
        """Listen at a port that is free."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: SMTP(self, hostname="between", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)

    @contextmanager
    def in_mood(self, mood: Mood) -> Iterator[Mood]:
        """Be in a mood."""
        self.moods.append(mood)
        try:
            yield mood
        finally:
            self.moods.remove(mood)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names its hooks so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if mood := self._mood("defer-recipient", "reject-recipient"):
            return SAYS[mood.kind]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 known"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd names its hooks so
        """Take a message and say so; or one of the two, or neither."""
        mood = self._mood("defer", "reject", "hang", "hang-untaken", "late", "close", "close-untaken")
        kind = mood.kind if mood else ""
        posted = Posted(_message_id(envelope), ",".join(envelope.rcpt_tos), taken=False, said=SAYS.get(kind, ""))
        if mood is None or kind in TAKES:
            posted = await self._taken(envelope, posted)
        if mood is None or kind in SAYS or (not posted.taken and kind in TAKES):
            return self._answered(session, posted)
        self._write(posted)
        if kind in {"close", "close-untaken"}:
            _hang_up(server)
        # a client that goes away ends this call
        await asyncio.sleep(mood.seconds if kind == "late" else 3600)
        return TAKEN

    async def handle_RSET(self, _server: SMTP, session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd names its hooks so
        """Note that the sender goes on."""
        self._heard(session)
        return "250 OK"

    async def handle_QUIT(self, _server: SMTP, session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd names its hooks so
        """Note that the sender takes its leave."""
        self._heard(session)
        return "221 Bye"

    def _mood(self, *kinds: Kind) -> Mood | None:
        mood = next((one for one in self.moods if one.kind in kinds and not one.over), None)
        if mood is not None:
            mood.met += 1
        return mood

    async def _taken(self, envelope: Envelope, posted: Posted) -> Posted:
        """Hand the message to the catcher; when that is away, it was not taken."""
        try:
            await forward(
                _bytes(envelope),
                sender=envelope.mail_from or "",
                recipients=envelope.rcpt_tos,
                hostname="127.0.0.1",
                port=self.catcher,
                mail_options=envelope.mail_options,
                start_tls=False,
            )
        except (SMTPException, OSError):
            return replace(posted, said=SAYS["defer"])
        return replace(posted, taken=True, said=TAKEN)

    def _answered(self, session: Session, posted: Posted) -> str:
        self._write(posted)
        if posted.taken:
            self._last[session] = posted
        return posted.said

    def _heard(self, session: Session) -> None:
        posted = self._last.pop(session, None)
        if posted is not None:
            self._write(replace(posted, heard=True))

    def _write(self, posted: Posted) -> None:
        with self.record.open("a") as file:
            file.write(json.dumps(posted.__dict__) + "\n")


def read(record: Path) -> list[Posted]:
    """Read a record."""
    lines = record.read_text().splitlines() if record.exists() else []
    return [Posted(**json.loads(line)) for line in lines]


def _hang_up(server: SMTP) -> None:
    transport: Any = server.transport
    transport.abort()


def _bytes(envelope: Envelope) -> bytes:
    content: Any = envelope.content
    return content if isinstance(content, bytes) else str(content).encode()


def _message_id(envelope: Envelope) -> str:
    return str(BytesHeaderParser().parsebytes(_bytes(envelope))["Message-ID"]).strip()
