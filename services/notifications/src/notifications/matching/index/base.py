"""The index: a great many searches, in the order in which vacancies find them. No I/O.

Searches that ask the same are one *question*. Questions are sorted by the first condition that they ask (their *lead*) and its
value, so those that a vacancy may fit are a few slices of the columns, for each value of a lead that it meets. They are held
against the other columns' truths, column by column, and what is left of them has slices of ids.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from notifications.matching.index.arrays import Array, Bools, Numbers, narrow, offsets, spans
from notifications.matching.index.columns import COLUMNS, POSITIVE, Block, as_one
from notifications.matching.index.tables import Table
from notifications.matching.model import Offered

_NONE: Numbers = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """The questions of one lead: where those of each of its values begin, and the later columns in which any asks something."""

    lead: int
    starts: Array
    others: tuple[int, ...]


class Base:
    """Searches that do not change, except that each can go."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        whole = as_one(blocks)
        self._values = whole.values
        self._tables: list[Table] = [column.table(rows) for column, rows in zip(COLUMNS, whole.values, strict=True)]
        lead = _leads(whole.codes)
        order = _order(whole.codes, lead)
        self._ids = whole.ids[order]
        codes = [column[order] for column in whole.codes]
        first = _first_of_its_kind(codes)
        self._codes = [narrow(column[first]) for column in codes]
        self._starts = np.append(first, len(order)).astype(np.uint32)
        self._sections = _sections(self._codes, [len(rows) for rows in whole.values], lead[order][first])
        self._alive = np.ones(len(order), np.bool_)
        self._tails = self._ids.view(np.uint64)[1::2]
        self._by_tail = np.argsort(self._tails).astype(np.uint32)

    def __len__(self) -> int:
        """Return how many searches there are."""
        return int(np.count_nonzero(self._alive))

    def __contains__(self, id_: bytes) -> bool:
        return self._row(id_) is not None

    def remove(self, id_: bytes) -> bool:
        """Let a search match no more; tell whether it did."""
        row = self._row(id_)
        if row is None:
            return False
        self._alive[row] = False
        return True

    def match(self, offered: Offered) -> Array:
        """Return the ids of the searches that a vacancy fits."""
        truths = [self._truths(number, offered) for number in range(len(COLUMNS))]
        questions = np.concatenate([_NONE, *(self._met(section, truths) for section in self._sections)])
        rows = spans(self._starts[questions], self._starts[questions + 1])
        return self._ids[rows[self._alive[rows]]]

    def block(self) -> Block:
        """Return the searches as columns again, to be put together with others."""
        sizes, alive = np.diff(self._starts), self._alive.copy()
        return Block(self._ids[alive], self._values, tuple(np.repeat(column, sizes)[alive] for column in self._codes))

    def _truths(self, number: int, offered: Offered) -> Bools | None:
        """Tell of each value of a column whether the vacancy meets it; None when it meets all."""
        said = COLUMNS[number].said(offered) if len(self._values[number]) > 1 else None
        return None if said is None else self._tables[number].truths(said)

    def _met(self, section: Section, truths: Sequence[Bools | None]) -> Numbers:
        """Return the questions of a section that the vacancy meets."""
        lead = truths[section.lead]
        values = np.arange(len(section.starts) - 1) if lead is None else np.flatnonzero(lead)
        questions = spans(section.starts[values], section.starts[values + 1])
        for number in section.others:
            truth = truths[number]
            if truth is not None:
                questions = questions[truth[self._codes[number][questions]]]
        return questions

    def _row(self, id_: bytes) -> int | None:
        """Return the row of a search that is not gone. Ids are found by their second half, which chance makes."""
        tail = np.frombuffer(id_, np.uint64)[1]
        place = bisect_left(self._by_tail, tail, key=self._tails.__getitem__)
        while place < len(self._by_tail) and self._tails[row := self._by_tail[place]] == tail:
            if self._alive[row] and self._ids[row].tobytes() == id_:
                return int(row)
            place += 1
        return None


def _leads(codes: Sequence[Array]) -> Array:
    """Return for each search the first column in which it asks something; `POSITIVE` when it only excludes, or asks nothing."""
    lead = np.full(len(codes[0]), POSITIVE, np.uint8)
    for number in reversed(range(POSITIVE)):
        lead[codes[number] != 0] = number
    return lead


def _order(codes: Sequence[Array], lead: Array) -> Array:
    """Return the order by lead, then by value column by column; a lead's own is the first in which its searches differ."""
    return np.lexsort((*reversed(codes), lead))


def _first_of_its_kind(codes: Sequence[Array]) -> Array:
    """Return which of the sorted searches differ from the one before."""
    differs = np.ones(len(codes[0]), np.bool_)
    differs[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in codes])
    return np.flatnonzero(differs)


def _sections(codes: Sequence[Array], counts: Sequence[int], lead: Array) -> list[Section]:
    found = []
    for number in map(int, np.unique(lead)):
        begin, end = map(int, np.searchsorted(lead, [number, number + 1]))
        others = tuple(other for other in range(number + 1, len(codes)) if codes[other][begin:end].any())
        found.append(Section(number, begin + offsets(codes[number][begin:end], counts[number]), others))
    return found
