"""When a vacancy fits a saved search: a pure predicate over tokens, numbers and positions. No I/O.

Words and skills are compared as tokens; whether a token is a word or a keyed hash of one makes no difference here. Every
criterion of the search has to be met, and one that the vacancy says nothing about is not met: nobody gets mail on a guess.
"""

from dataclasses import dataclass

from chassis.places import distance_km

Position = tuple[float, float]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a saved search asks for; what is empty or None is no criterion."""

    words: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    near: Position | None = None
    radius_km: float = 0
    eqf: int | None = None
    hours: Range | None = None
    contract_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Offered:
    """What a vacancy says of itself; what is empty or None it does not say."""

    words: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    position: Position | None = None
    from_anywhere: bool = False
    eqf: int | None = None
    hours: Range | None = None
    contract_types: frozenset[str] = frozenset()


def matches(wanted: Wanted, offered: Offered) -> bool:
    """Tell whether the vacancy meets every criterion: all words, one of the skills, one of the contract types, and so on."""
    return (
        wanted.words <= offered.words
        and (not wanted.skills or not wanted.skills.isdisjoint(offered.skills))
        and (not wanted.contract_types or not wanted.contract_types.isdisjoint(offered.contract_types))
        and (wanted.eqf is None or wanted.eqf == offered.eqf)
        and (wanted.hours is None or _overlap(wanted.hours, offered.hours))
        and (wanted.near is None or _within_reach(wanted.near, wanted.radius_km, offered))
    )


def _overlap(wanted: Range, offered: Range | None) -> bool:
    return offered is not None and wanted[0] <= offered[1] and offered[0] <= wanted[1]


def _within_reach(near: Position, radius_km: float, offered: Offered) -> bool:
    """Work that can be done from anywhere is near everybody."""
    if offered.from_anywhere:
        return True
    return offered.position is not None and distance_km(near, offered.position) <= radius_km
