"""The local stack's command: `python -m localstack up | stop | …`."""

import argparse
import os

from chassis.terminal import say

from localstack import supervise
from localstack.instance import ensure
from localstack.layout import Instance
from localstack.programs import BACKING, programs


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="localstack", description=__doc__)
    parser.add_argument("command", choices=["up", "stop", "exec"])
    parser.add_argument("instance", nargs="?", default="main")
    parser.add_argument("program", nargs="?")
    a = parser.parse_args()
    instance = Instance(a.instance)
    if a.command == "exec":
        program = next(p for p in programs() if p.name == a.program)
        command = program.command(instance)
        os.execve(command[0], command, {**os.environ, **program.environment(instance)})  # noqa: S606 - this process becomes the program
    elif a.command == "up":
        ensure(instance, BACKING, lambda n, s: say(f"{n} {s:.1f} s"))
    else:
        supervise.shutdown(instance)


main()
