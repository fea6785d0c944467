"""`python -m <service> dead-letters list | show | replay | discard`: the same as over HTTP, for who is at the machine."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import AwareDatetime, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import to_json

from chassis.consume import is_trouble
from chassis.evidence import WAITING, Evidence, Kind, Reason, Wanted
from chassis.setaside import BATCH, Result, SetAside, Why
from chassis.terminal import say
from chassis.worker import Worker

HELP = "look at, replay or discard what the consumer could not handle"
CODES = """
Exit codes: 0 done; 1 something still fails and stays; 2 the command line is wrong; 3 an id is not there; 4 a database is away.
"""
WHY = "10 to 200 characters on one line, about the cause; no address"
BY = "an account's id, or a name at the machine without blanks"
Who = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
_WELL: frozenset[str] = frozenset({"applied", "applied-before", "waits", "discarded"})
Do = Callable[[str], Awaitable[Result]]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be typed after `dead-letters`."""
    parser.epilog = CODES
    doing: Any = parser.add_subparsers(dest="doing", required=True, metavar="list | show | replay | discard")
    listing = doing.add_parser("list", help="show the evidence, the oldest first", epilog=CODES)
    _filters(listing, get_args(Kind))
    listing.add_argument("--limit", type=int, default=BATCH, help="at most so many; %(default)s by default")
    doing.add_parser("show", help="show one", epilog=CODES).add_argument("id")
    replaying = doing.add_parser("replay", help="let the consumer handle them once more", epilog=CODES)
    discarding = doing.add_parser("discard", help="throw them away, for a reason that is kept", epilog=CODES)
    for one in (replaying, discarding):
        one.add_argument("id", nargs="*", help="which ones; instead of them a filter, or --all")
        _filters(one, WAITING)
        one.add_argument("--all", action="store_true", help="without any filter: all there are now")
        one.add_argument("--dry-run", action="store_true", help="tell what would happen and leave nothing behind")
        one.add_argument("--by", required=one is discarding, default="command", type=_checked(Who, BY), help=f"who does it: {BY}")
    discarding.add_argument("--why", type=_checked(Why, WHY), required=True, help=f"the reason: {WHY}")
    for one in doing.choices.values():
        one.add_argument("--json", action="store_true", help="one JSON document per line")


def run(build: Callable[[], Worker], asked: argparse.Namespace) -> int:
    """Do what was typed and return the exit code."""
    if asked.doing in {"replay", "discard"} and bool(asked.id) == (asked.all or not _wanted(asked).is_everything):
        say("name either ids, or what is wanted by a filter, or --all")
        return 2
    return asyncio.run(_run(build, asked))


async def _run(build: Callable[[], Worker], asked: argparse.Namespace) -> int:
    worker = build()
    set_aside = SetAside(worker.mongo, worker.consumer)
    try:
        return await {"list": _list, "show": _show, "replay": _replay, "discard": _discard}[asked.doing](set_aside, asked)
    except Exception as error:
        if not is_trouble(error):
            raise
        say(f"a database does not answer ({type(error).__name__}); what was said above is done, try again for the rest")
        return 4
    finally:
        await worker.close()


async def _list(set_aside: SetAside, asked: argparse.Namespace) -> int:
    found = await set_aside.find(_wanted(asked), limit=asked.limit + 1)
    for one in found[: asked.limit]:
        say(_json(one.document()) if asked.json else _line(one))
    if not asked.json:
        say(f"{len(found[: asked.limit])} shown{', there are more' if len(found) > asked.limit else ''}")
    return 0


async def _show(set_aside: SetAside, asked: argparse.Namespace) -> int:
    found = await set_aside.one(asked.id)
    if found is None:
        say("there is none of this id")
        return 3
    shown = found.document()
    say(_json(shown) if asked.json else "\n".join(f"{name:<10} {value}" for name, value in shown.items()))
    return 0


async def _replay(set_aside: SetAside, asked: argparse.Namespace) -> int:
    async def do(ref: str) -> Result:
        return await set_aside.replay(ref, by=asked.by, dry=asked.dry_run)

    return await _each(set_aside, asked, do)


async def _discard(set_aside: SetAside, asked: argparse.Namespace) -> int:
    async def do(ref: str) -> Result:
        if not asked.dry_run:
            return await set_aside.discard(ref, why=asked.why, by=asked.by)
        there = await set_aside.one(ref)
        return Result(ref, "gone" if there is None or there.kind not in WAITING else "discarded")

    return await _each(set_aside, asked, do)


async def _each(set_aside: SetAside, asked: argparse.Namespace, do: Do) -> int:
    """Do it to all, say what became of each, and count."""
    counts: dict[str, int] = {}
    results = _those(asked.id, do) if asked.id else set_aside.each(_wanted(asked), do)
    async for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
        say(_json(result.document()) if asked.json else f"{result.id}  {result.outcome}{_because(result.error)}")
    if not asked.json:
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "there are none"
        say(f"{told}{' (dry run: nothing was changed)' if asked.dry_run else ''}")
    if counts.get("failed"):
        return 1
    return 3 if asked.id and set(counts) - _WELL else 0


async def _those(ids: list[str], do: Do) -> AsyncIterator[Result]:
    for ref in ids:
        yield await do(ref)


def _filters(parser: argparse.ArgumentParser, kinds: tuple[str, ...]) -> None:
    parser.add_argument("--kind", choices=kinds, help="a record that could not be read, or a key whose handler failed")
    parser.add_argument("--topic", help="the topic it came from")
    parser.add_argument("--reason", choices=get_args(Reason), help="why it was set aside")
    parser.add_argument("--key", help="the record's key")
    parser.add_argument("--consumer", help="the group that could not handle it")
    moment = "an ISO 8601 moment with its zone, as 2026-10-01T08:00:00Z"
    parser.add_argument("--since", type=_checked(AwareDatetime, moment), help=f"set aside since then: {moment}")


def _wanted(asked: argparse.Namespace) -> Wanted:
    since: datetime | None = asked.since
    return Wanted(asked.kind, asked.topic, asked.reason, asked.key, asked.consumer, since)


def _checked(kind: Any, rule: str) -> Callable[[str], Any]:
    adapter = TypeAdapter(kind)

    def check(text: str) -> Any:
        try:
            return adapter.validate_python(text)
        except ValidationError:
            raise argparse.ArgumentTypeError(rule) from None

    return check


def _line(one: Evidence) -> str:
    position = f"{one.topic}/{one.partition}/{one.offset}"
    state = f"{one.kind:<11}  {one.reason:<9}  {one.attempts:>3}x"
    return f"{one.id}  {one.at:%Y-%m-%d %H:%M}  {state}  {position}{_because(one.error)}"


def _because(error: str | None) -> str:
    return f"  {error}" if error else ""


def _json(document: dict[str, Any]) -> str:
    return to_json(document).decode()
