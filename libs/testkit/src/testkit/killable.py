"""Runs a service's worker so that it kills itself with SIGKILL at a named point: `python -m testkit.killable profiles mid-sweep`.

The worker comes from the service's own composition root; only here its commit, publish or delete is wrapped. The product has
no fault points.
"""

import argparse
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from chassis.jobs import Job
from chassis.process import run_worker
from chassis.terminal import say
from chassis.worker import Worker

from testkit.roots import settings_of, worker_of

Call = Callable[..., Awaitable[Any]]
_in_job: ContextVar[str | None] = ContextVar("in_job", default=None)


def _die(point: str) -> None:
    say(f"killed itself at {point}, process {os.getpid()}")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def _before(point: str, call: Call) -> Call:
    async def dies(*arguments: Any) -> None:
        if not arguments or arguments[0]:  # an empty commit commits nothing
            _die(point)
        await call(*arguments)

    return dies


def before_offsets(worker: Worker) -> None:
    """After the commit of the effect, before the offset's: the records come again."""
    worker.consumer.commit = _before("before-offsets", worker.consumer.commit)  # type: ignore[assignment, method-assign]  # the wrapper is the point


def before_delete(worker: Worker) -> None:
    """After the broker acknowledged, before the outbox rows are deleted: they are published again."""
    worker.relay.delete = _before("before-delete", worker.relay.delete)  # type: ignore[assignment, method-assign]  # the wrapper is the point


def mid_sweep(worker: Worker) -> None:
    """In the job `sweep`, after the commit of its first step: what it had committed stays, the rest is due."""
    commit = worker.mongo.commit

    async def dies(session: Any) -> None:
        await commit(session)
        if _in_job.get() == "sweep":
            _die("mid-sweep")

    worker.mongo.commit = dies  # type: ignore[method-assign]  # the wrapper is the point
    worker.jobs.jobs = tuple(_named(job) for job in worker.jobs.jobs)


def _named(job: Job) -> Job:
    async def run() -> int:
        _in_job.set(job.name)
        return await job.run()

    return replace(job, run=run)


POINTS: dict[str, Callable[[Worker], None]] = {
    "before-offsets": before_offsets,
    "before-delete": before_delete,
    "mid-sweep": mid_sweep,
}


def main() -> None:
    """Run the worker, armed."""
    parser = argparse.ArgumentParser(prog="testkit.killable", description=__doc__)
    parser.add_argument("service", choices=["identity", "profiles", "consent", "notifications"])
    parser.add_argument("point", choices=sorted(POINTS))
    asked = parser.parse_args()
    settings, build = settings_of(asked.service), worker_of(asked.service)

    def armed() -> Worker:
        worker = build(settings)
        POINTS[asked.point](worker)
        return worker

    run_worker(armed, settings)


if __name__ == "__main__":
    main()
