"""How saved searches are shared among workers, and when a vacancy is news to one. No I/O.

Which share a search's bucket belongs to follows from how many shares there are: their number may change, and no search is written
again.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from notifications.matching.model import Offered, matches
from notifications.searches.model import BUCKETS, wanted

BATCH: Final = 2000
"""Searches in one transaction of a fan-out."""


def row_id(vacancy: str, share: int) -> str:
    """Return the id of a vacancy's fan-out to one share."""
    return f"{vacancy}:{share}"


def buckets_of(share: int, shares: int) -> list[int]:
    """Return the buckets of a share."""
    return list(range(share, BUCKETS, shares))


def is_news(search: Mapping[str, Any], *, published_on: date, before: Offered | None) -> bool:
    """Tell whether a vacancy that fits a search is news to it.

    It is when the search was there on the day on which the vacancy was published; and when the vacancy was changed and did not
    fit it `before`.
    """
    if date.fromisoformat(search["since"]) <= published_on:
        return True
    return before is not None and not matches(wanted(search["compared"]), before)
