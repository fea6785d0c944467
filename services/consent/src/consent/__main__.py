"""`python -m consent api | worker | settings`."""

import argparse

from chassis.process import run_api, run_worker
from chassis.settings import load, show

from consent.app import build_api, build_worker
from consent.settings import ConsentSettings


def main() -> None:
    """Read the command line and run what it names."""
    parser = argparse.ArgumentParser(prog="consent", description="The privacy statement and what people decided.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("api", help="serve the HTTP API")
    worker = commands.add_parser("worker", help="run consumers, relay and jobs")
    worker.add_argument("--roles", default="", help="consume, relay, jobs, separated by commas; all by default")
    commands.add_parser("settings", help="list the settings with their meaning")
    chosen = parser.parse_args()
    if chosen.command == "settings":
        show(ConsentSettings)
    elif chosen.command == "api":
        settings = load(ConsentSettings)
        run_api(lambda: build_api(settings), settings)
    else:
        settings = load(ConsentSettings)
        roles = [role for role in chosen.roles.split(",") if role]
        run_worker(lambda: build_worker(settings), settings, roles=roles)


if __name__ == "__main__":
    main()
