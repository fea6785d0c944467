"""When systems outside are reminded and reported."""

from datetime import UTC, datetime, timedelta

import pytest
from notifications.outward.model import next_step

ASKED = datetime(2027, 3, 1, 9, tzinfo=UTC)
TERM = timedelta(hours=72)


@pytest.mark.parametrize(
    ("hours", "over", "next_at"),
    [(0, 0, 24), (23, 0, 24), (24, 1, 48), (47, 1, 48), (48, 2, 72), (71, 2, 72), (72, 3, None), (500, 3, None)],
)
def test_two_reminders_and_a_report_divide_the_term(hours: int, over: int, next_at: int | None) -> None:
    expected = None if next_at is None else ASKED + timedelta(hours=next_at)
    assert next_step(ASKED, TERM, ASKED + timedelta(hours=hours)) == (over, expected)
