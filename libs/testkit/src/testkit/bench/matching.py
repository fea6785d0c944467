"""`match` and what belongs to it: saved searches found for vacancies, beside mokaccino and beside the least that can be done.

Times are processor time of the thread that matches, so that whatever else the machine does weighs less; `match-churn` alone is by
the clock. mokaccino is asked about fewer vacancies (`SAMPLE`), and must find nothing that the engine does not; what it misses are
vacancies near the edge of a circle. `BENCH_SEARCHES` sets another size than a million.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from statistics import median, quantiles
from threading import Thread

import numpy as np
from chassis.terminal import say
from mokaccino import Percolator
from notifications.matching.index.base import Base
from notifications.matching.index.columns import block
from notifications.matching.index.engine import CHUNK, Engine, Search
from notifications.matching.model import Offered

from testkit.bench import match_process
from testkit.bench.figures import Figure, alternate
from testkit.bench.ground import Ground
from testkit.bench.match_market import Market
from testkit.bench.match_mokaccino import document, percolator, query

MANY, FEW = int(os.environ.get("BENCH_SEARCHES", "1000000")), 100_000
VACANCIES, SAMPLE, ROUNDS = 1_000, 50, 3
CHURN = 1_000
"""Changes a second."""
MERGED_AT = 200
"""So many searches are compared one by one before they are merged."""
Matched = Callable[[Offered], object]


@cache
def _vacancies() -> list[Offered]:
    return Market().vacancies(VACANCIES)


@cache
def _engine(count: int) -> Engine:
    made = match_process.engine(Market().searches(count))
    say(f"    {count:,} searches in the engine")
    return made


@cache
def _mokaccino(count: int) -> Percolator:
    made = match_process.mokaccino(Market().searches(count))
    say(f"    {count:,} searches in mokaccino")
    return made


async def match(_ground: Ground) -> list[Figure]:
    """Match at both sizes, beside mokaccino."""
    return [*await _match("match-few", min(FEW, MANY), goal=None), *await _match("match", MANY, goal=50)]


async def _match(name: str, count: int, *, goal: float | None) -> list[Figure]:
    ours, theirs, vacancies = _engine(count), _mokaccino(count), _vacancies()[:SAMPLE]
    missed = _compare(ours, theirs, count, vacancies)
    documents = {id(vacancy): document(vacancy) for vacancy in vacancies}
    typical = await alternate(
        lambda: _typical(ours.match, vacancies),
        lambda: _typical(lambda vacancy: theirs.percolate_list(documents[id(vacancy)]), vacancies),
        rounds=ROUNDS,
    )
    slow = await alternate(lambda: _slow(ours.match, _vacancies()), lambda: _typical(ours.match, _vacancies()), rounds=ROUNDS)
    told = f"ms, mokaccino, which misses {missed:.1%}; {count:,} searches"
    return [
        Figure(name, "ms", told, typical, goal=goal, inverted=True),
        Figure(f"{name}-p99", "ms", "ms, the median", slow, better="lower"),
    ]


async def match_limit(_ground: Ground) -> list[Figure]:
    """Match, beside touching a number of every search once."""
    ours, column = _engine(MANY), np.arange(MANY, dtype=np.uint32)
    rounds = await alternate(
        lambda: _typical(ours.match, _vacancies()),
        lambda: _typical(lambda _: np.count_nonzero(column == MANY // 2), _vacancies()),
        rounds=ROUNDS,
    )
    return [Figure("match-limit", "ms", "ms, one comparison with each search", rounds, better="lower", goal=4)]


async def match_growth(_ground: Ground) -> list[Figure]:
    """Match with ten times as many searches, of which the nine new parts fit none of the vacancies."""
    vacancies = [one for one in _vacancies() if not one.from_anywhere][:SAMPLE]
    few, many = Engine(), Engine()
    first = list(islice(Market().searches(MANY // 10), MANY // 10))
    few.load(first)
    many.load(_diluted(first, vacancies))
    if any(len(few.match(one)) != len(many.match(one)) for one in vacancies):
        raise AssertionError("not the same matches")
    rounds = await alternate(
        lambda: _typical(many.match, vacancies, times=20), lambda: _typical(few.match, vacancies, times=20), rounds=ROUNDS
    )
    return [Figure("match-growth", "ms", f"ms, of {MANY // 10:,}, as many found", rounds, better="lower", goal=3)]


async def match_memory(_ground: Ground) -> list[Figure]:
    """Look at a process with all searches."""
    rounds = await alternate(lambda: _resident("engine"), lambda: _resident("mokaccino"), rounds=1, warm=False)
    return [Figure("match-memory", "bytes/search", "bytes/search, mokaccino", rounds, better="lower", goal=1 / 8)]


async def match_build(_ground: Ground) -> list[Figure]:
    """Build from what lies in memory in each one's own form; `match-load` begins with the database."""
    searches = list(Market().searches(min(FEW, MANY)))
    blocks = [block(searches[begin : begin + CHUNK]) for begin in range(0, len(searches), CHUNK)]
    queries = [query(wanted) for _, wanted in searches]
    built = await alternate(
        lambda: _processor(lambda: Base(blocks)), lambda: _processor(lambda: percolator(queries)), rounds=ROUNDS, warm=False
    )
    return [Figure("match-build", "s", f"s, mokaccino, {len(searches):,} searches", built, better="lower", goal=1 / 10)]


