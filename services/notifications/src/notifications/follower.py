"""Serves one share of the saved searches: holds them in an index, and fans out each vacancy to those that it fits.

One change stream brings the changes of searches and the fan-outs that begin, in the order in which they were committed. So when a
fan-out arrives here, every search that was saved before it is in the index; that is why neither a topic nor a second consumer is
needed. What the index does not know yet of a removal does no harm: searches are read again before anybody is alerted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import structlog
from chassis.consume import is_trouble
from chassis.ids import jitter
from chassis.memory import give_back
from chassis.mongo import Mongo, transact
from chassis.uow import Document, UnitOfWork

from notifications.fanout import store
from notifications.fanout.model import BATCH, buckets_of
from notifications.fanout.service import FanOut, Ready
from notifications.matching.index.arrays import Array
from notifications.matching.model import Wanted
from notifications.matching.service import Index, MakeIndex
from notifications.searches import service as searches
from notifications.searches.service import Heard

log = structlog.get_logger()
AT_ONCE = 4
"""Buckets that are read at once: of a million searches some sixteen thousand."""
TOLD = 50_000
"""Searches after which a loading says how far it is."""
MOST_RECENT = 1_000
"""Changed searches after which the index is merged."""
PATIENCE, REST = 30.0, 2.0
"""Seconds: to wait for these buckets; after which what failed is tried again."""


@dataclass
class Running:
    """A fan-out that is under way here, and the ids of the searches it found, in order; from `at` on they are not yet alerted."""

    row: Document
    ready: Ready | None = None
    found: Array = field(default_factory=lambda: np.empty(0, "V16"))
    at: int = 0
    rests_until: float = 0
    """It failed, and is tried again then (the loop's time)."""


@dataclass
class Share:
    """One share while it is served."""

    index: Index
    todo: dict[str, Running] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, row: Document) -> None:
        """Take a fan-out on, unless it is known already and has not begun anew."""
        known = self.todo.get(row["_id"])
        if known is None or known.row["run"] != row["run"]:
            self.todo[row["_id"]] = Running(row)
            self.wake.set()

    def note(self, search: Heard) -> None:
        """Follow what became of a search."""
        if search.wanted is None:
            self.index.remove(UUID(search.id).bytes)
        else:
            self.index.put(UUID(search.id).bytes, search.wanted)
            if self.index.recent >= MOST_RECENT:
                self.wake.set()


