"""Both processes of a service inside a test: its API without a socket, its worker without a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
from chassis.background import running
from chassis.process import chosen, tasks_of
from chassis.worker import Worker
from litestar import Litestar

from testkit.waiting import eventually


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an API and give a client to it."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar types the parts of ASGI itself
    async with _in_one_task(app.lifespan()), httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        await eventually(app.state.prepared.is_set)
        yield client


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[Worker]:
    """Run all roles of a worker, and go on when its consumer has partitions."""
    async with _in_one_task(running(tasks_of(worker, chosen(worker, [])))):
        await eventually(lambda: worker.consumer.ready and worker.consumer.consumer.assignment(), timeout=60)
        yield worker


@asynccontextmanager
async def _in_one_task(context: AbstractAsyncContextManager[object]) -> AsyncIterator[None]:
    """Begin and end something in one task, which the two halves of a fixture are not."""
    begun, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with context:
            begun.set()
            await over.wait()

    living = asyncio.create_task(live())
    living.add_done_callback(lambda _: begun.set())
    await begun.wait()
    try:
        if not living.done():
            yield
    finally:
        over.set()
        await living
