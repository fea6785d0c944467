"""Jobs: one worker at a time, none twice, none lost to a failure."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

from chassis.jobs import Job, Jobs
from chassis.leases import Leases
from testkit.waiting import eventually


@asynccontextmanager
async def running(*jobs):
    tasks = [asyncio.create_task(one.run()) for one in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def jobs(mongo, owner, run, *, term=1.0):
    job = Job("sweep", timedelta(seconds=0.05), run)
    return Jobs([job], Leases(mongo, owner=owner, term=timedelta(seconds=term)))


async def test_two_workers_never_run_a_job_at_once_even_when_it_outlasts_its_lease(mongo):
    busy, overlaps, runs = set(), [], []

    def by(owner):
        async def run():
            overlaps.append(len(busy))
            busy.add(owner)
            runs.append(owner)
            await asyncio.wait({asyncio.ensure_future(asyncio.Event().wait())}, timeout=1.2)
            busy.discard(owner)
            return 0

        return run

    async with running(jobs(mongo, "a", by("a"), term=0.6), jobs(mongo, "b", by("b"), term=0.6)):
        await eventually(lambda: len(runs) >= 3)
    assert set(overlaps) == {0}


async def test_a_failed_run_is_told_and_tried_again(mongo):
    runs = []

    async def run():
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("once")
        return 1

    async with running(jobs(mongo, "a", run)):
        await eventually(lambda: len(runs) >= 2)


async def test_a_stopped_worker_gives_its_job_to_the_next_at_once(mongo):
    ran = asyncio.Event()

    async def first():
        return 0

    async def second():
        ran.set()
        return 0

    async with running(jobs(mongo, "a", first, term=60)):
        await eventually(lambda: mongo.find_one("leases", {"_id": "job:sweep"}))
    async with running(jobs(mongo, "b", second, term=60)):
        await asyncio.wait_for(ran.wait(), 3)
    assert await mongo.find_one("leases", {"owner": "a"}) is None
