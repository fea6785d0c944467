"""`python -m identity api | worker | create-operator | settings`."""

import argparse
import asyncio
import sys

from chassis.process import run_api, run_worker
from chassis.settings import load, show
from chassis.terminal import say

from identity.app import build_api, build_worker
from identity.operators import OperatorError, create_operator
from identity.settings import IdentitySettings


def main() -> None:
    """Read the command line and run what it names."""
    chosen = _parser().parse_args()
    if chosen.command == "settings":
        show(IdentitySettings)
        return
    settings = load(IdentitySettings)
    if chosen.command == "api":
        run_api(lambda: build_api(settings), settings)
    elif chosen.command == "worker":
        roles = [role for role in chosen.roles.split(",") if role]
        run_worker(lambda: build_worker(settings), settings, roles=roles)
    else:
        _create_operator(settings, chosen.email, chosen.language)


def _create_operator(settings: IdentitySettings, email: str, language: str) -> None:
    password = sys.stdin.readline().rstrip("\n")
    try:
        say(asyncio.run(create_operator(settings, email=email, password=password, language=language)))
    except OperatorError as error:
        sys.exit(f"identity: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="identity", description="Accounts, sign-in, organisations, machine clients.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("api", help="serve the HTTP API")
    worker = commands.add_parser("worker", help="run consumers, relay and jobs")
    worker.add_argument("--roles", default="", help="consume, relay, jobs, separated by commas; all by default")
    operator = commands.add_parser(
        "create-operator",
        help="make an operator's account; the password is read from standard input, the account's id is written",
    )
    operator.add_argument("--email", required=True, help="the operator's e-mail address")
    operator.add_argument("--language", choices=["nl", "en"], default="nl", help="in which language to write to them")
    commands.add_parser("settings", help="list the settings with their meaning")
    return parser


if __name__ == "__main__":
    main()
