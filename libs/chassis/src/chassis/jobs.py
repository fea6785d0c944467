"""Scheduled jobs: each runs in one worker at a time, and finds what is due in the database, never by counting ticks.

So a job that was away for days catches up with its next run, and one that runs twice finds nothing the second time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

import structlog

from chassis import trace
from chassis.consume import is_trouble
from chassis.ids import jitter
from chassis.leases import Leases
from chassis.metrics import JOB_EVERY, JOB_ROWS, JOB_RUNS, JOB_SECONDS, JOB_SUCCESS

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """What runs `every` so often. `run` does what is due, in small transactions of its own, and returns how much that was."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[int]]


class Jobs:
    """Runs a worker's jobs, each under a lease."""

    def __init__(self, jobs: Sequence[Job], leases: Leases) -> None:
        self.jobs, self._leases = tuple(jobs), leases

    async def run(self) -> None:
        """Run all jobs until cancelled."""
        async with asyncio.TaskGroup() as group:
            for job in self.jobs:
                group.create_task(self._repeat(job), name=f"job:{job.name}")

    async def _repeat(self, job: Job) -> None:
        name = f"job:{job.name}"
        JOB_EVERY.labels(job.name).set(job.every.total_seconds())
        try:
            while True:
                try:
                    if await self._leases.take(name):
                        with trace.begin(f"job {job.name}", None):
                            await self._once(job)
                except Exception as error:  # a failed run is told and tried again at the next tick
                    JOB_RUNS.labels(job.name, "failed").inc()
                    log.error("job_failed", job=job.name, error=type(error).__name__, exc_info=not is_trouble(error))
                await asyncio.sleep(jitter(job.every.total_seconds()))
        finally:
            await asyncio.shield(self._leases.release(name))

    async def _once(self, job: Job) -> None:
        """Run it, holding the lease for as long as it takes."""
        began, running = perf_counter(), asyncio.ensure_future(job.run())
        try:
            while not (await asyncio.wait({running}, timeout=self._leases.term.total_seconds() / 3))[0]:
                await self._leases.take(f"job:{job.name}")
            done = running.result()
        finally:
            running.cancel()
        JOB_SECONDS.labels(job.name).set(perf_counter() - began)
        JOB_SUCCESS.labels(job.name).set_to_current_time()
        JOB_RUNS.labels(job.name, "done").inc()
        JOB_ROWS.labels(job.name).inc(done)
        if done:
            log.info("job_done", job=job.name, rows=done)
