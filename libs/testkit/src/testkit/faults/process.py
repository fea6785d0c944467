"""Starts a process of ours so that faults can reach inside it: `python -m testkit.faults.process profiles worker`.

The local stack's instance `faults` starts every service with it. Files in the instance's folder say what shall happen, so that
a fault strikes a process that runs: its machine clock goes wrong, it kills itself at a point, it starts as the next version,
without some roles, or without one of the mechanisms that the suite proves to be needed. The product has no fault points.
"""

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from chassis import resources
from chassis.clock import Clock
from chassis.consume import Consumer, Item
from chassis.inbox import Incoming
from chassis.jobs import Job, Jobs
from chassis.leases import Leases
from chassis.mongo import Mongo
from chassis.relay import Relay
from chassis.terminal import say
from chassis.uow import Document
from localstack.layout import Instance
from localstack.supervise import MARK

from testkit.faults import nextversion, without

NAME = "FAULTS_PROCESS"
"""The variable that names a process which is not the one of the local stack, as a second worker."""
_in_job: ContextVar[bool] = ContextVar("in_job", default=False)


@dataclass(frozen=True)
class Reins:
    """The files that tell one process what shall happen to it."""

    instance: Instance
    process: str

    @property
    def _folder(self) -> Path:
        return self.instance.folder / "reins" / self.process

    def _file(self, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / name

    @property
    def clock(self) -> Path:
        """The file with the seconds by which its machine clock is wrong."""
        return self._file("clock")

    def set_clock(self, seconds: float) -> None:
        """Let its machine clock be wrong from now on."""
        draft = self._file("clock.new")
        draft.write_text(str(seconds))
        draft.replace(self.clock)

    def arm(self, point: str) -> None:
        """Let it kill itself the next time that it comes to a point: one of `POINTS`."""
        self._file(f"die-{point}").touch()

    def armed(self, point: str) -> bool:
        """Tell whether a death is still to come."""
        return self._file(f"die-{point}").exists()

    def disarm(self, point: str) -> bool:
        """Take a death back, and tell whether it was still to come."""
        try:
            self._file(f"die-{point}").unlink()
        except FileNotFoundError:
            return False
        return True

    def hold(self, point: str, key: str) -> None:
        """Let it wait before it applies or publishes something of this key, until `release`: one of `HELD`."""
        self._file(f"hold-{point}").write_text(key)

    def holds(self, point: str) -> bool:
        """Tell whether it waits there."""
        return self._file(f"held-{point}").exists()

    def release(self, point: str) -> None:
        """Let it go on."""
        self._file(f"hold-{point}").unlink(missing_ok=True)

    async def wait_at(self, point: str, keys: Iterable[str]) -> None:
        """Wait, if it shall wait for one of these keys."""
        wanted, told = self._file(f"hold-{point}"), self._file(f"held-{point}")
        if wanted.exists() and any(wanted.read_text() in key for key in keys):
            told.touch()
            while wanted.exists():  # noqa: ASYNC110 - a file, which another process removes
                await asyncio.sleep(0.02)
            told.unlink()

    def tell(self, name: str, *words: str) -> None:
        """Say what holds from its next start on: `roles`, `without`, `version`; without words, nothing special does."""
        path = self._file(name)
        if words:
            path.write_text("\n".join(words))
        else:
            path.unlink(missing_ok=True)

    def told(self, name: str) -> list[str]:
        """Return what was said."""
        path = self._file(name)
        return path.read_text().split() if path.exists() else []


class WrongClock(Clock):
    """The machine clock is wrong by the seconds in a file, in both directions and at once."""

    def __init__(self, offset_file: Path | None, wrong: Path) -> None:
        super().__init__(offset_file)
        self._wrong = wrong

    def machine(self) -> datetime:
        """Return the time that this machine believes."""
        return super().machine() + timedelta(seconds=float(self._wrong.read_text()) if self._wrong.exists() else 0)


HELD = ("before-apply", "before-publish")
"""Where a process can be held: with what it read in its hands, and nothing done yet. It can be killed before publishing, too."""
POINTS = ("after-commit", "before-offsets", "before-delete", "mid-job")
"""Where a process can kill itself: after a commit and before anybody knows of it; between the effect and the offsets; between
publishing and deleting; after one step of a job."""


def reach_into(reins: Reins) -> None:
    """Wrap what faults need to reach, on the classes, before the composition root builds from them."""

    def before(owner: type, method: str, point: str) -> None:
        call = getattr(owner, method)

        @wraps(call)
        async def wrapped(*arguments: Any) -> Any:
            if arguments[-1]:  # an empty commit commits nothing
                _die_at(reins, point)
            return await call(*arguments)

        setattr(owner, method, wrapped)

    commit = Mongo.commit

    async def committed(*arguments: Any) -> None:
        await commit(*arguments)
        _die_at(reins, "after-commit")
        if _in_job.get():
            _die_at(reins, "mid-job")

    Mongo.commit = committed  # type: ignore[assignment, method-assign]  # the wrapper is the point
    _holding(reins)
    before(Consumer, "commit", "before-offsets")
    before(Relay, "delete", "before-delete")
    where: Any = resources
    where.Clock = lambda file: WrongClock(file, reins.clock)


def _die_at(reins: Reins, point: str) -> None:
    if reins.disarm(point):
        say(f"killed itself {point}, process {os.getpid()}")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def _holding(reins: Reins) -> None:
    """Let it be held with records or rows in its hands."""
    apply, publish = Consumer.apply, Relay.publish

    async def applied(self: Consumer, items: Sequence[Item]) -> None:
        await reins.wait_at("before-apply", [item.key for item in items if isinstance(item, Incoming)])
        await apply(self, items)

    async def published(self: Relay, producer: Any, rows: Sequence[Document]) -> None:
        await reins.wait_at("before-publish", [row["key"] for row in rows])
        _die_at(reins, "before-publish")
        await publish(self, producer, rows)

    Consumer.apply = applied  # type: ignore[method-assign]  # the wrapper is the point
    Relay.publish = published  # type: ignore[method-assign]  # the wrapper is the point


def _note_jobs() -> None:
    """Let every job know that it is one."""
    make = Jobs.__init__

    def noted(self: Jobs, jobs: Sequence[Job], leases: Leases) -> None:
        make(self, [_noted(job) for job in jobs], leases)

    Jobs.__init__ = noted  # type: ignore[method-assign]  # the wrapper is the point


def _noted(job: Job) -> Job:
    async def run() -> int:
        _in_job.set(True)
        return await job.run()

    return replace(job, run=run)


def main(service: str, process: str) -> None:
    """Run the service's own module with what was told."""
    reins = Reins(Instance(Path(os.environ[MARK]).name), os.environ.get(NAME, f"{service}-{process}"))
    reach_into(reins)
    _note_jobs()
    for mechanism in reins.told("without"):
        without.MECHANISMS[mechanism]()
    if reins.told("version"):
        nextversion.upgrade(import_module(f"{service}.app"))
    roles = reins.told("roles")
    sys.argv = [service, process, *(["--roles", ",".join(roles)] if roles else [])]
    runpy.run_module(service, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:3])
