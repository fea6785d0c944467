"""`make bench`: runs the benchmarks, shows their table, writes `.bench/results.json`; `ONLY=write,relay` runs some."""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chassis import logs
from chassis.memory import settle
from chassis.terminal import say
from localstack.layout import ROOT

from testkit.bench import (
    alerting,
    consuming,
    encrypting,
    growing,
    mailing,
    matching,
    reading,
    relaying,
    routing,
    signing_in,
    starting,
    writing,
)
from testkit.bench.figures import Figure, table
from testkit.bench.ground import Ground

LONGEST = 600.0
"""Seconds after which a benchmark has hung."""
RESULTS = ROOT / ".bench" / "results.json"
Benchmark = Callable[[Ground], Awaitable[list[Figure]]]
BENCHMARKS: Mapping[str, Benchmark] = {
    "write": writing.write,
    "relay": relaying.relay,
    "publish-latency": relaying.publish_latency,
    "consume": consuming.consume,
    "route": routing.route,
    "read": reading.read,
    "sign-in": signing_in.sign_in,
    "mail": mailing.mail,
    "encrypt": encrypting.encrypt,
    "growth": growing.growth,
    "start": starting.start,
    "match": matching.match,
    "match-limit": matching.match_limit,
    "match-growth": matching.match_growth,
    "match-memory": matching.match_memory,
    "match-build": matching.match_build,
    "match-load": alerting.match_load,
    "match-churn": matching.match_churn,
    "alert-fan-out": alerting.alert_fan_out,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="testkit.bench", description=__doc__)
    parser.add_argument("--only", default="", help=f"which, separated by commas: {', '.join(BENCHMARKS)}; all by default")
    wanted = [name for name in parser.parse_args().only.split(",") if name] or list(BENCHMARKS)
    if unknown := set(wanted) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    logs.configure("bench", "run", "error", json=False)
    settle()  # as every process does
    figures = list[Figure]()
    try:
        asyncio.run(_run(Ground.ready(), wanted, figures))
    finally:  # also when one of them failed
        say()
        for line in table(figures):
            say(line)
        keep(RESULTS, figures)


async def _run(ground: Ground, names: Sequence[str], found: list[Figure]) -> None:
    begun = time.perf_counter()
    for number, name in enumerate(names, 1):
        say(f"{name} ({number} of {len(names)}, after {time.perf_counter() - begun:.0f} s)")
        async with asyncio.timeout(LONGEST):
            found += await BENCHMARKS[name](ground)


def keep(file: Path, figures: Sequence[Figure]) -> None:
    """Write the results; a run of some replaces theirs and leaves the others' as they were."""
    kept: dict[str, Any] = {one["name"]: one for one in json.loads(file.read_text("utf-8"))} if file.exists() else {}
    kept |= {one.name: one.document() for one in figures}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(list(kept.values()), indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
