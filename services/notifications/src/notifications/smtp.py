"""The mail server: a port, and its real implementation over one kept SMTP connection.

The steps of one mail are taken one by one, because what a failure means depends on where it happens: before the message is
handed over it is certain that the server did not take it, afterwards it is not.
"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from aiosmtplib import SMTP, SMTPException, SMTPRecipientRefused, SMTPResponseException

from notifications.sending.model import Answer

HandOver = Callable[[], Awaitable[None]]


class UnreachableError(Exception):
    """No mail server answers, or it does not let us in: no mail's fault, so no mail is tried."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What travels: from whom, to whom, and the message's bytes."""

    sender: str
    recipient: str
    message: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What one try came to, with the server's code where it gave one."""

    answer: Answer
    code: int | None = None


class Mailer(Protocol):
    """Something that hands mails to a mail server, one at a time."""

    async def connect(self) -> None:
        """Make sure that the server answers.

        Raises:
            UnreachableError: It does not.
        """
        ...

    async def send(self, envelope: Envelope, *, before_data: HandOver) -> Reply:
        """Try one mail. `before_data` is awaited when the server takes sender and recipient, before it gets the message."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """How the server is reached. `tls`: `none`, `starttls`, or `implicit`."""

    host: str
    port: int
    tls: str = "none"
    username: str | None = None
    password: str | None = None
    timeout: timedelta = timedelta(seconds=30)


class SmtpMailer:
    """Hands mails over one connection, which is made anew when it has gone."""

    def __init__(self, server: SmtpServer, *, local_hostname: str) -> None:
        self._client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=ssl.create_default_context(),  # once: reading the authorities takes longer than connecting
            username=server.username,
            password=server.password,
            timeout=server.timeout.total_seconds(),
            local_hostname=local_hostname,
        )

    async def connect(self) -> None:
        """Keep the connection that answers, or make one."""
        if self._client.is_connected:
            try:
                await self._client.rset()
            except (SMTPException, OSError):
                pass
            else:
                return
        self._client.close()  # a client that is still connected refuses to connect
        try:
            await self._client.connect()
        except (SMTPException, OSError) as error:
            self._client.close()
            raise UnreachableError(type(error).__name__) from error

    async def send(self, envelope: Envelope, *, before_data: HandOver) -> Reply:
        """Try one mail on the connection that `connect` left."""
        opened = await self._open(envelope)
        if opened is not None:
            return opened
        await before_data()
        return await self._hand_over(envelope.message)

    async def close(self) -> None:
        """Say goodbye if somebody listens."""
        if self._client.is_connected:
            try:
                await self._client.quit()
            except (SMTPException, OSError):
                self._client.close()

    async def _open(self, envelope: Envelope) -> Reply | None:
        """Name sender and recipient; None means that the server takes both.

        Only a refused recipient is this mail's fault: a refused sender is ours (a wrong setting would bounce everybody).
        """
        options = ["SMTPUTF8"] if not envelope.recipient.isascii() else []
        if options and not self._client.supports_extension("smtputf8"):
            return Reply(Answer.REFUSED)
        encoding = "utf-8" if options else "ascii"
        try:
            await self._client.mail(envelope.sender, options=options, encoding=encoding)
            await self._client.rcpt(envelope.recipient, encoding=encoding)
        except SMTPRecipientRefused as error:
            return Reply(_refused_or_deferred(error.code), error.code)
        except SMTPResponseException as error:
            return Reply(Answer.DEFERRED, error.code)
        except (SMTPException, OSError):
            self._client.close()
            return Reply(Answer.DEFERRED)
        return None

    async def _hand_over(self, message: bytes) -> Reply:
        try:
            response = await self._client.data(message)
        except SMTPResponseException as error:
            return Reply(_refused_or_deferred(error.code), error.code)
        except (SMTPException, OSError):
            self._client.close()
            return Reply(Answer.UNSURE)
        return Reply(Answer.ACCEPTED, response.code)


def _refused_or_deferred(code: int) -> Answer:
    return Answer.REFUSED if 500 <= code < 600 else Answer.DEFERRED
