"""Where faults strike: the instance `faults` of the local stack, with its processes, databases, topics and mails."""

import asyncio
import os
import signal
from dataclasses import dataclass, field
from typing import Any

from localstack import supervise
from localstack.instance import ensure, renew
from localstack.layout import Instance, services
from localstack.programs import BACKING, programs

from testkit.stack import Stack
from testkit.waiting import eventually

NAME = "faults"


def _instance() -> Instance:
    return Instance(NAME)


@dataclass
class Site:
    """The running instance. Everything that blocks has an async form here, so that the load goes on meanwhile."""

    instance: Instance = field(default_factory=_instance)

    @property
    def stack(self) -> Stack:
        """The same instance as the other tests know one: addresses, environments, the clock to turn."""
        return Stack(self.instance)

    @property
    def processes(self) -> list[str]:
        """The names of our own processes: `<service>-api`, `<service>-worker`."""
        return [f"{service}-{process}" for service in services() for process in ("api", "worker")]

    @property
    def workers(self) -> list[str]:
        """The workers' names."""
        return [f"{service}-worker" for service in services()]

    async def prepare(self) -> None:
        """Start what does not run, and start again what runs older code."""
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        ensure(self.instance, BACKING)
        renew(self.instance)
        ensure(self.instance)

    async def states(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of each process."""
        return await asyncio.to_thread(supervise.states, self.instance)

    async def pid(self, process: str) -> int:
        """The process id, 0 while it does not run."""
        return int((await self.states())[process]["pid"])

    async def signal(self, process: str, number: signal.Signals) -> int:
        """Send a signal to a process as it is now; returns its id. One that is just away gets the signal when it is back."""
        pid = await eventually(lambda: self.pid(process), timeout=30)
        os.kill(pid, number)
        return pid

    async def stop(self, process: str) -> None:
        """Stop a process until `start`."""
        await asyncio.to_thread(supervise.stop, self.instance, process)

    async def launch(self, process: str) -> None:
        """Start a process without waiting until it is ready."""
        await asyncio.to_thread(supervise.start, self.instance, process)

    async def ready(self, process: str) -> bool:
        """Whether the process says that it is ready."""
        program = next(one for one in programs(self.instance) if one.name == process)
        return await asyncio.to_thread(program.ready)
