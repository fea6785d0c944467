"""Kills workers at named points while the story goes on, and lets the stack bring them back."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from testkit.demo.telling import tell
from testkit.stack import Stack
from testkit.waiting import eventually


@asynccontextmanager
async def killed(stack: Stack, **points: str) -> AsyncIterator[None]:
    """Replace workers, by service, with ones that kill themselves at their point; the block has to bring them there.

    At its end the stack starts them again, and the story goes on without waiting for them.
    """
    armed = dict(zip(points, await asyncio.gather(*(_arm(stack, *one) for one in points.items())), strict=True))
    try:
        yield
        for service, process in armed.items():
            await asyncio.wait_for(process.wait(), 30)
            if process.returncode != -signal.SIGKILL:
                raise AssertionError(f"{service}-worker ended with {process.returncode} before it reached {points[service]}")
            tell(
                f"killed {service}-worker (process {process.pid}) with SIGKILL at '{points[service]}'; the stack starts it again"
            )
    finally:
        await asyncio.gather(*(_replace(stack, *one) for one in armed.items()))


async def _arm(stack: Stack, service: str, point: str) -> Process:
    name = f"{service}-worker"
    await asyncio.to_thread(stack.stop, name)
    with (stack.instance.logs / f"{name}.log").open("a") as log:
        command = [sys.executable, "-m", "testkit.killable", service, point]
        armed = await asyncio.create_subprocess_exec(*command, env=stack.process_environment(service), stdout=log, stderr=log)

    async def there() -> bool:
        """Ready, or at its point already: news may have waited for it."""
        return armed.returncode is not None or await asyncio.to_thread(stack.ready, name)

    await eventually(there, timeout=30)
    return armed


async def _replace(stack: Stack, service: str, armed: Process) -> None:
    if armed.returncode is None:
        armed.kill()
        await armed.wait()
    await asyncio.to_thread(stack.launch, f"{service}-worker")
