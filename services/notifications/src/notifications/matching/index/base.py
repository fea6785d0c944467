"""The index: a great many searches, in the order in which vacancies find them. No I/O.

Every distinct value of every condition has a number, and a vacancy has one table of truths over all of them. Searches that ask
the same are one *question*: a short row of those numbers, all of which have to be true. Questions are sorted by their *lead*, the
first and so the most selective of them; those that a vacancy may fit are one slice for each lead that is true.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np

from notifications.matching.index.arrays import Array, Bools, offsets, spans, whole
from notifications.matching.index.columns import COLUMNS, POSITIVE, Block, as_one
from notifications.matching.model import Offered

KEPT = 128
"""Vacancies repeat each other: a town, a sector, a level. For each condition so many of the latest answers are kept."""
WHOLE = np.complex128
"""A number as wide as an id: numpy copies those much faster than bytes."""


class Base:
    """Searches that do not change, except that each can go."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        every = as_one(blocks)
        self._values = every.values
        self._bases = list(accumulate(map(len, every.values), initial=0))
        self._truths = [
            lru_cache(KEPT if column.repeats else 0)(column.table(rows).truths)
            for column, rows in zip(COLUMNS, every.values, strict=True)
        ]
        lead = _leads(every.codes, self._bases)
        order = np.lexsort((*(codes for codes in reversed(every.codes) if codes.any()), lead))
        first = _first_of_its_kind([codes[order] for codes in every.codes])
        questions = order[first]
        self._conditions, self._rows = _rows([codes[questions] for codes in every.codes], self._bases)
        self._questions = offsets(lead[questions], self._bases[-1])
        self._asked_by = np.append(first, len(order)).astype(np.uint32)
        self._ids = every.ids[order]
        self._alive = np.ones(len(order), np.bool_)
        self._tails = self._ids.view(np.uint64)[1::2]
        self._by_tail = np.argsort(self._tails).astype(np.uint32)
        self._gone = 0

    def __len__(self) -> int:
        """Return how many searches there are."""
        return len(self._ids) - self._gone

    def __contains__(self, id_: bytes) -> bool:
        """Tell whether a search is here."""
        return self._row(id_) is not None

    @property
    def stale(self) -> bool:
        """Tell whether something of removed searches is left."""
        return self._gone > 0

    def remove(self, id_: bytes) -> None:
        """Let a search match no more, when it is here."""
        row = self._row(id_)
        if row is not None:
            self._alive[row] = False
            self._gone += 1

    def match(self, offered: Offered) -> Array:
        """Return the ids of the searches that a vacancy fits."""
        questions = self._met(self._all_truths(offered))
        rows = spans(self._asked_by[questions], self._asked_by[questions + 1])
        if self._gone:
            rows = rows[self._alive[rows]]
        return self._ids.view(WHOLE)[rows].view(self._ids.dtype)

    def block(self) -> Block:
        """Return the searches as columns again, to be put together with others."""
        sizes, alive = np.diff(self._asked_by), self._alive.copy()
        owners = np.repeat(np.arange(len(sizes)), np.diff(self._rows))
        codes = []
        for begin, end in zip(self._bases[:-1], self._bases[1:], strict=True):
            column, here = np.zeros(len(sizes), np.uint32), (self._conditions >= begin) & (self._conditions < end)
            column[owners[here]] = self._conditions[here] - begin
            codes.append(np.repeat(column, sizes)[alive])
        return Block(self._ids[alive], self._values, tuple(codes))

    def _all_truths(self, offered: Offered) -> Bools:
        """Tell of each condition whether the vacancy meets it."""
        found = []
        for column, rows, truths in zip(COLUMNS, self._values, self._truths, strict=True):
            said = column.said(offered) if len(rows) > 1 else None
            found.append(np.ones(len(rows), np.bool_) if said is None else truths(said))
        return np.concatenate(found)

    def _met(self, truths: Bools) -> Array:
        """Return the questions of which all conditions are true."""
        leads = np.flatnonzero(truths)
        starts, ends = self._questions[leads], self._questions[leads + 1]
        some = starts < ends
        starts, ends = starts[some], ends[some]
        questions = spans(starts, ends)
        asked = truths[self._conditions[spans(self._rows[starts], self._rows[ends])]]
        return questions[whole(asked, self._rows[questions + 1] - self._rows[questions])]

    def _row(self, id_: bytes) -> int | None:
        """Return the row of a search that is not gone. Ids are found by their second half, which chance makes."""
        tail = np.frombuffer(id_, np.uint64)[1]
        place = bisect_left(self._by_tail, tail, key=self._tails.__getitem__)
        while place < len(self._by_tail) and self._tails[row := self._by_tail[place]] == tail:
            if self._alive[row] and self._ids[row].tobytes() == id_:
                return int(row)
            place += 1
        return None


def _leads(codes: Sequence[Array], bases: Sequence[int]) -> Array:
    """Return for each search its first condition; 0, which is always true, when it only excludes or asks nothing."""
    lead = np.zeros(len(codes[0]), np.uint32)
    for column, base in reversed(list(zip(codes[:POSITIVE], bases[:POSITIVE], strict=True))):
        np.copyto(lead, column + np.uint32(base), where=column != 0)
    return lead


def _first_of_its_kind(codes: Sequence[Array]) -> Array:
    """Return which of the sorted searches differ from the one before."""
    differs = np.ones(len(codes[0]), np.bool_)
    differs[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in codes])
    return np.flatnonzero(differs)


def _rows(codes: Sequence[Array], bases: Sequence[int]) -> tuple[Array, Array]:
    """Return the conditions of each question, one question after the other, and where each begins. None is without any."""
    asked = np.stack([column != 0 for column in codes], axis=1)
    asked[~asked.any(axis=1), 0] = True
    every = np.stack([column + np.uint32(base) for column, base in zip(codes, bases[:-1], strict=True)], axis=1)
    return every[asked], np.concatenate(([0], np.cumsum(asked.sum(axis=1)))).astype(np.uint32)
