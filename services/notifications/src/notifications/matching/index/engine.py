"""Finding every saved search that a vacancy fits, while searches come, change and go. No I/O, no clock.

A few bases that do not grow, and beside them what was put since: compared one by one, until a merge makes a base of it. Each
search is in one place only, so what is matched is always the last that was put.

`put`, `remove` and `match` belong to one thread, the event loop's, and are in effect when they return. `merge` and a loading's
`add` take long and may run in any other thread meanwhile; one merge runs at a time.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Lock

import numpy as np

from notifications.matching.index.arrays import Array
from notifications.matching.index.base import Base
from notifications.matching.index.columns import ID, Block, block
from notifications.matching.model import Offered, Wanted, matches

CHUNK = 20_000
GROWTH = 16
"""A merge takes along each base that is at most so many times as large as what it has already: so bases are few."""
Search = tuple[bytes, Wanted]


class Engine:
    """All searches of one worker. Ids are the 16 bytes of a UUID; of a search only numbers and its id are kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._merging = Lock()
        self._state: tuple[tuple[Base, ...], dict[bytes, Wanted]] = ((), {})
        self._watchers: list[set[bytes]] = []

    def __len__(self) -> int:
        """Return how many searches there are."""
        bases, recent = self._state
        return sum(map(len, bases)) + len(recent)

    @property
    def recent(self) -> int:
        """How many searches are compared one by one, until the next merge."""
        return len(self._state[1])

    @property
    def stale(self) -> bool:
        """Tell whether something of what was removed or changed is left, which only a whole merge ends for sure."""
        return any(base.stale for base in self._state[0])

    def put(self, id_: bytes, wanted: Wanted) -> None:
        """Add a search, or change what it asks."""
        with self._lock:
            self._forget(id_)
            self._state[1][id_] = wanted

    def remove(self, id_: bytes) -> None:
        """Let a search match no more; what is not there is gone already."""
        with self._lock:
            self._forget(id_)

    def match(self, offered: Offered) -> Array:
        """Return the ids of all searches that a vacancy fits, each once, in no order."""
        bases, recent = self._state
        found = b"".join(id_ for id_, wanted in recent.items() if matches(wanted, offered))
        return np.concatenate([np.frombuffer(found, ID), *(base.match(offered) for base in bases)])

    def merge(self, *, whole: bool = False) -> None:
        """Make a base of what was put and of the smaller bases; after a whole merge nothing is left of what was removed."""
        with self._merging, self._watching() as changed:
            bases, recent = self._state
            recent = dict(recent)
            kept = 0 if whole else _kept([len(base) for base in bases], len(recent))
            merged = Base([block(list(recent.items())), *(base.block() for base in bases[kept:])])
            self._replace(bases[kept:], merged, changed)

    def load(self, searches: Iterable[Search]) -> None:
        """Add many searches that were not loaded before, in chunks.

        They are newer than what was put before; what is put or removed meanwhile is newer still, and stays.
        """
        with self.loading() as loading:
            rest = iter(searches)
            while chunk := list(islice(rest, CHUNK)):
                loading.add(chunk)

    @contextmanager
    def loading(self) -> Iterator["Loading"]:
        """Add many searches chunk by chunk; they match when this ends."""
        with self._watching() as changed:
            loading = Loading()
            yield loading
            with self._merging:
                self._replace((), Base(loading.blocks), changed)

    @contextmanager
    def _watching(self) -> Iterator[set[bytes]]:
        """Note whose searches change meanwhile."""
        changed = set[bytes]()
        with self._lock:
            self._watchers.append(changed)
        try:
            yield changed
        finally:
            with self._lock:
                self._watchers.remove(changed)

    def _replace(self, old: tuple[Base, ...], new: Base, changed: set[bytes]) -> None:
        """Put a base in the place of those it was made of, without what changed while it was made."""
        with self._lock:
            for id_ in changed:
                new.remove(id_)
            bases, recent = self._state
            left = {id_: one for id_, one in recent.items() if id_ not in new}
            others = [base for base in bases if base not in old]
            self._state = (tuple(sorted((*others, new), key=len, reverse=True)), left)

    def _forget(self, id_: bytes) -> None:
        bases, recent = self._state
        recent.pop(id_, None)
        for base in bases:
            base.remove(id_)
        for changed in self._watchers:
            changed.add(id_)


class Loading:
    """Searches that come in chunks; as columns at once, so that what is waited for is small."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def add(self, searches: list[Search]) -> None:
        """Add a chunk."""
        self.blocks.append(block(searches))


def _kept(sizes: list[int], recent: int) -> int:
    """Return how many of the bases, oldest first, a merge leaves as they are."""
    kept = len(sizes)
    while kept and sizes[kept - 1] <= GROWTH * recent:
        kept -= 1
        recent += sizes[kept]
    return kept
