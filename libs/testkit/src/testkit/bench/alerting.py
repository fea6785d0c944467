"""`alert-fan-out` and `match-load`: what is written when a vacancy fits many, and what a worker reads first."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from itertools import islice
from threading import Event
from typing import Any

from chassis.ids import new_id
from chassis.keyfolder import KeyFolder
from chassis.keyring import Keyring
from chassis.mongo import Mongo, transact
from chassis.terminal import say
from contracts.profiles.vacancy import SAMPLES
from notifications.alerts.service import Alerts
from notifications.app import INDEXES
from notifications.fanout import store as fanouts
from notifications.fanout.model import BATCH
from notifications.fanout.service import FanOut
from notifications.follower import Follower
from notifications.matching.index.engine import Engine, Search
from notifications.matching.model import Wanted
from notifications.news import store as news
from notifications.searches import store as searches
from notifications.searches.model import FORM, SearchState, bucket_of
from notifications.searches.service import Searches
from notifications.unsubscribe.service import Unsubscribing

from testkit.bench.figures import Figure, alternate
from testkit.bench.ground import Ground, master_keys_of
from testkit.bench.match_market import Market
from testkit.bench.match_mokaccino import percolator, query
from testkit.waiting import beside, eventually

PEOPLE, LOADED, WRITTEN = 20_000, 100_000, 5_000
BARE = "bare"
ROUNDS = 3
DAY = "2026-01-01"


async def alert_fan_out(ground: Ground) -> list[Figure]:
    """Write down to whom a vacancy is news, beside inserting the same rows in batches as large, under the same indexes."""
    async with _use_cases(ground) as fanout, ground.database({BARE: news.INDEXES[news.NEWS]}) as bare:
        ids = [new_id() for _ in range(PEOPLE)]
        await _save(fanout.mongo, ((name, Wanted()) for name in ids))
        rounds = await alternate(lambda: fanout.rate(sorted(ids)), lambda: _bare(bare, sorted(ids)), rounds=ROUNDS)
    return [Figure("alert-fan-out", "rows/s", "rows/s, bare insert_many", rounds, goal=0.5)]


async def match_load(ground: Ground) -> list[Figure]:
    """Serve a share from the database until all its searches are in the index, beside mokaccino's build from memory."""
    queries = [query(wanted) for _, wanted in Market().searches(LOADED)]
    async with _use_cases(ground) as fanout:
        await _save(fanout.mongo, ((new_id(), wanted) for _, wanted in Market().searches(LOADED)))
        say(f"    {LOADED:,} searches in the database")
        rounds = await alternate(fanout.load, lambda: _built(queries), rounds=ROUNDS, warm=False)
    return [Figure("match-load", "s", f"s, mokaccino built, {LOADED:,} searches", rounds, better="lower")]


@dataclass(frozen=True)
class _Fanning:
    """The use cases over one database; all searches are one share."""

    mongo: Mongo
    fanout: FanOut

    async def rate(self, ids: Sequence[str]) -> float:
        """Return the rows a second with which a new vacancy becomes news to all, as a worker does it."""
        vacancy = SAMPLES[0].model_copy(update={"vacancy": new_id(), "published_on": self.mongo.clock.today()})
        vacancy = vacancy.model_copy(update={"valid_through": None})
        await transact(self.mongo, lambda uow: self.fanout.take(uow, vacancy))
        (row,) = await fanouts.of_share(self.mongo, 0)
        begun, ready = time.perf_counter(), await self.fanout.ready(self.mongo, row)
        if ready is None:
            raise AssertionError("the vacancy is not offered")
        for at in range(0, len(ids), BATCH):
            some, last = ids[at : at + BATCH], at + BATCH >= len(ids)
            await transact(self.mongo, lambda uow, some=some, last=last: self.fanout.go_on(uow, ready, some, last=last))  # type: ignore[misc]  # mypy cannot infer a default's type
        taken = time.perf_counter() - begun
        if await self.mongo.count(news.NEWS, {"vacancy": vacancy.vacancy}, limit=len(ids) + 1) != len(ids):
            raise AssertionError("not a row for each")
        return len(ids) / taken

    async def load(self) -> float:
        """Return the seconds until a worker that begins has all searches in its index."""
        index = _Told()
        begun = time.perf_counter()
        async with beside(Follower(self.mongo, self.fanout, lambda: index).serve(0)):
            await eventually(index.loaded.is_set, timeout=120, every=0.01)
            taken = time.perf_counter() - begun
        if len(index) != LOADED:
            raise AssertionError("not all searches are there")
        return taken


class _Told(Engine):
    """An engine that tells when it is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded = Event()

    def load(self, searches: Iterable[Search]) -> None:
        super().load(searches)
        self.loaded.set()


@asynccontextmanager
async def _use_cases(ground: Ground) -> AsyncIterator[_Fanning]:
    async with ground.database(*INDEXES) as mongo:
        keyring = Keyring(mongo, KeyFolder(master_keys_of(mongo.database.name)))
        kept = Searches(keyring, mongo.clock, b"bench" * 8, 20)
        alerts = Alerts(mongo.clock, kept, Unsubscribing(kept.hash_key, "https://portal.example"))
        yield _Fanning(mongo, FanOut(alerts, kept, shares=1))


async def _save(mongo: Mongo, wanted: Iterable[tuple[str, Wanted]]) -> None:
    """Write searches as the service does, each of somebody else."""
    rows = (_row(name, one, number) for number, (name, one) in enumerate(wanted))
    while some := list(islice(rows, WRITTEN)):
        await mongo.database[searches.SEARCHES].insert_many(some, ordered=False)


def _row(name: str, wanted: Wanted, number: int) -> dict[str, Any]:
    return {
        "_id": name,
        "sequence": 1,
        "subject": f"person-{number}",
        "bucket": bucket_of(name),
        "state": SearchState.ACTIVE,
        "frequency": "daily",
        "hour": 8,
        "weekday": 1,
        "since": DAY,
        "compared": {"form": FORM} | {one.name: _stored(getattr(wanted, one.name)) for one in fields(wanted)},
        "box": bytes(200),
    }


def _stored(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


async def _bare(mongo: Mongo, ids: Sequence[str]) -> float:
    """Return the rows a second of inserting the same rows, and nothing else."""
    vacancy, now = new_id(), mongo.clock.now()
    rows = [
        {
            "_id": f"person-{number}:{vacancy}",
            "subject": f"person-{number}",
            "search": name,
            "vacancy": vacancy,
            "state": "collected",
            "due": now,
            "mail": None,
            "on": DAY,
        }
        for number, name in enumerate(ids)
    ]
    begun = time.perf_counter()
    for at in range(0, len(rows), BATCH):
        await mongo.database[BARE].insert_many(rows[at : at + BATCH], ordered=False)
    return len(rows) / (time.perf_counter() - begun)


async def _built(queries: Sequence[Any]) -> float:
    begun = time.perf_counter()
    percolator(queries)
    return time.perf_counter() - begun
