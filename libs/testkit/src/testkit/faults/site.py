"""Where faults strike: the instance `faults` of the local stack, with its processes, databases, topics and mails."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from signal import Signals
from typing import Any

from localstack import supervise
from localstack.instance import ensure, renew, stop
from localstack.layout import STATE, Instance, services
from localstack.programs import BACKING, programs

from testkit.faults import between, postoffice
from testkit.faults.postoffice import Posted
from testkit.stack import Stack
from testkit.waiting import eventually

NAME = "faults"


class SiteTakenError(Exception):
    """Two runs on one site."""


def _instance() -> Instance:
    return Instance(NAME)


@dataclass
class Site:
    """The running instance. Everything that blocks has an async form here, so that the load goes on meanwhile."""

    instance: Instance = field(default_factory=_instance)
    poisoned: set[str] = field(default_factory=set)
    """Positions (`topic/partition/offset`) of records that must be set aside; a round begins with none."""
    away: list[tuple[float, float]] = field(default_factory=list)
    """From when to when Kafka was away in this round."""

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

    def posted(self) -> list[Posted]:
        """What the mail server wrote down, of all rounds."""
        return postoffice.read(between.record(self.instance))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the site for one run; what another one does to it would be found here.

        Raises:
            SiteTakenError: Another run has it.
        """
        with (STATE / f"{self.instance.name}.rounds.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SiteTakenError(f"another run plays on the instance {self.instance.name!r}") from None
            yield

    async def prepare(self) -> None:
        """Start what does not run, and start again what runs older code."""
        await asyncio.to_thread(self._prepare)

    async def restore(self) -> None:
        """Start what does not run, whatever its code is."""
        await asyncio.to_thread(ensure, self.instance)

    def _prepare(self) -> None:
        ensure(self.instance, BACKING)
        renew(self.instance)
        ensure(self.instance)

    def leave(self) -> None:
        """Stop everything. A site on which nobody plays keeps a small machine half busy."""
        stop(self.instance)

    async def states(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of each process."""
        return await asyncio.to_thread(supervise.states, self.instance)

    async def pid(self, process: str) -> int:
        """The process id, 0 while it does not run."""
        return int((await self.states())[process]["pid"])

    async def signal(self, process: str, number: Signals) -> int:
        """Send a signal to a process as it is now; returns its id. One that is just away gets the signal when it is back."""

        async def sent() -> int:
            pid = await self.pid(process)
            return pid if pid and self.send(pid, number) else 0

        return await eventually(sent, timeout=40)

    def send(self, pid: int, number: Signals) -> bool:
        """Send a signal to whatever has this id, and tell whether anything has."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    async def stop(self, process: str) -> None:
        """Stop a process until `start`."""
        await asyncio.to_thread(supervise.stop, self.instance, process)

    async def launch(self, process: str) -> None:
        """Start a process without waiting until it is ready."""
        await asyncio.to_thread(supervise.start, self.instance, process)

    async def restart(self, process: str) -> None:
        """Stop a process, start it again, and return when it says that it is ready."""
        await self.stop(process)
        await self.launch(process)
        await eventually(lambda: self.ready(process), timeout=60, every=0.2)

    async def ready(self, process: str) -> bool:
        """Whether the process says that it is ready."""
        program = next(one for one in programs(self.instance) if one.name == process)
        return await asyncio.to_thread(program.ready)
