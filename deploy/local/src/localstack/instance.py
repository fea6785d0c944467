"""Brings parts of an instance up and waits until they are ready; safe when two callers begin at once."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from localstack import supervise
from localstack.layout import STATE, Instance
from localstack.programs import Program, programs

Report = Callable[[str, float], None]


class NotReadyError(Exception):
    """A part did not become ready; the text says which and where its log is."""


def ensure(instance: Instance, names: list[str], report: Report = lambda _name, _seconds: None) -> None:
    """Start the named processes where they do not run and return when all are ready; `report` hears of each."""
    with locked(instance):
        supervise.launch(instance)
        wanted = [program for program in programs() if program.name in names]
        for program in wanted:
            supervise.start(instance, program.name)
        begun = time.monotonic()
        for program in wanted:
            _wait(instance, program)
            report(program.name, time.monotonic() - begun)


@contextmanager
def locked(instance: Instance) -> Iterator[None]:
    """One caller at a time may start or stop an instance; the lock ends with its process."""
    STATE.mkdir(exist_ok=True)
    with (STATE / f"{instance.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _wait(instance: Instance, program: Program) -> None:
    deadline = time.monotonic() + program.patience
    while not program.ready(instance):
        if time.monotonic() > deadline:
            raise NotReadyError(
                f"{program.name} is not ready after {program.patience} s; its log: {instance.logs / program.name}.log"
            )
        time.sleep(0.1)
