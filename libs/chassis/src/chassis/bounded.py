"""A cache that is bounded in number and time: what was changed or destroyed elsewhere is used at most `lives` longer."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """The values that were used last, each for at most `lives` (machine time) after the moment at which it was true."""

    def __init__(self, size: int, lives: timedelta) -> None:
        self._size, self._lives = size, lives
        self._held: OrderedDict[K, tuple[datetime, V]] = OrderedDict()

    def get(self, name: K, now: datetime) -> V | None:
        """Return a value that is still fresh, or None."""
        held = self._held.get(name)
        if held is None:
            return None
        since, value = held
        if not since <= now < since + self._lives:  # a machine's clock that was set back must not lengthen a life
            del self._held[name]
            return None
        self._held.move_to_end(name)
        return value

    def put(self, name: K, value: V, since: datetime) -> None:
        """Keep a value that was true at `since`: the moment before it was read."""
        self._held[name] = (since, value)
        self._held.move_to_end(name)
        while len(self._held) > self._size:
            self._held.popitem(last=False)

    def drop(self, name: K) -> None:
        """Forget a value."""
        self._held.pop(name, None)
