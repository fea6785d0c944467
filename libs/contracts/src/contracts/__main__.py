"""`python -m contracts`: show the events, write the files made from them, and refuse changes that break somebody."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from contracts import listing
from contracts.generated import Tree, current_schemas
from contracts.schemas import as_text
from contracts.terminal import say

# libs/contracts/src/contracts/__main__.py: the checkout lies four folders above this one.
ROOT = Path(__file__).resolve().parents[4]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m contracts", description="The events: all that services know of each other.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose files are read and written")
    commands = parser.add_subparsers(title="commands", required=True)
    listed = commands.add_parser("list", help="print all events with their meaning, key and followers")
    listed.add_argument("--json", action="store_true", help="for programs")
    listed.set_defaults(command=_list)
    for name, function, what in (
        ("schemas", _schemas, "write the JSON Schemas and the AsyncAPI documents"),
        ("docs", _docs, "write the generated part of docs/architecture/events.md"),
        ("check", _check, "fail when a generated file is out of date or a change breaks a released schema"),
        ("release", _release, "add today's schemas to the released ones, when they break nothing"),
    ):
        commands.add_parser(name, help=what, description=what).set_defaults(command=function)
    return parser


def _list(options: argparse.Namespace) -> int:
    say(as_text(listing.as_data()).rstrip() if options.json else listing.as_text())
    return 0


def _schemas(options: argparse.Namespace) -> int:
    return _wrote(Tree(options.root).write_schemas())


def _docs(options: argparse.Namespace) -> int:
    return _wrote(Tree(options.root).write_page())


def _wrote(paths: list[Path]) -> int:
    for path in paths:
        say(f"wrote {path}")
    return 0


def _check(options: argparse.Namespace) -> int:
    tree = Tree(options.root)
    complaints = [f"{path}: out of date, run `python -m contracts schemas` and `docs`" for path in tree.stale()]
    return _complain([*complaints, *_faults(tree)])


def _release(options: argparse.Namespace) -> int:
    tree = Tree(options.root)
    if faults := _faults(tree):
        return _complain(faults)
    paths = [tree.released.append(topic, schema) for topic, schema in current_schemas().items()]
    return _wrote([path for path in paths if path])


def _faults(tree: Tree) -> list[str]:
    """What is wrong with the released schemas, or with today's beside them."""
    broken = tree.released.broken_by(current_schemas())
    lines = [f"{topic}: {one}" for topic, several in broken.items() for one in several]
    hint = ["a breaking change is a new version of the topic"] if lines else []
    return [*(f"released: {what}" for what in tree.released.tampered()), *lines, *hint]


def _complain(complaints: list[str]) -> int:
    for complaint in complaints:
        say(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
