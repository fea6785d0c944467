"""Brings an instance up and waits until it is ready, or ends it; safe when two callers begin at once."""

import fcntl
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from localstack import kafka, supervise, topics, users
from localstack.layout import ROOT, STATE, Instance
from localstack.programs import BACKING, Program, programs

OURS = ("between", "pages")
"""Parts that are our own code too."""
SOURCES = ("libs/*", "services/*", "deploy/gateway")
PATIENCE = 180.0  # a machine that does much else is slow to start; what fails is told at once
LIVES = 6  # a process that was started so often and never got ready will not get it
Report = Callable[[str, float], None]


class NotReadyError(Exception):
    """A part did not become ready; the text says which and where its log is."""


def ensure(instance: Instance, names: Collection[str] | None = None, report: Report = lambda _name, _seconds: None) -> None:
    """Start the named processes (all by default) where they do not run and return when they are ready.

    `report` hears each part's name and after how many seconds it was ready. Ours start when users and topics are there.
    """
    with locked(instance):
        if kafka.is_older(instance):
            raise NotReadyError(
                f"its Kafka is from before there were users: python -m localstack clean --instance {instance.name}"
            )
        supervise.launch(instance)
        wanted = [program for program in programs(instance) if names is None or program.name in names]
        backing = [program for program in wanted if program.name in BACKING]
        own = [program for program in wanted if program.name not in BACKING]
        _start(instance, backing, report)
        if any(program.name == "kafka" for program in backing):
            users.create(instance)
            topics.create(instance)
        _start(instance, own, report)


def renew(instance: Instance) -> None:
    """Stop our own processes that run code older than what is there now; `ensure` starts them again."""
    files = (path for folder in SOURCES for path in ROOT.glob(f"{folder}/src/**/*") if path.is_file() and path.suffix != ".pyc")
    changed = max(path.stat().st_mtime for path in files)
    known = supervise.states(instance)
    old = [name for name in _own_names(instance) if 0 < known[name]["start"] <= changed]
    supervise.stop(instance, *old)


def stop(instance: Instance) -> int:
    """End everything of an instance, also what outlived its supervisor; answers how many processes that were."""
    with locked(instance):
        count = len(supervise.marked(instance))
        supervise.shutdown(instance)
        return count


def clean(instance: Instance) -> None:
    """End it and forget its state: data, secrets, clock, logs."""
    stop(instance)
    with locked(instance):
        shutil.rmtree(instance.folder, ignore_errors=True)


@contextmanager
def locked(instance: Instance) -> Iterator[None]:
    """One caller at a time may start or stop an instance; the lock ends with its process."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / f"{instance.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _own_names(instance: Instance) -> list[str]:
    return [program.name for program in programs(instance) if program.name not in BACKING or program.name in OURS]


def _start(instance: Instance, wanted: list[Program], report: Report) -> None:
    begun = time.monotonic()
    for program in wanted:
        supervise.start(instance, program.name)
    waiting = list(wanted)
    lives: dict[str, set[int]] = {program.name: set() for program in wanted}
    while waiting:
        for program in [one for one in waiting if one.ready()]:
            waiting.remove(program)
            report(program.name, time.monotonic() - begun)
        states = supervise.states(instance)
        for program in waiting:
            lives[program.name].add(int(states[program.name]["pid"]))
        hopeless = [one for one in waiting if states[one.name]["statename"] == "FATAL" or len(lives[one.name]) > LIVES]
        if hopeless or (waiting and time.monotonic() - begun > PATIENCE):
            raise _not_ready(instance, hopeless or waiting, time.monotonic() - begun)
        time.sleep(0.1)


def _not_ready(instance: Instance, programs: list[Program], waited: float) -> NotReadyError:
    logs = [f"  {program.name}: {instance.logs / program.name}.log" for program in programs]
    return NotReadyError("\n".join([f"not ready after {waited:.0f} s; the log says why:", *logs]))
