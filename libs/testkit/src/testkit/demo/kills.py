"""Kills a worker at a named point while the story goes on, and lets the stack bring it back."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from testkit.demo.telling import tell
from testkit.stack import Stack
from testkit.waiting import eventually


@asynccontextmanager
async def killed(stack: Stack, service: str, point: str) -> AsyncIterator[None]:
    """Replace a service's worker by one that kills itself at `point`; the block has to bring it there."""
    name = f"{service}-worker"
    await asyncio.to_thread(stack.stop, name)
    log = (stack.instance.logs / f"{name}.log").open("a")
    command = [sys.executable, "-m", "testkit.killable", service, point]
    armed = await asyncio.create_subprocess_exec(*command, env=stack.process_environment(service), stdout=log, stderr=log)
    try:
        await eventually(lambda: asyncio.to_thread(stack.ready, name), timeout=30)
        yield
        await asyncio.wait_for(armed.wait(), 30)
        if armed.returncode != -signal.SIGKILL:
            raise AssertionError(f"{name} ended with {armed.returncode} before it reached {point}")
        tell(f"killed {name} (process {armed.pid}) with SIGKILL at '{point}'; the stack starts it again")
    finally:
        if armed.returncode is None:
            armed.kill()
            await armed.wait()
        log.close()
        await asyncio.to_thread(stack.start, name)
