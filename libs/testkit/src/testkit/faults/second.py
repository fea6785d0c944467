"""A second worker beside the one that the local stack runs, so that there is a successor for what the first one held."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from testkit.faults.process import NAME
from testkit.faults.site import Site
from testkit.ports import free_port
from testkit.waiting import eventually


@asynccontextmanager
async def second_worker(site: Site, service: str, *, name: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a second worker of a service; it takes part when the block begins, and is ended as a worker should be."""
    name, port = name or f"{service}-worker-2", free_port()
    environment = {
        **site.stack.process_environment(service),
        f"{service.upper()}_WORKER_PORT": str(port),
        NAME: name,
    }
    command = [sys.executable, "-m", "testkit.faults.process", service, "worker"]
    with (site.instance.logs / f"{name}.log").open("a") as log:
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            await eventually(lambda: _lives(http, port), timeout=40)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await _ended(process)


async def _lives(http: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await http.get(f"http://127.0.0.1:{port}/health/live")).is_success
    except httpx.HTTPError:
        return False


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), 25)
    except TimeoutError:
        process.kill()
        await process.wait()
