"""When a vacancy fits a saved search: the definition, which every faster way to find the searches has to agree with. No I/O.

Words and skills are 64-bit numbers, keyed hashes of a stem or of a phrase; whoever makes them makes them alike on both sides.
Ranges include both their ends, and an open end is infinite. Salaries are euros for a month of full-time work, days are ordinals.
"""

import math
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import TypeVar

from chassis.places import distance_km

_Value = TypeVar("_Value", int, str)

Position = tuple[float, float]
Range = tuple[float, float]

REMOTE = "remote"
ANY: Range = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a saved search asks for: conditions that have to hold, all of them; one that is empty or None is not asked."""

    all_words: frozenset[int] = frozenset()
    any_words: frozenset[int] = frozenset()
    no_words: frozenset[int] = frozenset()
    skills: frozenset[int] = frozenset()
    near: Position | None = None
    radius_km: float = 0
    provinces: frozenset[str] = frozenset()
    hours: Range | None = None
    salary: Range | None = None
    levels: frozenset[int] = frozenset()
    contract_types: frozenset[str] = frozenset()
    workplaces: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    not_organisations: frozenset[str] = frozenset()
    starts: Range | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """What a vacancy says of itself; what is empty or None it does not say. Workplace and organisation it always says."""

    words: frozenset[int] = frozenset()
    skills: frozenset[int] = frozenset()
    positions: tuple[Position, ...] = ()
    provinces: frozenset[str] = frozenset()
    workplace: str = "on-site"
    hours: Range | None = None
    salary: Range | None = None
    eqf: int | None = None
    contract_types: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()
    organisation: str = ""
    starts: int | None = None

    @property
    def from_anywhere(self) -> bool:
        """Whether the work can be done from any place: it says so, or names no place."""
        return self.workplace == REMOTE or not (self.positions or self.provinces)


def matches(wanted: Wanted, offered: Offered) -> bool:
    """Tell whether the vacancy meets every condition of the search.

    Where it says nothing, one rule for each condition:

    - words: a vacancy always has words.
    - skills, hours, contract types, sectors: not met. Nobody gets mail on a guess.
    - place (near, or a province): met, as by work that can be done from anywhere. One of several locations is enough.
    - salary: met. Most vacancies do not say, and few people would want to miss those.
    - level: met. Nothing is required.
    - start: met. When to begin can be talked about.
    """
    return (
        wanted.all_words <= offered.words
        and _one_of(wanted.any_words, offered.words)
        and wanted.no_words.isdisjoint(offered.words)
        and _one_of(wanted.skills, offered.skills)
        and (wanted.near is None or offered.from_anywhere or _within(wanted.near, wanted.radius_km, offered.positions))
        and (offered.from_anywhere or _one_of(wanted.provinces, offered.provinces))
        and (wanted.hours is None or (offered.hours is not None and _overlap(wanted.hours, offered.hours)))
        and (wanted.salary is None or offered.salary is None or _overlap(wanted.salary, offered.salary))
        and (offered.eqf is None or _one_of(wanted.levels, {offered.eqf}))
        and _one_of(wanted.contract_types, offered.contract_types)
        and _one_of(wanted.workplaces, {offered.workplace})
        and _one_of(wanted.sectors, offered.sectors)
        and _one_of(wanted.organisations, {offered.organisation})
        and offered.organisation not in wanted.not_organisations
        and (wanted.starts is None or offered.starts is None or _overlap(wanted.starts, (offered.starts, offered.starts)))
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """A condition that a search has and a vacancy meets, by what of both it is met.

    `common` are the words, skills or codes that both name. A range is the search's (`wanted`) with the vacancy's (`offered`). A
    place is the vacancy's `position`, counted from 0, so many `km` away. What the vacancy leaves open has nothing but its name.
    """

    condition: str
    common: frozenset[int] | frozenset[str] = frozenset()
    wanted: Range | None = None
    offered: Range | None = None
    position: int | None = None
    km: float | None = None


def why(wanted: Wanted, offered: Offered) -> Iterator[Reason]:
    """Yield each condition of a search, other than the excluding ones, and how a vacancy that fits meets it."""
    for condition, words in (("all_words", wanted.all_words), ("any_words", wanted.any_words)):
        if words:
            yield Reason(condition, common=words & offered.words)
    if wanted.skills:
        yield Reason("skills", common=wanted.skills & offered.skills)
    if wanted.near is not None:
        yield _how_near(wanted.near, offered)
    begins = None if offered.starts is None else (float(offered.starts), float(offered.starts))
    for condition, ours, theirs in (
        ("hours", wanted.hours, offered.hours),
        ("salary", wanted.salary, offered.salary),
        ("starts", wanted.starts, begins),
    ):
        if ours is not None:
            yield Reason(condition, wanted=ours, offered=theirs)
    if wanted.levels:
        yield Reason("levels", common=wanted.levels & {offered.eqf} if offered.eqf is not None else frozenset())
    for condition, codes, said in (
        ("provinces", wanted.provinces, offered.provinces),
        ("contract_types", wanted.contract_types, offered.contract_types),
        ("workplaces", wanted.workplaces, {offered.workplace}),
        ("sectors", wanted.sectors, offered.sectors),
        ("organisations", wanted.organisations, {offered.organisation}),
    ):
        if codes:
            yield Reason(condition, common=codes & said)


def _how_near(near: Position, offered: Offered) -> Reason:
    """Name the closest of the vacancy's locations, unless the work can be done from anywhere."""
    if offered.from_anywhere:
        return Reason("near")
    km, position = min((distance_km(near, position), number) for number, position in enumerate(offered.positions))
    return Reason("near", position=position, km=km)


def _one_of(wanted: Set[_Value], offered: Set[_Value]) -> bool:
    return not wanted or not wanted.isdisjoint(offered)


def _overlap(wanted: Range, offered: Range) -> bool:
    return wanted[0] <= offered[1] and offered[0] <= wanted[1]


def _within(near: Position, radius_km: float, positions: tuple[Position, ...]) -> bool:
    return any(distance_km(near, position) <= radius_km for position in positions)
