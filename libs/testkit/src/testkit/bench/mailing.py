"""`mail`: letters made and sent over the connection that a sender keeps, against a new connection for each."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from chassis import outbox
from chassis.crypto import encrypt
from chassis.ids import new_id
from chassis.mongo import transact
from chassis.resources import connect
from chassis.uow import UnitOfWork
from notifications.app import INDEXES, Parts, make_sender, smtp_mailer, use_cases
from notifications.composing.service import Letter
from notifications.contacts import store as contacts
from notifications.contacts.service import KEY_CLASS, PATH
from notifications.mail import service as queue
from notifications.mail.service import NewMail
from notifications.sending.model import Answer
from notifications.sending.service import Sender
from notifications.settings import NotificationsSettings
from notifications.smtp import Envelope, HandOver, Mailer, Reply

from testkit.bench.figures import Figure, alternate
from testkit.bench.ground import Ground
from testkit.bench.processes import running, variables
from testkit.certificates import write_certificate
from testkit.ports import free_port

MAILS = 200
LOGIN = {"smtp_tls": "starttls", "smtp_username": "portaal", "smtp_password": "for the sink"}
"""As a relay in production wants it: TLS, and somebody it knows."""


class Reconnecting:
    """The baseline: a mailer that says goodbye after each mail."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self.connect, self.close = mailer.connect, mailer.close

    async def send(self, envelope: Envelope, *, before_data: HandOver) -> Reply:
        """Send over a connection that ends."""
        reply = await self._mailer.send(envelope, before_data=before_data)
        await self._mailer.close()
        return reply


async def mail(ground: Ground) -> list[Figure]:
    """Measure letters that are rendered and sent, alone and as the sender does it with its queue."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = await stack.enter_async_context(ground.database_name())
        smtp, health = free_port(), free_port()
        certificate = stack.enter_context(_trusted(write_certificate(folder / "relay.pem")))
        told: dict[str, Any] = variables(ground, database, health) | LOGIN | {"smtp_port": str(smtp)}
        settings = NotificationsSettings(**told)
        arguments = (str(smtp), str(health), str(certificate))
        await stack.enter_async_context(running("testkit.bench.sink", *arguments, told={}, port=health, log=folder / "sink.log"))
        made = connect(settings)
        await made.mongo.ensure_indexes(outbox.INDEXES, *INDEXES)
        parts, subject = use_cases(made), new_id()
        await _contact(parts, subject)
        kept = make_sender(parts, smtp_mailer(settings))
        each = replace(kept, mailer=Reconnecting(smtp_mailer(settings)))
        alone = await alternate(lambda: _sent(kept, subject), lambda: _sent(each, subject))
        queued = await alternate(lambda: _queue_emptied(kept, subject), lambda: _queue_emptied(each, subject), rounds=3)
        for sender in (kept, each):
            await sender.mailer.close()
        await made.close()
    baseline = "mails/s over a new connection for each"
    return [Figure("mail", "mails/s", baseline, alone, goal=4), Figure("mail-queue", "mails/s", baseline, queued)]


@contextmanager
def _trusted(certificate: Path) -> Iterator[Path]:
    """Trust a certificate in this process, where OpenSSL looks for the machine's authorities."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(certificate)
    try:
        yield certificate
    finally:
        os.environ.pop("SSL_CERT_FILE")
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


async def _contact(parts: Parts, subject: str) -> None:
    key = await parts.made.keyring.key(subject, KEY_CLASS)
    box = encrypt(key, b"okke@post.example", subject=subject, path=PATH)

    async def work(uow: UnitOfWork) -> None:
        contacts.put_contact(uow, subject, {"address": box, "language": "nl"})

    await transact(parts.made.mongo, work)


async def _sent(sender: Sender, subject: str) -> float:
    """Return the rate of letters that are composed and handed over."""
    queued = await _queued(sender, subject)

    async def nothing() -> None:
        return

    begun = time.perf_counter()
    for document in queued:
        letter = await sender.composer.compose(sender.mongo, document)
        assert isinstance(letter, Letter)  # noqa: S101 - anything else would be measured as a fast mail
        await sender.mailer.connect()
        envelope = Envelope(letter.sender, letter.recipient, letter.message)
        reply = await sender.mailer.send(envelope, before_data=nothing)
        assert reply.answer is Answer.ACCEPTED  # noqa: S101 - as above
    rate = MAILS / (time.perf_counter() - begun)
    await sender.mongo.database["mails"].delete_many({})
    return rate


async def _queue_emptied(sender: Sender, subject: str) -> float:
    """Return the rate at which a sender empties its queue."""
    await _queued(sender, subject)
    begun = time.perf_counter()
    while await sender.round():
        pass
    return MAILS / (time.perf_counter() - begun)


async def _queued(sender: Sender, subject: str) -> list[dict[str, Any]]:
    async def work(uow: UnitOfWork) -> None:
        for _ in range(MAILS):
            mail = NewMail(
                cause=f"profiles:renewed:{new_id()}",
                asker="profiles",
                subject=subject,
                template="profile-renewed",
                language="nl",
                facts={"visible-until": "2028-03-01"},
            )
            queue.queue(uow, mail, now=sender.clock.machine())

    await transact(sender.mongo, work)
    return await sender.mongo.find("mails", {"state": "queued"})
