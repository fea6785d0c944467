"""When the next try to sign in is taken: some are free, then each failure doubles the wait.

Three counters stand beside each other: one address from one caller, all addresses from one caller, one address from all
callers. The last two wait a minute at most: a stranger could keep somebody out of their own account, and an office full of
people comes from one network address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Policy:
    """How many failures are free, and how long the wait becomes at most."""

    name: str
    free: int
    longest: timedelta


PAIR = Policy("pair", free=5, longest=timedelta(minutes=15))
CALLER = Policy("caller", free=100, longest=timedelta(minutes=1))
ADDRESS = Policy("address", free=50, longest=timedelta(minutes=1))
FORGOTTEN_AFTER = timedelta(hours=24)


def wait_after(policy: Policy, failures: int) -> timedelta:
    """Return how long nobody may try again after that many failures in a row."""
    beyond = failures - policy.free
    if beyond <= 0:
        return timedelta()
    return min(timedelta(seconds=2 ** min(beyond - 1, 20)), policy.longest)


def remaining(blocked_until: datetime | None, now: datetime) -> timedelta:
    """Return how long the caller has still to wait."""
    if blocked_until is None:
        return timedelta()
    return max(blocked_until - now, timedelta())
