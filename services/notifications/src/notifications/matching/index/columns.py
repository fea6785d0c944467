"""Searches as columns of codes: what each column asks of a vacancy, and searches written down that way. No I/O."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from notifications.matching.index.arrays import Array, Rows, joined
from notifications.matching.index.tables import AllOf, NoneOf, OneOf, Overlaps, Table, Within, numbers
from notifications.matching.model import Offered, Position, Range, Wanted

ID = "V16"
"""A search's id: the 16 bytes of a UUID."""
UNSAID = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Column:
    """One condition: what a search asks (nothing when empty or None), what a vacancy says (None: it meets whatever is asked)."""

    table: type[Table]
    asked: Callable[[Wanted], Any]
    said: Callable[[Offered], Any]


def _near(wanted: Wanted) -> tuple[Position, float] | None:
    return None if wanted.near is None else (wanted.near, wanted.radius_km)


def _starts(offered: Offered) -> Range | None:
    return None if offered.starts is None else (offered.starts, offered.starts)


COLUMNS = (
    Column(AllOf, lambda wanted: wanted.all_words, lambda offered: numbers(offered.words)),
    Column(OneOf, lambda wanted: wanted.skills, lambda offered: numbers(offered.skills)),
    Column(OneOf, lambda wanted: wanted.any_words, lambda offered: numbers(offered.words)),
    Column(OneOf, lambda wanted: wanted.organisations, lambda offered: numbers({offered.organisation})),
    Column(Within, _near, lambda offered: None if offered.from_anywhere else offered.positions),
    Column(OneOf, lambda wanted: wanted.sectors, lambda offered: numbers(offered.sectors)),
    Column(OneOf, lambda wanted: wanted.provinces, lambda offered: None if offered.from_anywhere else numbers(offered.provinces)),
    Column(OneOf, lambda wanted: wanted.contract_types, lambda offered: numbers(offered.contract_types)),
    Column(Overlaps, lambda wanted: wanted.hours, lambda offered: offered.hours or UNSAID),
    Column(OneOf, lambda wanted: wanted.levels, lambda offered: None if offered.eqf is None else numbers({offered.eqf})),
    Column(Overlaps, lambda wanted: wanted.salary, lambda offered: offered.salary),
    Column(OneOf, lambda wanted: wanted.workplaces, lambda offered: numbers({offered.workplace})),
    Column(Overlaps, lambda wanted: wanted.starts, _starts),
    Column(NoneOf, lambda wanted: wanted.no_words, lambda offered: numbers(offered.words)),
    Column(NoneOf, lambda wanted: wanted.not_organisations, lambda offered: numbers({offered.organisation})),
)
"""Most selective first. A search is found through the first of them that it asks, and held against those behind it."""
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
    return Rows.of([column.table.numbers(value) for value in known]), np.array(codes, np.uint32)


def as_one(blocks: Sequence[Block]) -> Block:
    """Return several blocks as one: each distinct value once, none that nobody asks."""
    blocks = [block([]), *blocks]
    ids = np.concatenate([one.ids for one in blocks])
    parts = zip(*(zip(one.values, one.codes, strict=True) for one in blocks), strict=True)
    values, codes = zip(*(joined(column) for column in parts), strict=True)
    return Block(ids, values, codes)
