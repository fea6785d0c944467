"""Which faults strike in which round: dealt like cards, so that a few rounds meet every kind and many meet every fault."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import TypeVar

from testkit.faults.fault import Fault, seeded

T = TypeVar("T")
Kinds = Mapping[str, tuple[Fault, ...]]
HOW_MANY = (1, 1, 2, 2, 3)


def deal(kinds: Kinds, seed: str, number: int) -> list[Fault]:
    """Return the faults of a round; rounds count from 1."""
    return next(islice(_rounds(kinds, seed), number - 1, None))


def _rounds(kinds: Kinds, seed: str) -> Iterator[list[Fault]]:
    random = seeded(seed, "deal")
    deck = _deck(sorted(kinds), random)
    decks = {name: _deck(faults, random) for name, faults in kinds.items()}
    held: Fault | None = None
    while True:
        faults = [held] if held else []
        held = None
        for _ in range(random.choice(HOW_MANY) - len(faults)):
            fault = next(decks[next(deck)])
            if fault.heavy and any(one.heavy for one in faults):
                held = fault  # two of those in one round would try the patience of whoever waits
                break
            faults.append(fault)
        yield faults


def _deck(cards: Sequence[T], random: Random) -> Iterator[T]:
    """Give all cards again and again, each time in another order."""
    while True:
        yield from random.sample(cards, len(cards))
