"""How a figure is made: measured in alternating rounds beside its baseline, told as a ratio with its spread.

A machine does other things too, so one number says little. Each round measures both sides, one right after the other and in
turns first; the figure is the round whose ratio is the median.
"""

import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chassis.terminal import say

Measure = Callable[[], Awaitable[float]]
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Round:
    """Both sides, measured one right after the other."""

    value: float
    baseline: float


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    `better` says which way the ratio is better. Where the goal asks how much faster something is, and a lower value is faster,
    `inverted` makes the ratio baseline / value. A `goal` of None: the figure is told and bounds nothing.
    """

    name: str
    unit: str
    baseline: str
    rounds: tuple[Round, ...]
    better: Better = "higher"
    goal: float | None = None
    inverted: bool = False

    @property
    def median(self) -> Round:
        """The round in the middle; of an even number the lower one, so that its values are those of a real round."""
        middle = statistics.median_low(self.ratios)
        return self.rounds[self.ratios.index(middle)]

    @property
    def ratio(self) -> float:
        """The number that the goal bounds."""
        return statistics.median_low(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """The ratio of each round."""
        return [one.baseline / one.value if self.inverted else one.value / one.baseline for one in self.rounds]

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal

    def document(self) -> dict[str, Any]:
        """Return the figure as the results' file holds it."""
        return {
            "name": self.name,
            "value": self.median.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "baseline_value": self.median.baseline,
            "ratio": self.ratio,
            "better": self.better,
            "goal": self.goal,
        }


async def alternate(value: Measure, baseline: Measure, *, rounds: int = 5, warm: bool = True) -> tuple[Round, ...]:
    """Measure both sides in turns; `warm` measures each once before that counts."""
    if warm:
        await baseline()
        await value()
    found = []
    for number in range(rounds):
        if number % 2:
            ours = await value()
            theirs = await baseline()
        else:
            theirs = await baseline()
            ours = await value()
        say(f"    round {number + 1} of {rounds}: {short(ours)} against {short(theirs)}")
        found.append(Round(ours, theirs))
    return tuple(found)


def worst(figures: Sequence[Figure], *, name: str, goal: float) -> Figure:
    """Return the figure under `name` that stands for several: the one that is farthest from the goal they share."""
    lowest, highest = min(figures, key=lambda one: one.ratio), max(figures, key=lambda one: one.ratio)
    chosen = lowest if figures[0].better == "higher" else highest
    baseline = f"{chosen.baseline} ({chosen.name})"
    return Figure(name, chosen.unit, baseline, chosen.rounds, chosen.better, goal, chosen.inverted)


def table(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of a table, in Markdown, as `docs/performance.md` shows it."""
    head = ("name", "value", "baseline", "ratio", "spread", "goal", "")
    rows = [head, *(_row(one) for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
    return [lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]]


def _row(one: Figure) -> tuple[str, ...]:
    sign = "≥" if one.better == "higher" else "≤"
    return (
        one.name,
        f"{short(one.median.value)} {one.unit}",
        f"{short(one.median.baseline)} {one.baseline}",
        short(one.ratio),
        f"{short(min(one.ratios))} - {short(max(one.ratios))}",
        "tell" if one.goal is None else f"{sign} {short(one.goal)}",
        {True: "met", False: "missed", None: ""}[one.met],
    )


def short(number: float) -> str:
    """Return a number with three digits that count."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
