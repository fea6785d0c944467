"""Pure rules of sending: how long to wait, and what an answer of the mail server means. No I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from notifications.mail.model import MailClass, Reason, State


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
