"""A process that holds saved searches and nothing else, in the engine or in mokaccino, and says how much memory it takes.

Each imports only what it needs: `python -m testkit.bench.match_process engine|mokaccino SEARCHES`.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from chassis.memory import give_back
from notifications.matching.model import Wanted

from testkit.bench.match_market import Market

if TYPE_CHECKING:
    from mokaccino import Percolator
    from notifications.matching.index.engine import Engine

Searches = Iterator[tuple[bytes, Wanted]]


def engine(searches: Searches) -> "Engine":
    """Return an engine that holds them."""
    from notifications.matching.index.engine import Engine

    made = Engine()
    made.load(searches)
    return made


def mokaccino(searches: Searches) -> "Percolator":
    """Return a percolator that holds them."""
    from testkit.bench.match_mokaccino import percolator, query

    return percolator(query(wanted) for _, wanted in searches)


def main() -> None:
    """Hold them, and say how many bytes are resident then."""
    held = {"engine": engine, "mokaccino": mokaccino}[sys.argv[1]](Market().searches(int(sys.argv[2])))
    give_back()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    sys.stdout.write(f"{pages * os.sysconf('SC_PAGE_SIZE') if held else 0}\n")


if __name__ == "__main__":
    main()
