"""The life of a signing key: announced before its use, never a moment without one, whatever the worker missed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from identity.keys.model import KeyTimes, Terms, next_key, signs_now

T0 = datetime(2026, 1, 1, tzinfo=UTC)
LIFE, NOTICE, TOKEN = timedelta(days=30), timedelta(hours=1), timedelta(minutes=10)
TERMS = Terms(life=LIFE, notice=NOTICE, token_life=TOKEN)


def test_the_very_first_key_is_used_at_once() -> None:
    assert next_key(None, TERMS, now=T0) == KeyTimes(T0, T0 + LIFE)


def test_nothing_is_made_while_the_newest_key_has_time() -> None:
    first = KeyTimes(T0, T0 + LIFE)
    assert next_key(first, TERMS, now=T0 + LIFE - NOTICE - timedelta(seconds=1)) is None


def test_the_next_key_is_announced_before_its_use() -> None:
    first = KeyTimes(T0, T0 + LIFE)
    now = T0 + LIFE - NOTICE
    second = next_key(first, TERMS, now=now)
    assert second == KeyTimes(first.use_until, first.use_until + LIFE)
    assert signs_now([first, second], now=now, token_life=TOKEN) == first
    assert signs_now([first, second], now=first.use_until, token_life=TOKEN) == second


def test_an_announced_key_is_not_announced_again() -> None:
    announced = KeyTimes(T0 + LIFE, T0 + 2 * LIFE)
    assert next_key(announced, TERMS, now=T0 + LIFE - timedelta(minutes=30)) is None


def test_a_key_that_is_late_but_in_the_margin_is_still_announced() -> None:
    first = KeyTimes(T0, T0 + LIFE)
    now = first.use_until + timedelta(hours=3)
    second = next_key(first, TERMS, now=now)
    assert second is not None
    assert second.use_from == now + NOTICE
    assert signs_now([first, second], now=now, token_life=TOKEN) == first


def test_after_weeks_without_a_worker_a_key_is_used_at_once() -> None:
    first = KeyTimes(T0, T0 + LIFE)
    assert next_key(first, TERMS, now=T0 + 3 * LIFE) == KeyTimes(T0 + 3 * LIFE, T0 + 4 * LIFE)


@given(st.lists(st.integers(min_value=1, max_value=80 * 24 * 60), min_size=1, max_size=40))
def test_after_each_turn_of_the_job_there_is_a_key_until_the_next_announced_one(gaps: list[int]) -> None:
    """The job may stand still for minutes or months; whenever it has run, some key signs, now and until the newest one may."""
    keys: list[KeyTimes] = []
    now = T0
    for gap in gaps:
        now += timedelta(minutes=gap)
        made = next_key(max(keys, key=lambda key: key.use_from, default=None), TERMS, now=now)
        keys += [made] if made else []
        assert signs_now(keys, now=now, token_life=TOKEN) is not None
        newest = max(keys, key=lambda key: key.use_from)
        if newest.use_from > now:
            assert newest.use_from - now >= NOTICE - timedelta(minutes=0) or made is None
            assert signs_now(keys, now=newest.use_from - timedelta(seconds=1), token_life=TOKEN) is not None
        assert newest.use_until > now
