"""`growth`: every list, search and sweep with ten times as many people in the database, and as many results."""

import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import replace

import pymongo
from chassis.mongo import Mongo
from chassis.terminal import say

from testkit.bench.crowd import INDEXES, fill
from testkit.bench.figures import Figure, alternate, worst
from testkit.bench.ground import Ground
from testkit.bench.questions import QUESTIONS, Question

FEW, MANY = 10_000, 100_000
CALLS = 15
INDEXING = 480
"""Seconds."""


async def growth(ground: Ground) -> list[Figure]:
    """Ask each question of both databases in turns."""
    async with AsyncExitStack() as stack:
        few = await stack.enter_async_context(ground.database())
        many = await stack.enter_async_context(ground.database())
        for mongo, people in ((few, FEW), (many, MANY)):
            begun = time.perf_counter()
            await fill(ground, mongo, people)
            with pymongo.timeout(INDEXING):  # one call makes a collection's indexes, and the bank has many
                await mongo.ensure_indexes(*INDEXES)  # at the end: kept while the crowd comes in, they would take minutes
            say(f"    {people:,} people in {time.perf_counter() - begun:.0f} s")
        figures = [await _figure(question, few, many) for question in QUESTIONS]
    return [worst(figures, name="growth", goal=2), *(replace(one, goal=None) for one in figures)]


async def _figure(question: Question, few: Mongo, many: Mongo) -> Figure:
    say(f"   {question.name}")
    rounds = await alternate(lambda: _milliseconds(question, many), lambda: _milliseconds(question, few), rounds=3)
    return Figure(f"growth-{question.name}", "ms", f"ms, with {FEW:,} people", rounds, better="lower", goal=2)


async def _milliseconds(question: Question, mongo: Mongo) -> float:
    waits = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        found = await question.ask(mongo)
        waits.append((time.perf_counter() - begun) * 1000)
        if len(found) != question.results:
            raise AssertionError(f"{question.name}: {len(found)} results instead of {question.results}")
    return statistics.median(waits)
