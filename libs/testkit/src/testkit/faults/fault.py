"""What a fault is: something that strikes a running site, and takes itself back before it returns."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testkit.faults.site import Site

Strike = Callable[["Site", Random], Awaitable[str]]


def seeded(*words: object) -> Random:
    """Return the chance that belongs to these words: always the same."""
    return Random("/".join(map(str, words)))  # noqa: S311 - to be repeated is its purpose


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    `strike` begins the fault, waits, takes it back, and returns one line that says what it did; all that is random in it comes
    from the given generator, so that a round's seed repeats it. `heavy` gives a round the time that Kafka or MongoDB away need.
    `excuses` names what the checker has to allow because of this fault: see `checker.py`.
    """

    name: str
    strike: Strike
    heavy: bool = False
    excuses: frozenset[str] = frozenset()
