"""Background tasks of a process: each runs until the process stops; one that crashes is logged and started again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog

from chassis import metrics
from chassis.ids import jitter

log = structlog.get_logger()
Task = Callable[[], Awaitable[None]]
FIRST_WAIT, LONGEST_WAIT, CALM = 0.5, 30.0, 60.0
"""Seconds: before the first new start, at most, and after which a task counts as healthy again."""


async def keep(name: str, run: Task) -> None:
    """Run a task; when it crashes, run it again after a growing, jittered wait. A task that returns is done."""
    loop, wait = asyncio.get_running_loop(), FIRST_WAIT
    while True:
        started = loop.time()
        try:
            return await run()
        except Exception as error:
            if loop.time() - started > CALM:
                wait = FIRST_WAIT
            metrics.TASK_CRASHES.labels(name).inc()
            log.error("background_task_crashed", task=name, again_in=wait, exc_info=error)
        await asyncio.sleep(jitter(wait))
        wait = min(wait * 2, LONGEST_WAIT)


@asynccontextmanager
async def running(tasks: Mapping[str, Task]) -> AsyncIterator[None]:
    """Keep tasks running inside the block; at its end they are cancelled and waited for."""
    running_tasks = [asyncio.create_task(keep(name, run), name=name) for name, run in tasks.items()]
    try:
        yield
    finally:
        for task in running_tasks:
            task.cancel()
        await asyncio.gather(*running_tasks, return_exceptions=True)
