"""Sending: claim what is due, make the letter, hand it to the mail server, write down what became of it.

One mail at a time over one connection. Everything that decides whether a mail may still go (account, contact, search, vacancy) is
read here, just before it goes, so that the order in which news about them arrived does not matter.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from chassis import trace
from chassis.clock import Clock
from chassis.consume import is_trouble
from chassis.ids import jitter, new_id
from chassis.mongo import Mongo, transact
from chassis.uow import Document, UnitOfWork

from notifications import metrics
from notifications.composing.service import Composer, Letter
from notifications.mail import service as queue
from notifications.mail.model import MailClass, Reason, State
from notifications.sending.model import Again, Answer, Ended, Retries, verdict
from notifications.smtp import Envelope, Mailer, Reply, UnreachableError

log = structlog.get_logger()
SWEPT = 200


class LeaseLostError(Exception):
    """The mail was claimed for too long, and somebody else may have it now: it is not handed over."""

    loggable = True


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a sender works: mails per claim, how long a claim holds, how long it rests when nothing is due."""

    batch: int = 10
    lease: timedelta = timedelta(minutes=5)
    rest: timedelta = timedelta(milliseconds=500)
    longest_wait: timedelta = timedelta(seconds=30)
    idle: timedelta = timedelta(seconds=20)
    """A connection over which nothing went for so long is closed."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends what is due, until it is cancelled; a mail that is being handed over is finished first."""

    mongo: Mongo
    clock: Clock
    composer: Composer
    mailer: Mailer
    retries: Retries
    pace: Pace = Pace()

    async def run(self) -> None:
        """Send for ever. While no mail server answers nothing is claimed, so no mail's tries are used up."""
        failures, used_at = 0, self.clock.machine()
        try:
            while True:
                try:
                    sent = await self.round()
                    failures = 0
                except UnreachableError as error:
                    failures += 1
                    metrics.MAIL_SERVER_AWAY.inc()
                    log.warning("mail_server_away", error=str(error), failures=failures)
                    await asyncio.sleep(jitter(min(self.retries.wait(failures), self.pace.longest_wait).total_seconds()))
                    continue
                if sent:
                    used_at = self.clock.machine()
                    continue
                if self.clock.machine() - used_at > self.pace.idle:
                    await self.mailer.close()
                await asyncio.sleep(jitter(self.pace.rest.total_seconds()))
        finally:
            await self.mailer.close()

    async def round(self) -> int:
        """Send one batch of what is due and return how many mails it took up.

        Raises:
            UnreachableError: Something is due, and no mail server answers.
        """
        if not await queue.any_due(self.mongo, self.clock.machine()):
            return 0
        await self.mailer.connect()
        token, until = new_id(), self.clock.machine() + self.pace.lease
        mails = await self._claim(token, until)
        for mail in mails:
            await _finishing(self._traced(mail, token, until))
        return len(mails)

    async def _claim(self, token: str, until: datetime) -> Sequence[Document]:
        async def work(uow: UnitOfWork) -> Sequence[Document]:
            now = self.clock.machine()
            return await queue.claim(uow, now=now, until=until, token=token, limit=self.pace.batch)

        return await transact(self.mongo, work)

    async def _traced(self, mail: Document, token: str, until: datetime) -> None:
        """Send one mail in the trace of whatever asked for it."""
        fields: trace.Fields = {"mail.template": mail["template"], "mail.attempt": mail["attempts"]}
        with trace.begin("send mail", mail.get("traceparent"), trace.Kind.CONSUMER, fields):
            await self._one(mail, token, until)

    async def _one(self, mail: Document, token: str, until: datetime) -> None:
        log_ = log.bind(cause=mail["_id"], template=mail["template"], subject=mail["subject"], attempt=mail["attempts"])
        if self.clock.machine() > until - self.pace.lease / 2:
            log_.info("mail_left_for_the_next_claim")
            return
        letter = await self.composer.compose(self.mongo, mail)
        try:
            fate = await self._try(letter, mail, token) if isinstance(letter, Letter) else self._aged(letter, mail)
        except LeaseLostError:
            log_.warning("mail_lease_lost")
            return
        await self._settle(mail, token, fate)
        metrics.count_mail(mail, fate.state if isinstance(fate, Ended) else metrics.AGAIN, fate.reason)
        log_.info("mail_settled", outcome=fate.state if isinstance(fate, Ended) else "again", reason=fate.reason)

    async def _try(self, letter: Letter, mail: Document, token: str) -> Again | Ended:
        async def before_data() -> None:
            if letter.mail_class is MailClass.AT_MOST_ONCE:
                await self._mark(mail["_id"], token)

        envelope = Envelope(letter.sender, letter.recipient, letter.message)
        try:
            await self.mailer.connect()
            reply = await self._hand_over(envelope, before_data)
        except UnreachableError:
            reply = Reply(Answer.DEFERRED)
        log.info("mail_answered", cause=mail["_id"], answer=reply.answer, code=reply.code)
        return verdict(reply.answer, mail_class=letter.mail_class, too_old=self._too_old(mail))

    async def _hand_over(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> Reply:
        with trace.inside("SMTP", trace.Kind.CLIENT) as span:
            reply = await self.mailer.send(envelope, before_data=before_data)
            span.note("mail.answer", reply.answer.value)
            span.note("mail.code", reply.code or 0)
            return reply

    async def _mark(self, cause: str, token: str) -> None:
        """Write down that the message is about to be handed over; whoever finds the mark later does not send it again."""

        async def work(uow: UnitOfWork) -> bool:
            held = await queue.holds(uow, cause, token)
            if held:
                queue.mark(uow, cause, self.clock.machine())
            return held

        if not await transact(self.mongo, work):
            raise LeaseLostError

    async def _settle(self, mail: Document, token: str, fate: Again | Ended) -> None:
        """Write down what became of it, however long the database is away: what the mail server said is known only here."""
        wait = 0.1
        while True:
            try:
                return await self._write_down(mail, token, fate)
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("mail_not_settled_yet", cause=mail["_id"], error=type(error).__name__)
            await asyncio.sleep(jitter(wait))
            wait = min(wait * 2, 5.0)

    async def _write_down(self, mail: Document, token: str, fate: Again | Ended) -> None:
        now, today = self.clock.machine(), self.clock.today()

        async def work(uow: UnitOfWork) -> None:
            if not await queue.holds(uow, mail["_id"], token):
                return
            if isinstance(fate, Ended):
                queue.end(uow, mail, state=fate.state, reason=fate.reason, on=today, now=now)
            else:
                due = now + timedelta(seconds=jitter(self.retries.wait(mail["attempts"]).total_seconds()))
                queue.put_back(uow, mail, due_at=due, reason=fate.reason)

        await transact(self.mongo, work)

    def _aged(self, fate: Again | Ended, mail: Document) -> Again | Ended:
        """End what was to be tried again, when it is too late for that."""
        if isinstance(fate, Again):
            return verdict(Answer.DEFERRED, mail_class=MailClass.MUST_ARRIVE, too_old=True) if self._too_old(mail) else fate
        return fate

    def _too_old(self, mail: Document) -> bool:
        return self.retries.too_old(asked_at=mail["asked_at"], now=self.clock.machine())


async def give_up_overdue(mongo: Mongo, *, clock: Clock, retries: Retries) -> int:
    """End mails that were asked for too long ago, also while no mail server answers; a job."""

    async def work(uow: UnitOfWork) -> Sequence[Document]:
        now = clock.machine()
        mails = await queue.overdue(uow, asked_before=now - retries.give_up_after, now=now, limit=SWEPT)
        for mail in mails:
            queue.end(uow, mail, state=State.GIVEN_UP, reason=Reason.TOO_OLD, on=clock.today(), now=now)
        return mails

    ended = await transact(mongo, work)
    for mail in ended:
        metrics.count_mail(mail, State.GIVEN_UP, Reason.TOO_OLD)
    return len(ended)


async def _finishing(work: Coroutine[Any, Any, None]) -> None:
    """Await it to its end even when this task is cancelled meanwhile: a mail half handed over would be unsure for nothing."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
