"""`python -m testkit.faults --rounds 200 --seed x --results FILE`: rounds of faults; 1 at the end when anything was found."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from chassis.ids import new_handle
from chassis.terminal import say

from testkit.faults import results
from testkit.faults.dealing import deal
from testkit.faults.fault import Fault
from testkit.faults.faults import KINDS, by_name
from testkit.faults.rounds import Rounds
from testkit.faults.site import Site


def main() -> int:
    """Play what is asked for."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # each try to reach a Kafka that a fault has taken away
    asked = _asked()
    if asked.list:
        for kind, faults in KINDS.items():
            say(f"{kind}: {', '.join(fault.name for fault in faults)}")
        return 0
    path: Path = asked.results or Path(".faults") / f"{asked.seed}.jsonl"
    done = {one.round for one in results.read(path) if one.seed == asked.seed}
    numbers = [asked.round] if asked.round else [number for number in range(1, asked.rounds + 1) if number not in done]
    say(f"seed {asked.seed}, {len(numbers)} rounds to play, results in {path}")
    found = asyncio.run(_play(asked, path, numbers))
    for told in results.table(results.read(path)):
        say(told)
    return 1 if found else 0


async def _play(asked: argparse.Namespace, path: Path, numbers: list[int]) -> bool:
    found = False
    async with Rounds.at(Site(), asked.seed) as rounds:
        for number in numbers:
            result = await rounds.play(number, _faults(asked, number))
            results.append(path, result)
            say(results.line(result))
            found = found or bool(result.findings)
    return found


def _faults(asked: argparse.Namespace, number: int) -> list[Fault]:
    if not asked.only:
        return deal(KINDS, asked.seed, number)
    names = asked.only.split(",")
    return [by_name()[name] for name in names if name != "none"]


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="testkit.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="play until so many rounds of this seed are in the file")
    parser.add_argument("--seed", default=new_handle()[:8], help="repeats a run; a new one each time by default")
    parser.add_argument("--round", type=int, help="play this one round of the seed again")
    parser.add_argument("--results", type=Path, help="file of results, .faults/<seed>.jsonl by default; a later run continues it")
    parser.add_argument("--only", help="instead of what is dealt, these faults in each round (none: no fault)")
    parser.add_argument("--list", action="store_true", help="list all faults by kind")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
