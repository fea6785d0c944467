"""`python -m identity api | worker | create-operator | settings`."""

import argparse
import asyncio
import sys

from chassis.command import Command, main
from chassis.terminal import say

from identity.app import build_api, build_worker
from identity.operators import OperatorError, create_operator
from identity.settings import IdentitySettings


def _create_operator(settings: IdentitySettings, asked: argparse.Namespace) -> None:
    password = sys.stdin.readline().rstrip("\n")
    try:
        say(asyncio.run(create_operator(settings, email=asked.email, password=password, language=asked.language)))
    except OperatorError as error:
        sys.exit(f"identity: {error}")


def _operator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--email", required=True, help="the operator's e-mail address")
    parser.add_argument("--language", choices=["nl", "en"], default="nl", help="in which language to write to them")


CREATE_OPERATOR = Command(
    "create-operator",
    "make an operator's account; the password is read from standard input, the account's id is written",
    _create_operator,
    _operator,
)

if __name__ == "__main__":
    main(
        IdentitySettings,
        description="Accounts, sign-in, organisations, machine clients.",
        api=build_api,
        worker=build_worker,
        commands=[CREATE_OPERATOR],
    )