@dataclass(frozen=True)
class Follower:
    """Serves shares of the searches."""

    mongo: Mongo
    fanout: FanOut
    make_index: MakeIndex
    clean_every: timedelta = timedelta(hours=1)
    """After so long nothing is left in memory of a search that was removed."""

    async def serve(self, number: int) -> None:
        """Serve one share until cancelled."""
        share, buckets = Share(self.make_index()), buckets_of(number, self.fanout.shares)
        async with self.mongo.watch_all(_changes(number, buckets)) as changes:
            for row in await store.of_share(self.mongo, number):  # before the searches are read, so that these are newer
                share.begin(row)
            ways = (_follow(changes, share), self._work(share, number, buckets), self._clean(share.index))
            tasks = {asyncio.ensure_future(way) for way in ways}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    async def _work(self, share: Share, number: int, buckets: Sequence[int]) -> None:
        loop = asyncio.get_running_loop()
        await self._load(share, number, buckets)
        while True:
            share.wake.clear()
            due = [running for running in share.todo.values() if running.rests_until <= loop.time()]
            for running in due:  # a batch each, so that a large one holds up no other
                await self._turn(share, running)
            if share.index.recent >= MOST_RECENT:
                await asyncio.to_thread(_built, share.index.merge)
            if not due:
                with suppress(TimeoutError):
                    await asyncio.wait_for(share.wake.wait(), REST)

    async def _clean(self, index: Index) -> None:
        while True:
            await asyncio.sleep(self.clean_every.total_seconds())
            if index.stale:
                await asyncio.to_thread(_built, partial(index.merge, whole=True))

    async def _load(self, share: Share, number: int, buckets: Sequence[int]) -> None:
        """Read the share's searches into the index, a few buckets at a time."""
        loop, loaded = asyncio.get_running_loop(), 0

        def read() -> Iterator[tuple[bytes, Wanted]]:
            nonlocal loaded
            for at in range(0, len(buckets), AT_ONCE):
                some = searches.in_buckets(self.mongo, buckets[at : at + AT_ONCE])
                found = asyncio.run_coroutine_threadsafe(some, loop).result(PATIENCE)
                yield from ((UUID(one.id).bytes, one.wanted) for one in found if one.wanted is not None)
                if (loaded + len(found)) // TOLD > loaded // TOLD:
                    log.info("searches_loading", share=number, buckets=f"{at + AT_ONCE} of {len(buckets)}", searches=loaded)
                loaded += len(found)

        await asyncio.to_thread(_built, partial(share.index.load, read()))
        log.info("searches_loaded", share=number, searches=loaded)

    async def _turn(self, share: Share, running: Running) -> None:
        """Go a batch further with a fan-out; one that fails waits, and holds up no other."""
        try:
            ended = await self._go_on(share.index, running)
        except Exception as error:  # it stays in the database until it is done
            log.error("fanout_failed", fanout=running.row["_id"], error=type(error).__name__, exc_info=not is_trouble(error))
            running.ready, running.rests_until = None, asyncio.get_running_loop().time() + jitter(REST)
            return
        if ended and share.todo.get(running.row["_id"]) is running:
            del share.todo[running.row["_id"]]

    async def _go_on(self, index: Index, running: Running) -> bool:
        """Do one batch, and tell whether it was the last."""
        ready = running.ready or await self._begin(index, running)
        if ready is None:
            return True
        batch = [str(UUID(bytes=one.tobytes())) for one in running.found[running.at : running.at + BATCH]]
        last = running.at + BATCH >= len(running.found)

        async def work(uow: UnitOfWork) -> bool:
            return await self.fanout.go_on(uow, ready, batch, last=last)

        standing = await transact(self.mongo, work)
        running.at += BATCH
        return last or not standing

    async def _begin(self, index: Index, running: Running) -> Ready | None:
        """Find the searches that the vacancy fits, and go on behind the one up to which somebody came already."""
        running.ready = ready = await self.fanout.ready(self.mongo, running.row)
        if ready is not None:
            running.found = await asyncio.to_thread(_in_order, index.match(ready.said))
            running.at = _behind(running.found, ready.row["after"])
        return ready


def _built(build: Callable[[], None]) -> None:
    build()
    give_back()


def _changes(share: int, buckets: Sequence[int]) -> list[Mapping[str, Any]]:
    """Return the stream of what this share has to hear of."""
    written = {"operationType": {"$in": ["insert", "replace", "update"]}}
    searched = {"ns.coll": searches.COLLECTION, **written, "fullDocument.bucket": {"$in": list(buckets)}}
    removed = {"ns.coll": searches.COLLECTION, "operationType": "delete"}
    begun = {"ns.coll": store.FANOUTS, **written, "fullDocument.share": share}
    return [{"$match": {"$or": [searched, removed, begun]}}, {"$project": {"fullDocument.shown": 0}}]


async def _follow(changes: AsyncIterator[Mapping[str, Any]], share: Share) -> None:
    async for change in changes:
        if change["ns"]["coll"] == store.FANOUTS:
            share.begin(dict(change["fullDocument"]))
        else:
            share.note(searches.heard(change))
    raise ConnectionError("the stream of changes ended")


def _in_order(ids: Array) -> Array:
    """Return ids sorted as their texts are."""
    high, low = _halves(ids)
    return ids[np.lexsort((low, high))]


def _behind(ids: Array, after: str) -> int:
    """Return the place behind an id among sorted ones; the empty text is before all."""
    if not after:
        return 0
    (high, low), (of_high, of_low) = _halves(ids), _halves(np.frombuffer(UUID(after).bytes, "V16"))
    return int(np.count_nonzero((high < of_high) | ((high == of_high) & (low <= of_low))))


def _halves(ids: Array) -> tuple[Array, Array]:
    numbers = np.frombuffer(ids.tobytes(), ">u8").reshape(-1, 2)
    return numbers[:, 0], numbers[:, 1]
