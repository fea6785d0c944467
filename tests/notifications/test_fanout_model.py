"""When a vacancy is news to a search, and when its owner is told."""

from datetime import UTC, date, datetime

import pytest
from notifications.fanout.model import buckets_of, is_news
from notifications.matching.model import Offered
from notifications.news.model import due_at
from notifications.searches.model import Rhythm

HAMMER, SAW = 1, 2
SEARCH = {
    "since": "2026-03-09",
    "compared": {
        "form": 2,
        **{name: [] for name in ("any_words", "no_words", "skills", "provinces", "levels", "contract_types", "workplaces")},
        **{name: [] for name in ("sectors", "organisations", "not_organisations")},
        **dict.fromkeys(("near", "hours", "salary", "starts")),
        "all_words": [HAMMER],
        "radius_km": 25,
    },
}


@pytest.mark.parametrize(
    ("published", "before", "news"),
    [
        ("2026-03-09", None, True),
        ("2026-03-10", Offered(words=frozenset({HAMMER})), True),
        ("2026-03-08", None, False),
        ("2026-03-08", Offered(words=frozenset({HAMMER})), False),
        ("2026-03-08", Offered(words=frozenset({SAW})), True),
    ],
)
def test_r22_a_vacancy_is_news_when_it_is_as_new_as_the_search_or_newly_fits(published, before, news):
    assert is_news(SEARCH, published_on=date.fromisoformat(published), before=before) is news


@pytest.mark.parametrize("shares", [1, 3, 4, 256])
def test_every_bucket_is_in_one_share(shares):
    assert sorted(bucket for share in range(shares) for bucket in buckets_of(share, shares)) == list(range(256))


@pytest.mark.parametrize(
    ("now", "rhythm", "due"),
    [
        ("2026-07-01T05:59", ("daily", 8), "2026-07-01T06:00"),
        ("2026-07-01T06:00", ("daily", 8), "2026-07-02T06:00"),
        ("2026-12-31T22:30", ("daily", 23), "2027-01-01T22:00"),
        ("2026-03-28T08:00", ("daily", 8), "2026-03-29T06:00"),
        ("2026-10-24T07:00", ("daily", 8), "2026-10-25T07:00"),
        ("2026-03-29T00:30", ("daily", 2), "2026-03-29T01:00"),
        ("2026-10-24T23:30", ("daily", 2), "2026-10-25T00:00"),
        ("2026-10-25T00:30", ("daily", 2), "2026-10-26T01:00"),
        ("2026-07-01T05:59", ("daily",), "2026-07-01T06:00"),
        ("2026-07-01T12:00", ("weekly", 8, 3), "2026-07-08T06:00"),
        ("2026-07-01T05:00", ("weekly", 8, 3), "2026-07-01T06:00"),
        ("2026-07-01T12:00", ("weekly",), "2026-07-06T06:00"),
        ("2026-07-01T12:00", ("immediate", 8), "2026-07-01T12:00"),
    ],
)
def test_r22_collected_mails_go_at_the_persons_hour_in_amsterdam_also_when_the_clocks_change(now, rhythm, due):
    found = due_at(Rhythm(*rhythm), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
