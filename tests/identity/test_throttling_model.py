"""The wait that grows with each failure, and its limits."""

from datetime import UTC, datetime, timedelta

import pytest
from identity.throttling.model import ADDRESS, CALLER, PAIR, Policy, remaining, wait_after

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("policy", [PAIR, CALLER, ADDRESS])
def test_the_first_failures_cost_nothing_and_the_next_ones_double(policy: Policy) -> None:
    assert wait_after(policy, policy.free) == timedelta()
    waits = [wait_after(policy, policy.free + step).total_seconds() for step in (1, 2, 3, 4)]
    assert waits == [1, 2, 4, 8]


@pytest.mark.parametrize("policy", [PAIR, CALLER, ADDRESS])
def test_the_wait_has_an_end_however_often_somebody_tries(policy: Policy) -> None:
    assert wait_after(policy, 10_000_000) == policy.longest


def test_a_stranger_cannot_keep_somebody_out_for_more_than_a_minute() -> None:
    assert ADDRESS.longest <= timedelta(minutes=1)
    assert ADDRESS.free > PAIR.free


def test_what_remains_of_a_wait_is_never_negative() -> None:
    assert remaining(None, NOW) == timedelta()
    assert remaining(NOW - timedelta(seconds=1), NOW) == timedelta()
    assert remaining(NOW + timedelta(seconds=3), NOW) == timedelta(seconds=3)
