"""Pure rules of sending: waiting and verdicts."""

from datetime import UTC, datetime, timedelta

import pytest
from notifications.mail.model import MailClass, Reason, State
from notifications.sending.model import Again, Answer, Ended, Retries, verdict

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_waiting_doubles_up_to_the_longest_and_never_overflows():
    retries = Retries(first=timedelta(seconds=30), longest=timedelta(hours=1))
    waits = [retries.wait(attempts).total_seconds() for attempts in (0, 1, 2, 3, 8, 10_000)]
    assert waits == [30, 30, 60, 120, 3600, 3600]


def test_a_mail_is_too_old_exactly_when_its_term_is_over():
    retries = Retries(give_up_after=timedelta(days=4))
    assert not retries.too_old(asked_at=AT, now=AT + timedelta(days=4, seconds=-1))
    assert retries.too_old(asked_at=AT, now=AT + timedelta(days=4))


@pytest.mark.parametrize("mail_class", MailClass)
@pytest.mark.parametrize("too_old", [False, True])
def test_what_the_server_said_for_certain_ends_a_mail_of_either_class(mail_class, too_old):
    assert verdict(Answer.ACCEPTED, mail_class=mail_class, too_old=too_old) == Ended(State.ACCEPTED, Reason.TAKEN)
    assert verdict(Answer.REFUSED, mail_class=mail_class, too_old=too_old) == Ended(State.BOUNCED, Reason.REFUSED)


@pytest.mark.parametrize("mail_class", MailClass)
def test_a_deferred_mail_is_tried_again_until_it_is_too_old(mail_class):
    assert verdict(Answer.DEFERRED, mail_class=mail_class, too_old=False) == Again(Reason.DEFERRED)
    assert verdict(Answer.DEFERRED, mail_class=mail_class, too_old=True) == Ended(State.GIVEN_UP, Reason.TOO_OLD)


def test_when_unsure_only_a_mail_that_must_arrive_is_sent_again():
    assert verdict(Answer.UNSURE, mail_class=MailClass.MUST_ARRIVE, too_old=False) == Again(Reason.UNSURE)
    assert verdict(Answer.UNSURE, mail_class=MailClass.AT_MOST_ONCE, too_old=False) == Ended(State.GIVEN_UP, Reason.UNSURE)
