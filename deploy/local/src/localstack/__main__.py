"""The local stack's commands, as `make` calls them: `python -m localstack --help`."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import timedelta

from chassis.terminal import say

from localstack import downloads, mail, services, supervise, table, turning
from localstack import instance as running
from localstack.layout import Instance, instances

FAILURES = (running.NotReadyError, downloads.DownloadError, turning.TurnError, LookupError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; a failure that has an explanation is told in one line."""
    asked = _parser().parse_args(arguments)
    try:
        asked.do(asked)
    except FAILURES as failure:
        say(f"{asked.command}: {failure}")
        return 1
    except BrokenPipeError:  # the reader has seen enough, as `make status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def up(asked: argparse.Namespace) -> None:
    """Start everything and wait until it is ready."""
    instance = Instance(asked.instance)
    downloads.everything()
    running.ensure(instance, report=lambda name, seconds: say(f"  {name:<22} ready after {seconds:4.1f} s"))
    if instance.parts is None:
        addresses(instance)


def addresses(instance: Instance) -> None:
    """Say where a person finds what."""
    say(f"gateway   {services.public_url(instance)}/")
    say(f"docs      {services.public_url(instance)}/docs")
    say(f"mails     {mail.web_url(instance)}/")


def restart(asked: argparse.Namespace) -> None:
    """Start our own processes again where their code has changed; Kafka and MongoDB go on."""
    instance = Instance(asked.instance)
    if not supervise.running(instance):
        raise LookupError(f"{instance.name} does not run: make up")
    running.renew(instance)
    up(asked)


def stop(asked: argparse.Namespace) -> None:
    """End an instance, or all of them when none is named."""
    for instance in _named(asked):
        if count := running.stop(instance):
            say(f"{instance.name}: ended {count} processes")


def clean(asked: argparse.Namespace) -> None:
    """End instances and delete their state; downloads stay."""
    for instance in _named(asked):
        running.clean(instance)


def status(asked: argparse.Namespace) -> None:
    """Show every process of the instances that run, or of one."""
    found = [instance for instance in _named(asked) if asked.instance or supervise.running(instance)]
    for instance in found:
        say("\n".join(table.table(instance)))
    if not found:
        say("nothing runs: make up")


def logs(asked: argparse.Namespace) -> None:
    """Follow the logs of one process, or of all."""
    folder = Instance(asked.instance).logs
    files = sorted(str(path) for path in folder.glob(f"{asked.part or '*'}.log"))
    if not files:
        raise LookupError(f"no log {asked.part or ''} in {folder}")
    os.execvp("tail", ["tail", "-n", "40", "-F", *files])  # noqa: S606, S607 - this process becomes tail


def turn(asked: argparse.Namespace) -> None:
    """Turn domain time forward."""
    moment = turning.turn(Instance(asked.instance), timedelta(days=asked.days))
    say(f"it is {moment:%A %d %B %Y, %H:%M} UTC now in every process")


def fetch(_asked: argparse.Namespace) -> None:
    """Fetch what no wheel brings."""
    downloads.everything()
    try:
        downloads.promtool()
    except downloads.DownloadError as failure:  # the stack does without; the tests that need it will say so again
        say(f"fetch: {failure}")


def _named(asked: argparse.Namespace) -> list[Instance]:
    return [Instance(asked.instance)] if asked.instance else instances()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="localstack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for do in (up, restart, stop, clean, status, logs, turn):
        command = commands.add_parser(do.__name__, help=do.__doc__)
        command.set_defaults(do=do)
        command.add_argument("--instance", default=None if do in (stop, clean, status) else "main")
        if do is logs:
            command.add_argument("part", nargs="?")
        if do is turn:
            command.add_argument("--days", type=int, required=True)
    commands.add_parser("fetch", help=fetch.__doc__).set_defaults(do=fetch)
    return parser


if __name__ == "__main__":
    sys.exit(main())