async def match_churn(_ground: Ground) -> list[Figure]:
    """Match while searches change."""
    ours, changes = _engine(MANY), iter(list(Market().searches(10 * CHURN)) * 100)
    rounds = await alternate(lambda: _changing(ours, changes), lambda: _changing(ours, iter(())), rounds=ROUNDS)
    return [Figure("match-churn", "ms", "ms, p99 without changes", rounds, better="lower", goal=2)]


def _compare(ours: Engine, theirs: Percolator, count: int, vacancies: Sequence[Offered]) -> float:
    """Return which part of the matches mokaccino misses; it may find no other."""
    number = {id_: number for number, (id_, _) in enumerate(Market().searches(count))}
    found = missed = 0
    for one in vacancies:
        right = {number[id_.tobytes()] for id_ in ours.match(one)}
        told = set(theirs.percolate_list(document(one)))
        if told - right:
            raise AssertionError(f"mokaccino finds {len(told - right)} searches that the engine does not")
        found, missed = found + len(right), missed + len(right - told)
    return missed / found


def _diluted(first: Sequence[Search], vacancies: Sequence[Offered]) -> Iterator[Search]:
    """Yield the first searches, and nine times as many others that fit none of the vacancies."""
    yield from first
    left, others = 9 * len(first), islice(Market().searches(10 * MANY), len(first), None)
    while left > 0:
        chunk = list(islice(others, CHUNK))
        base = Base([block(chunk)])
        fitting = {id_.tobytes() for one in vacancies for id_ in base.match(one)}
        fresh = [search for search in chunk if search[0] not in fitting][:left]
        left -= len(fresh)
        yield from fresh


async def _typical(do: Matched, vacancies: Sequence[Offered], times: int = 1) -> float:
    return median(_each(do, [*vacancies] * times))


async def _slow(do: Matched, vacancies: Sequence[Offered]) -> float:
    return quantiles(_each(do, vacancies), n=100)[98]


def _each(do: Matched, vacancies: Sequence[Offered]) -> list[float]:
    """Return the milliseconds of processor time for each vacancy."""
    taken = []
    for one in vacancies:
        begun = time.thread_time()
        do(one)
        taken.append((time.thread_time() - begun) * 1000)
    return taken


async def _processor(do: Callable[[], object]) -> float:
    begun = time.thread_time()
    do()
    return time.thread_time() - begun


async def _changing(ours: Engine, changes: Iterator[Search]) -> float:
    """Return the p99 of matching, by the clock, while what is due is put in between and merged in a thread."""
    taken, begun, put, merging = list[float](), time.perf_counter(), 0, Thread(target=ours.merge)
    for one in _vacancies():
        for search in islice(changes, int((time.perf_counter() - begun) * CHURN) - put):
            ours.put(*search)
            put += 1
        if ours.recent > MERGED_AT and not merging.is_alive():
            merging = Thread(target=ours.merge)
            merging.start()
        start = time.perf_counter()
        ours.match(one)
        taken.append((time.perf_counter() - start) * 1000)
    return quantiles(taken, n=100)[98]


async def _resident(which: str) -> float:
    """Return the memory of a process that holds all searches, divided by their number."""
    command = [sys.executable, "-m", "testkit.bench.match_process", which, str(MANY)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: ASYNC221, S603 - nothing else runs here meanwhile, and it is ours
    return float(told.stdout) / MANY
