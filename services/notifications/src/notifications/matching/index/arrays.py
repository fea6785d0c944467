"""Numpy in the words of the index: rows of numbers without their doubles, slices laid end to end. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]


def narrow(values: Array) -> Array:
    """Return unsigned numbers in as few bytes as their largest needs."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def spans(starts: Array, ends: Array) -> Numbers:
    """Return every number of the slices [start, end), one slice after the other."""
    begins = starts.astype(np.int64)
    sizes = ends - begins
    stops = np.cumsum(sizes)
    every: Numbers = np.arange(int(stops[-1]) if len(stops) else 0) + np.repeat(begins - (stops - sizes), sizes)
    return every


def whole(truths: Bools, sizes: Array) -> Bools:
    """Tell of each row of so many truths whether all of them hold: as many have failed before it as up to its end."""
    failed = np.concatenate(([0], np.cumsum(~truths, dtype=np.int32)))
    ends = np.cumsum(sizes, dtype=np.int64)
    return np.asarray(failed[ends] == failed[ends - sizes])


def offsets(codes: Array, count: int) -> Array:
    """Return where each of `count` codes begins among sorted ones, and the end."""
    return np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=count)))).astype(np.uint32)


def positions(vocabulary: Numbers, numbers: Numbers) -> Numbers:
    """Return where those of the numbers that a sorted vocabulary has stand in it."""
    if not len(vocabulary):
        return np.empty(0, np.int64)
    found: Numbers = np.searchsorted(vocabulary, numbers)
    found[found == len(vocabulary)] = 0
    known: Numbers = found[vocabulary[found] == numbers]
    return known


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Distinct rows of numbers, each of any length. Row 0 is empty: nothing is asked.

    The numbers are written as their places in a sorted vocabulary: row `i` is `vocabulary[flat[starts[i] : starts[i + 1]]]`.
    """

    vocabulary: Numbers
    flat: Array
    starts: Array

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Self:
        """Return these rows, which are distinct and not empty, from row 1 on."""
        numbers = np.fromiter(chain.from_iterable(rows), np.int64)
        vocabulary, flat = np.unique(numbers, return_inverse=True)
        ends = np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)))
        return cls(vocabulary, narrow(flat), np.concatenate(([0, 0], ends)).astype(np.uint32))

    def __len__(self) -> int:
        """Return how many rows there are, the empty one among them."""
        return len(self.starts) - 1

    @property
    def sizes(self) -> Array:
        """The length of each row."""
        return np.diff(self.starts).astype(np.int64)

    @property
    def owners(self) -> Array:
        """For each number in `flat`, its row."""
        return np.repeat(np.arange(len(self), dtype=np.uint32), self.sizes)

    def numbers(self, rows: Array) -> Numbers:
        """Return the numbers of some rows, one row after the other."""
        return self.vocabulary[self.flat[spans(self.starts[rows], self.starts[rows + 1])]]


def joined(parts: Iterable[tuple[Rows, Array]]) -> tuple[Rows, Array]:
    """Return one dictionary for several, with only the rows that are used, and all the codes, one part after the other, in it."""
    kept = [(rows, np.unique(np.concatenate(([0], codes))), codes) for rows, codes in parts]
    sizes = np.concatenate([rows.sizes[used] for rows, used, _ in kept])
    vocabulary, flat = np.unique(np.concatenate([rows.numbers(used) for rows, used, _ in kept]), return_inverse=True)
    distinct, codes = _without_doubles(flat, sizes)
    begins = np.cumsum([0, *(len(used) for _, used, _ in kept)])
    renumbered = [codes[begin + np.searchsorted(used, old)] for begin, (_, used, old) in zip(begins[:-1], kept, strict=True)]
    starts = np.concatenate(([0], np.cumsum(sizes[distinct]))).astype(np.uint32)
    ends = np.cumsum(sizes)[distinct]
    return Rows(vocabulary, narrow(flat[spans(ends - sizes[distinct], ends)]), starts), narrow(np.concatenate(renumbered))


def _without_doubles(flat: Array, sizes: Array) -> tuple[Array, Array]:
    """Return which of the rows, shortest first, differ from all before them, and for each row which of those it equals."""
    starts, codes, distinct = np.cumsum(sizes) - sizes, np.empty(len(sizes), np.int64), list[Array]()
    count = 0
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        rank = np.zeros(len(rows), np.int64)
        for column in range(size):
            rank = np.unique(rank << 32 | flat[starts[rows] + column], return_inverse=True)[1]
        _, first, same = np.unique(rank, return_index=True, return_inverse=True)
        codes[rows] = count + same
        distinct.append(rows[first])
        count += len(first)
    return np.concatenate(distinct), codes
