"""What is counted of mails, and what is read of their queue; for whom they are is in no metric."""

from chassis.clock import Clock
from chassis.metrics import State, counter
from chassis.mongo import Mongo
from chassis.uow import Document

from notifications.fanout import service as fanout
from notifications.mail import service as queue
from notifications.outward import service as outward
from notifications.templates import TEMPLATES

AGAIN = "again"
MAILS = counter(
    "kandidatenbank_mails",
    "Tries to send a mail: accepted, bounced, given-up, or again (it waits for the next try), and why.",
    "template",
    "outcome",
    "reason",
)
MAIL_SERVER_AWAY = counter("kandidatenbank_mail_server_away", "Times that mails were due and no mail server answered.")
MAILS_WAITING = State("kandidatenbank_mails_waiting", "Mails in the queue; counting stops at 10000.")
MAILS_OVERDUE = State("kandidatenbank_mails_overdue_seconds", "How long the mail that is due longest has been due; 0 for none.")

VACANCY_UNDER_WAY = State(
    "kandidatenbank_vacancy_under_way_seconds",
    "How long the vacancy that is under way for longest has not reached everybody yet; 0 for none.",
)

FORGETS_LATE = State("kandidatenbank_forgets_late", "Handles of which an organisation did not say in time that it forgot them.")
FOLLOWERS_WITHOUT_ACCESS = State(
    "kandidatenbank_followers_without_access",
    "Organisations that Kafka lets read the bank's topic and that may not see it.",
)


def count_mail(mail: Document, outcome: str, reason: str) -> None:
    """Count one try, or the end of a mail that is not tried any more."""
    MAILS.labels(mail["template"] if mail["template"] in TEMPLATES else "other", outcome, reason).inc()


async def read_mails(mongo: Mongo, clock: Clock) -> None:
    """Hold how many mails wait, and how late the latest is."""
    waiting, due_since = await queue.waiting(mongo, now=clock.machine())
    MAILS_WAITING.hold(waiting)
    MAILS_OVERDUE.hold((clock.machine() - due_since).total_seconds() if due_since else 0)


async def read_fanouts(mongo: Mongo, clock: Clock) -> None:
    """Hold how long a vacancy has been under way to those whom it fits."""
    since = await fanout.oldest_since(mongo)
    VACANCY_UNDER_WAY.hold((clock.machine() - since).total_seconds() if since else 0)


async def read_followers(mongo: Mongo) -> None:
    """Hold how much was not forgotten in time, and who may still read what they may not see."""
    FORGETS_LATE.hold(sum(one["forgets"] for one in await outward.late(mongo)))
    FOLLOWERS_WITHOUT_ACCESS.hold(await outward.without_access(mongo))
