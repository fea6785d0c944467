"""Budgets by themselves (R40): twentieths of a view, the turn of the day, liftings, and who may lift."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from profiles.budgets.model import Budget, Freeze, Lifting, Looks, Scope, lift, may_lift

DAY, AT = date(2027, 3, 1), datetime(2027, 3, 1, 9, tzinfo=UTC)
TOMORROW = DAY + timedelta(days=1)
WHY = Lifting(by="a", role="administrator", at=AT, reason="Drie vacatures tegelijk")


def budget(views=100, **more):
    return Budget(scope=Scope.RECRUITER, owner="r", views=views, day=DAY, began=AT, **more)


def freeze(scope=Scope.RECRUITER, owner="r", **more):
    return Freeze(
        id="f", scope=scope, owner=owner, organisation="o", day=DAY, began=AT, since=AT, looks=Looks(), views=100, **more
    )


@pytest.mark.parametrize(
    ("had", "wanted", "covered"),
    [
        (Looks(99), Looks(1), True),
        (Looks(100), Looks(1), False),
        (Looks(100), Looks(0, 1), False),
        (Looks(99), Looks(0, 20), True),
        (Looks(99), Looks(0, 21), False),
        (Looks(99, 19), Looks(0, 1), True),
        (Looks(99, 19), Looks(0, 2), False),
        (Looks(99, 1), Looks(1), False),
        (Looks(0, 2000), Looks(0, 0), True),
        (Looks(0, 2001), Looks(0, 0), True),  # the setting was lowered: nothing is still nothing
        (Looks(0, 1980), Looks(1), True),
        (Looks(0, 1981), Looks(1), False),
    ],
)
def test_r40_twenty_rows_count_as_a_view_and_the_last_twentieth_is_had(had, wanted, covered):
    assert budget(looks=had).covers(wanted) is covered


def test_r40_what_was_had_is_counted_and_what_is_left_follows():
    after = budget(views=2).after(Looks(1)).after(Looks(0, 7))
    assert (after.looks, after.left) == (Looks(1, 7), 13)
    assert replace(after, frozen="f").left == 0


def test_r40_a_new_day_begins_with_nothing_seen_and_keeps_the_freeze():
    later = AT + timedelta(hours=20)
    used = budget(looks=Looks(99), more=1, frozen="f")
    assert used.on(DAY, later) == used
    turned = used.on(TOMORROW, later)
    assert (turned.looks, turned.more, turned.began, turned.frozen) == (Looks(), 0, later, "f")


def test_r40_a_lifting_gives_the_frozen_day_one_more_budget():
    kept, freed = lift(freeze(), budget(views=2, looks=Looks(2), frozen="f"), WHY)
    assert (kept.lifted, freed.frozen) == (WHY, None)
    assert freed.covers(Looks(2))
    assert not freed.covers(Looks(2, 1))
    again = lift(freeze(), replace(freed, looks=Looks(4), frozen="g"), WHY)[1]
    assert (again.covers(Looks(2)), again.covers(Looks(3))) == (True, False)


def test_r40_lifted_on_a_later_day_there_is_that_days_budget_and_no_more():
    _, freed = lift(freeze(), budget(views=2, looks=Looks(2), frozen="f").on(TOMORROW, AT), WHY)
    assert (freed.covers(Looks(2)), freed.covers(Looks(3))) == (True, False)


@pytest.mark.parametrize(
    ("scope", "by", "role", "administrators", "allowed"),
    [
        (Scope.RECRUITER, "a", "administrator", ["a"], True),
        (Scope.RECRUITER, "r", "administrator", ["a", "r"], False),  # their own
        (Scope.RECRUITER, "op", "operator", ["a"], False),
        (Scope.RECRUITER, "op", "operator", ["r"], True),  # the only administrator is frozen
        (Scope.RECRUITER, "op", "operator", [], True),
        (Scope.ORGANISATION, "a", "administrator", ["a"], False),
        (Scope.ORGANISATION, "op", "operator", ["a"], True),
    ],
)
def test_r40_nobody_lifts_their_own_freeze(scope, by, role, administrators, allowed):
    owner = "r" if scope is Scope.RECRUITER else "o"
    assert may_lift(freeze(scope, owner), by=by, role=role, administrators=administrators) is allowed
