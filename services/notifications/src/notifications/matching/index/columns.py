"""Searches as columns of codes: what each column asks of a vacancy, and searches written down that way. No I/O."""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from notifications.matching.index.arrays import Array, Rows, joined, narrow
from notifications.matching.index.tables import AllOf, NoneOf, OneOf, Overlaps, Table, Within
from notifications.matching.model import Offered, Position, Range, Wanted

ID = "V16"
"""A search's id: the 16 bytes of a UUID."""
UNSAID = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Column:
    """One condition: what a search asks (nothing when empty or None), what a vacancy says (None: it meets whatever is asked).

    Whether vacancies repeat each other in it.
    """

    table: type[Table]
    asked: Callable[[Wanted], Any]
    said: Callable[[Offered], Hashable]
    repeats: bool = True


def _near(wanted: Wanted) -> tuple[Position, float] | None:
    return None if wanted.near is None else (wanted.near, wanted.radius_km)


def _level(offered: Offered) -> frozenset[int] | None:
    return None if offered.eqf is None else frozenset({offered.eqf})


def _begin(offered: Offered) -> Range | None:
    return None if offered.starts is None else (offered.starts, offered.starts)


def _anywhere(said: Callable[[Offered], Hashable]) -> Callable[[Offered], Hashable]:
    return lambda offered: None if offered.from_anywhere else said(offered)


COLUMNS = (
    Column(AllOf, lambda wanted: wanted.all_words, lambda offered: offered.words, repeats=False),
    Column(OneOf, lambda wanted: wanted.skills, lambda offered: offered.skills, repeats=False),
    Column(OneOf, lambda wanted: wanted.any_words, lambda offered: offered.words, repeats=False),
    Column(OneOf, lambda wanted: wanted.organisations, lambda offered: frozenset({offered.organisation})),
    Column(Within, _near, _anywhere(lambda offered: offered.positions)),
    Column(OneOf, lambda wanted: wanted.sectors, lambda offered: offered.sectors),
    Column(OneOf, lambda wanted: wanted.provinces, _anywhere(lambda offered: offered.provinces)),
    Column(OneOf, lambda wanted: wanted.contract_types, lambda offered: offered.contract_types),
    Column(Overlaps, lambda wanted: wanted.hours, lambda offered: offered.hours or UNSAID),
    Column(OneOf, lambda wanted: wanted.levels, _level),
    Column(Overlaps, lambda wanted: wanted.salary, lambda offered: offered.salary),
    Column(OneOf, lambda wanted: wanted.workplaces, lambda offered: frozenset({offered.workplace})),
    Column(Overlaps, lambda wanted: wanted.starts, _begin),
    Column(NoneOf, lambda wanted: wanted.no_words, lambda offered: offered.words, repeats=False),
    Column(NoneOf, lambda wanted: wanted.not_organisations, lambda offered: frozenset({offered.organisation})),
)
"""Most selective first: a search is found through the first of them that it asks."""
POSITIVE = 13
"""So many of them, the first, say what a vacancy has to be; the rest only what it may not be."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Searches as columns: their ids, for each condition the distinct values that they ask, and which of these each asks."""

    ids: Array
    values: tuple[Rows, ...]
    codes: tuple[Array, ...]


def block(searches: Sequence[tuple[bytes, Wanted]]) -> Block:
    """Return searches as columns."""
    ids = np.frombuffer(b"".join(id_ for id_, _ in searches), ID)
    wanted = [one for _, one in searches]
    values, codes = zip(*(_column(column, wanted) for column in COLUMNS), strict=True)
    return Block(ids, values, codes)


def _column(column: Column, searches: Iterable[Wanted]) -> tuple[Rows, Array]:
    known: dict[Any, int] = {}
    codes = [known.setdefault(asked, len(known) + 1) if (asked := column.asked(one)) else 0 for one in searches]
    return Rows.of([column.table.numbers(value) for value in known]), narrow(np.array(codes, np.uint32))


def as_one(blocks: Sequence[Block]) -> Block:
    """Return several blocks as one: each distinct value once, none that nobody asks."""
    blocks = [block([]), *blocks]
    ids = np.concatenate([one.ids for one in blocks])
    parts = zip(*(zip(one.values, one.codes, strict=True) for one in blocks), strict=True)
    values, codes = zip(*(joined(column) for column in parts), strict=True)
    return Block(ids, values, codes)
