"""The order in which a request to be erased is fulfilled."""

from datetime import date, timedelta

import pytest
from consent.requests.model import (
    DARK_AFTER,
    ErasureRequest,
    Kept,
    Part,
    Phase,
    Word,
    ask_last_mail,
    confirm,
    hear_of_last_mail,
    month_later,
    open_request,
)

TODAY = date(2026, 7, 1)


def opened() -> ErasureRequest:
    return open_request(request="r", subject="s", link_hash="h", language="nl", today=TODAY)


def part(phase: Phase, on: date = TODAY, kept: tuple[Kept, ...] = ()) -> Part:
    return Part(phase, on, {"things": 1}, "receipt", kept)


def by_all_services() -> ErasureRequest:
    request = opened()
    for service in ("profiles", "notifications", "consent"):
        request = confirm(request, service, part(Phase.SERVICES))
    return request


def test_every_service_is_waited_for_and_named_and_identity_comes_after_them():
    request = opened()
    assert request.waiting_for == ["consent", "notifications", "profiles"]
    request = confirm(request, "profiles", part(Phase.SERVICES))
    assert (request.phase, request.waiting_for) == (Phase.SERVICES, ["consent", "notifications"])
    assert confirm(request, "identity", part(Phase.IDENTITY)).phase is Phase.SERVICES
    assert by_all_services().phase is Phase.IDENTITY
    assert by_all_services().waiting_for == ["identity"]


def test_what_identity_confirmed_too_early_counts_when_its_turn_comes():
    early = confirm(opened(), "identity", part(Phase.IDENTITY))
    for service in ("profiles", "notifications", "consent"):
        early = confirm(early, service, part(Phase.SERVICES))
    assert (early.phase, early.wants_last_mail) == (Phase.IDENTITY, True)


def test_where_to_mail_to_goes_only_after_the_last_mail():
    request = confirm(by_all_services(), "identity", part(Phase.IDENTITY))
    assert (request.phase, request.waiting_for, request.wants_last_mail) == (Phase.IDENTITY, [], True)
    request = ask_last_mail(request)
    assert (request.phase, request.wants_last_mail) == (Phase.IDENTITY, False)
    request = hear_of_last_mail(request, Word.ACCEPTED, today=TODAY)
    assert (request.phase, request.waiting_for) == (Phase.CONTACT, ["notifications"])
    closed = confirm(request, "notifications", part(Phase.CONTACT, TODAY + timedelta(days=2)))
    assert (closed.phase, closed.closed_on, closed.waiting_for) == (Phase.CLOSED, TODAY + timedelta(days=2), [])
    assert closed.dark_on == TODAY + timedelta(days=2) + DARK_AFTER


@pytest.mark.parametrize("outcome", [Word.BOUNCED, Word.GIVEN_UP])
def test_who_cannot_be_told_is_erased_all_the_same(outcome: Word):
    request = ask_last_mail(confirm(by_all_services(), "identity", part(Phase.IDENTITY)))
    assert hear_of_last_mail(request, outcome, today=TODAY).phase is Phase.CONTACT


def test_news_of_the_last_mail_that_comes_too_early_counts_when_its_turn_comes():
    early = hear_of_last_mail(opened(), Word.ACCEPTED, today=TODAY)
    assert early.phase is Phase.SERVICES
    for service in ("profiles", "notifications", "consent"):
        early = confirm(early, service, part(Phase.SERVICES))
    assert early.phase is Phase.IDENTITY
    assert confirm(early, "identity", part(Phase.IDENTITY)).phase is Phase.CONTACT


def test_what_became_of_the_last_mail_is_said_once():
    request = hear_of_last_mail(by_all_services(), Word.BOUNCED, today=TODAY)
    assert hear_of_last_mail(request, Word.ACCEPTED, today=TODAY) == request


def test_a_confirmation_that_comes_again_or_late_changes_nothing():
    request = ask_last_mail(confirm(by_all_services(), "identity", part(Phase.IDENTITY)))
    request = hear_of_last_mail(request, Word.ACCEPTED, today=TODAY)
    closed = confirm(request, "notifications", part(Phase.CONTACT))
    for again in (part(Phase.CONTACT), part(Phase.SERVICES)):
        assert confirm(closed, "notifications", again) == closed


def test_what_the_law_keeps_is_named_whoever_keeps_it():
    log, proof = Kept("access-log", "gdpr-5-2", date(2028, 7, 1)), Kept("consent-records", "gdpr-7-1", date(2031, 7, 1))
    request = confirm(opened(), "profiles", part(Phase.SERVICES, kept=(log,)))
    assert confirm(request, "consent", part(Phase.SERVICES, kept=(proof,))).kept == [proof, log]


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 7, 1), date(2026, 8, 1)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2026, 5, 31), date(2026, 6, 30)),
    ],
)
def test_the_term_ends_on_the_same_day_of_the_next_month_or_on_its_last(day: date, later: date):
    assert month_later(day) == later
