"""What a presented refresh token means."""

from datetime import UTC, datetime, timedelta

import pytest
from identity.sessions.model import EndReason, RefreshTokens, Session, Terms, Verdict, judge

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TERMS = Terms(idle=timedelta(days=30), absolute=timedelta(days=90), grace=timedelta(seconds=30))
TOKENS = RefreshTokens(b"k" * 32)
SESSION = "01890000-0000-7000-8000-000000000001"
FIRST = TOKENS.first(SESSION, "secret")


def started() -> Session:
    return Session(
        id=SESSION,
        sequence=1,
        account="a",
        role="candidate",
        organisation=None,
        amr=("pwd",),
        started_at=NOW,
        used_at=NOW,
        over_at=NOW + TERMS.absolute,
        token_hash=TOKENS.hash(FIRST),
    )


def rotated_once() -> tuple[Session, str]:
    successor = TOKENS.successor(FIRST, "nonce")
    return started().rotated(TOKENS.hash(successor), "nonce", NOW), successor


def verdict(session: Session, token: str, after: timedelta) -> Verdict:
    return judge(session, TOKENS.hash(token), now=NOW + after, terms=TERMS)


def test_the_current_token_is_replaced() -> None:
    assert verdict(started(), FIRST, timedelta(minutes=5)) is Verdict.ROTATE


def test_a_lost_race_is_answered_with_the_same_successor() -> None:
    session, successor = rotated_once()
    assert verdict(session, FIRST, timedelta(seconds=29)) is Verdict.REPEAT
    assert TOKENS.successor(FIRST, session.nonce) == successor
    assert TOKENS.hash(successor) == session.token_hash


def test_a_replaced_token_after_the_grace_is_theft() -> None:
    session, _ = rotated_once()
    assert verdict(session, FIRST, timedelta(seconds=30)) is Verdict.STOLEN


def test_a_token_from_before_the_last_one_is_theft_even_within_the_grace() -> None:
    session, successor = rotated_once()
    third = TOKENS.successor(successor, "another")
    session = session.rotated(TOKENS.hash(third), "another", NOW)
    assert verdict(session, FIRST, timedelta(seconds=1)) is Verdict.STOLEN
    assert verdict(session, successor, timedelta(seconds=1)) is Verdict.REPEAT


@pytest.mark.parametrize("after", [TERMS.idle, TERMS.absolute])
def test_a_session_that_rested_or_lived_too_long_is_over(after: timedelta) -> None:
    assert verdict(started(), FIRST, after) is Verdict.OVER


def test_use_moves_the_idle_limit_and_never_the_absolute_one() -> None:
    session = started()
    token, now = FIRST, NOW
    for days in range(25, 90, 25):
        now = NOW + timedelta(days=days)
        assert judge(session, TOKENS.hash(token), now=now, terms=TERMS) is Verdict.ROTATE
        token = TOKENS.successor(token, "n")
        session = session.rotated(TOKENS.hash(token), "n", now)
    assert judge(session, TOKENS.hash(token), now=NOW + timedelta(days=90), terms=TERMS) is Verdict.OVER


def test_an_ended_session_accepts_nothing_and_keeps_nothing_to_compare_with() -> None:
    session = started().ended(EndReason.SIGNED_OUT, NOW)
    assert verdict(session, FIRST, timedelta()) is Verdict.OVER
    assert (session.token_hash, session.previous_hash, session.nonce) == ("", "", "")


def test_a_new_session_has_no_replaced_token_so_an_empty_one_fits_nothing() -> None:
    assert judge(started(), "", now=NOW, terms=TERMS) is Verdict.STOLEN


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "a.b.c.d", f"{SESSION}.secret.", f"{SESSION}.other.{FIRST.split('.')[2]}", "ünï.cöde.é"],
)
def test_a_token_that_we_did_not_make_names_no_session(token: str) -> None:
    assert TOKENS.session_of(token) is None


def test_our_own_token_names_its_session_and_no_other_key_makes_it() -> None:
    assert TOKENS.session_of(FIRST) == SESSION
    assert TOKENS.session_of(TOKENS.successor(FIRST, "n")) == SESSION
    assert RefreshTokens(b"j" * 32).session_of(FIRST) is None
