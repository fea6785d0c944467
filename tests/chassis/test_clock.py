"""Two times: the domain's can be turned, forward only; the machine's never."""

from datetime import UTC, date, datetime, timedelta

import pytest
from chassis.clock import Clock, day_of, year_later, years_before, years_later

A_YEAR = timedelta(days=365)


def test_without_a_file_both_times_are_one():
    clock = Clock()
    assert abs(clock.now() - clock.machine()) < timedelta(seconds=1)
    assert clock.offset() == timedelta()


def test_a_turn_is_seen_at_once_by_every_clock_on_the_file_and_leaves_machine_time_alone(tmp_path):
    file = tmp_path / "clock"
    first, second = Clock(file), Clock(file)
    file.write_text(str(int(A_YEAR.total_seconds())))
    for clock in (first, second):
        assert abs(clock.now() - clock.machine() - A_YEAR) < timedelta(seconds=1)


def test_time_never_goes_back(tmp_path):
    file = tmp_path / "clock"
    clock = Clock(file)
    file.write_text("7200")
    assert clock.offset() == timedelta(hours=2)
    file.write_text("3600\n")
    assert clock.offset() == timedelta(hours=2)
    file.unlink()
    assert clock.offset() == timedelta(hours=2)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_days_are_counted_in_amsterdam(moment, day):
    assert day_of(moment) == day


def test_a_year_after_29_february_is_1_march():
    assert year_later(date(2028, 2, 29)) == date(2029, 3, 1)
    assert year_later(date(2026, 11, 24)) == date(2027, 11, 24)


@pytest.mark.parametrize("years", [1, 4, 5])
def test_what_is_so_many_years_ago_is_what_has_come_by_then(years):
    """Over two leap years, day by day: the two never contradict each other."""
    today = date(2027, 2, 20)
    while today < date(2029, 3, 10):
        last = years_before(today, years)
        assert years_later(last, years) <= today < years_later(last + timedelta(days=1), years)
        today += timedelta(days=1)
