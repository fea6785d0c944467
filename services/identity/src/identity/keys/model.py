"""The life of a signing key, in machine time: announced, used, then only good for checking, then gone.

    made ── notice ──▶ used ── life ──▶ replaced ── margin ──▶ not valid any more

The very first key is used at once, because nobody can have tokens yet. So is one that was made too late (the worker stood
still for weeks): a token that some service refuses for a moment is better than none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MARGIN = timedelta(days=1)
"""How long after its use a key still checks tokens; far above a token's life, so that a late replacement harms nobody."""


@dataclass(frozen=True)
class KeyTimes:
    """From when a key signs, until when it should, and until when it is valid."""

    use_from: datetime
    use_until: datetime

    @property
    def valid_until(self) -> datetime:
        """When nobody accepts it any more."""
        return self.use_until + MARGIN


@dataclass(frozen=True)
class Terms:
    """How long a key is used, how long before that it is announced, and how long a token lives that it signs."""

    life: timedelta
    notice: timedelta
    token_life: timedelta


def next_key(newest: KeyTimes | None, terms: Terms, *, now: datetime) -> KeyTimes | None:
    """Return the times of the key that has to be made now, or None when there is nothing to do."""
    life, notice = terms.life, terms.notice
    if newest is None or newest.valid_until < now + notice + terms.token_life:
        return KeyTimes(use_from=now, use_until=now + life)
    if now < newest.use_until - notice:
        return None
    use_from = max(newest.use_until, now + notice)
    return KeyTimes(use_from=use_from, use_until=use_from + life)


def signs_now(keys: Sequence[KeyTimes], *, now: datetime, token_life: timedelta) -> KeyTimes | None:
    """Return the newest key that may sign now: in use, and valid until the token that it signs has ended."""
    usable = [key for key in keys if key.use_from <= now and now + token_life <= key.valid_until]
    return max(usable, key=lambda key: key.use_from, default=None)
