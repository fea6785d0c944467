"""The results of rounds: a file of lines that later runs continue, and a table at the end."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import median

from testkit.faults.rounds import Result

MOST = 12
"""So many findings of a round are shown; all stand in the file."""


def read(path: Path) -> list[Result]:
    """Read what earlier runs left."""
    return [Result(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, result: Result) -> None:
    """Add a round."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(asdict(result)) + "\n")


def line(result: Result) -> str:
    """One round in one line, its findings below it."""
    told = f"round {result.round:>4}  {result.seconds:>5.1f} s  {result.acknowledged:>4} writes  {result.unsure:>2} unsure"
    struck = "; ".join(result.struck) or "no fault"
    findings = "".join(f"\n            FINDING {finding}" for finding in result.findings[:MOST])
    findings += f"\n            and {len(result.findings) - MOST} more" if len(result.findings) > MOST else ""
    return f"{told}  {struck}{findings}"


def table(results: Iterable[Result]) -> list[str]:
    """What all rounds of a file came to."""
    rounds = list(results)
    if not rounds:
        return ["no rounds"]
    light = [one.seconds for one in rounds if not one.heavy] or [0.0]
    heavy = [one.seconds for one in rounds if one.heavy] or [0.0]
    faults = Counter(name for one in rounds for name in one.faults)
    bad = [one for one in rounds if one.findings]
    writes = f"{sum(one.acknowledged for one in rounds)} acknowledged writes, {sum(one.unsure for one in rounds)} unsure"
    longest = f"the longest {max(light):.1f} s, {max(heavy):.1f} s when Kafka or MongoDB was away"
    return [
        f"{len(rounds)} rounds, {writes}, {len(faults)} different faults struck {faults.total()} times",
        f"a round took {median([one.seconds for one in rounds]):.1f} s at the median; {longest}",
        f"{len(bad)} rounds with findings{': ' if bad else ''}{', '.join(f'{one.seed}/{one.round}' for one in bad)}",
    ]
