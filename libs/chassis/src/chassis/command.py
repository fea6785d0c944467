"""The command line of every service: `python -m <service> api | worker | dead-letters | settings`, and what a service adds."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from litestar import Litestar

from chassis import logs, setaside_command
from chassis.process import run_api, run_worker
from chassis.settings import ServiceSettings, load, show
from chassis.worker import Worker

S = TypeVar("S", bound=ServiceSettings)


def _nothing(_parser: argparse.ArgumentParser) -> None:
    """A command without arguments."""


@dataclass(frozen=True)
class Command(Generic[S]):
    """A command that only one service has."""

    name: str
    help: str
    run: Callable[[S, argparse.Namespace], None]
    arguments: Callable[[argparse.ArgumentParser], None] = _nothing


def main(
    settings: type[S],
    *,
    description: str,
    api: Callable[[S], Litestar],
    worker: Callable[[S], Worker],
    commands: Sequence[Command[S]] = (),
) -> None:
    """Read the command line and run what it names."""
    parser = argparse.ArgumentParser(prog=settings.service(), description=description)
    names: Any = parser.add_subparsers(dest="command", required=True)
    names.add_parser("api", help="serve the HTTP API")
    roles = names.add_parser("worker", help="run consumers, relay and jobs")
    roles.add_argument("--roles", default="", help="which of them, separated by commas; all by default")
    setaside_command.arguments(names.add_parser("dead-letters", help=setaside_command.HELP))
    names.add_parser("settings", help="list the settings with their meaning")
    for command in commands:
        command.arguments(names.add_parser(command.name, help=command.help))
    _run(parser.parse_args(), settings, api, worker, {command.name: command for command in commands})


def _run(
    chosen: argparse.Namespace,
    settings: type[S],
    api: Callable[[S], Litestar],
    worker: Callable[[S], Worker],
    commands: dict[str, Command[S]],
) -> None:
    if chosen.command == "settings":
        return show(settings)
    loaded = load(settings)
    if chosen.command == "api":
        return run_api(lambda: api(loaded), loaded)
    if chosen.command == "worker":
        return run_worker(lambda: worker(loaded), loaded, roles=[role for role in chosen.roles.split(",") if role])
    if chosen.command == "dead-letters":
        logs.configure(settings.service(), "dead-letters", loaded.log_level, json=loaded.log_json, stream=sys.stderr)
        raise SystemExit(setaside_command.run(lambda: worker(loaded), chosen))
    return commands[chosen.command].run(loaded, chosen)
