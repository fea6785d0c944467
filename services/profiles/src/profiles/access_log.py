"""`python -m profiles access-log verify`: tell whether the access log is what was sealed."""

import argparse
import asyncio
import re
from collections.abc import Callable
from typing import Any

from chassis.resources import WORKER_PATIENCE
from chassis.terminal import say
from pydantic_core import to_json

from profiles.app import INDEXES, parts
from profiles.blocks.model import Finding
from profiles.settings import ProfilesSettings
from profiles.verifying.service import Report, verify

HELP = "compare the access log with its signed blocks"
CODES = "Exit codes: 0 all is as it was sealed; 1 something is not, and is named; 2 the command line is wrong."
_HEAD = re.compile(r"[1-9][0-9]*:[0-9a-f]{64}")
_WORDS = {
    "row-changed": "rows were changed",
    "row-removed": "rows were removed",
    "row-inserted": "rows were inserted that it does not hold",
    "row-stray": "rows name no block that there can be",
    "block-missing": "is missing",
    "block-unreadable": "cannot be read as a block",
    "block-changed": "its list of rows is not the one that was signed",
    "chain-broken": "does not follow the block before it",
    "signature-wrong": "was not signed as it stands by a key of this service",
    "removal-unsigned": "its rows are gone without a signed word that their term was over",
    "head-missing": "was noted elsewhere and is not there: the end was cut off",
    "head-differs": "is not the one that was noted elsewhere",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be typed after `access-log`."""
    doing: Any = parser.add_subparsers(dest="doing", required=True, metavar="verify")
    verifying = doing.add_parser("verify", help=HELP, epilog=CODES)
    verifying.add_argument("--from", dest="start", type=_number, default=1, metavar="N", help="begin at this block")
    verifying.add_argument("--head", type=_head, metavar="NUMBER:HASH", help="a head as the job logged it: what came to be of it")
    verifying.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(settings: ProfilesSettings, asked: argparse.Namespace) -> None:
    """Do what was typed; the exit status tells."""
    report = asyncio.run(_verify(settings, asked, tell=_nothing if asked.json else say))
    if asked.json:
        say(to_json(_document(report)).decode())
    else:
        _tell(report)
    raise SystemExit(1 if report.findings else 0)


async def _verify(settings: ProfilesSettings, asked: argparse.Namespace, *, tell: Callable[[str], None]) -> Report:
    made = parts(settings, patience=WORKER_PATIENCE)
    try:
        await made.mongo.ensure_indexes(*INDEXES)
        publics = await made.signatures.publics()
        return await verify(made.mongo, publics, start=asked.start, noted=asked.head, tell=tell)
    finally:
        await made.close()


def _tell(report: Report) -> None:
    for one in report.findings:
        say(_line(one))
    ended = f"; of {report.ended_blocks} with {report.ended_rows} rows the term is over" if report.ended_blocks else ""
    say(f"{report.blocks} blocks, {report.rows} rows{ended}; {report.unsealed} rows wait to be sealed")
    say(f"the head is {report.head.note if report.head else 'none yet'}")
    say("NOT as it was sealed" if report.findings else "all is as it was sealed")


def _line(one: Finding) -> str:
    which = f"block {one.block}" if one.until in (None, one.block) else f"blocks {one.block} to {one.until}"
    return f"{which}: {_WORDS[one.what]}{': ' if one.rows else ''}{' '.join(one.rows)}"


def _document(report: Report) -> dict[str, Any]:
    return {
        "valid": not report.findings,
        "blocks": report.blocks,
        "rows": report.rows,
        "ended_blocks": report.ended_blocks,
        "ended_rows": report.ended_rows,
        "unsealed": report.unsealed,
        "head": report.head.note if report.head else None,
        "findings": [{"what": one.what, "block": one.block, "until": one.until, "rows": one.rows} for one in report.findings],
    }


def _nothing(_: str) -> None:
    """Say nothing on the way."""


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a block's number, from 1 on")
    return int(text)


def _head(text: str) -> str:
    if not _HEAD.fullmatch(text):
        raise argparse.ArgumentTypeError("NUMBER:HASH, as `access_block_sealed` logs it")
    return text
