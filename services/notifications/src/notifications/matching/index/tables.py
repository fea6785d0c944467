"""What of the searches' distinct conditions a vacancy meets: one table of truths for each kind of condition. No I/O.

A table knows the distinct values of one condition over all searches, by codes; code 0 is 'not asked', which everything meets. A
vacancy is held against each value once, however many searches ask it.
"""

import math
import struct
from collections.abc import Set
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from chassis.places import distance_km

from notifications.matching.index.arrays import Array, Bools, Numbers, Rows, offsets, positions, spans, whole
from notifications.matching.model import Position, Range

EARTH_RADIUS_KM = 6371.0088
CLOSE = 1e-12
"""Two cosines of angles this close to each other may be in the wrong order; 4 millimetres at 25 km, 9 metres at 0."""


class Table(Protocol):
    """The distinct values of one condition."""

    @staticmethod
    def numbers(asked: Any) -> list[int]:
        """Return a value as the row of numbers by which it is stored."""
        ...

    def __init__(self, rows: Rows) -> None: ...

    def truths(self, said: Any) -> Bools:
        """Tell of each code whether what a vacancy says meets it."""
        ...


class OneOf:
    """Sets of which a vacancy has to have one member: for each member, in which sets it is."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._sets = rows.owners[np.argsort(rows.flat, kind="stable")]
        self._starts = offsets(rows.flat, len(rows.vocabulary))

    @staticmethod
    def numbers(asked: Set[int] | Set[str]) -> list[int]:
        """Return the members as numbers; a text is its hash in this process."""
        return sorted(map(number, asked))

    def truths(self, said: frozenset[int] | frozenset[str]) -> Bools:
        """Tell of each set whether it has one of these members."""
        met = np.zeros(len(self._rows), np.bool_)
        met[0] = True
        members = positions(self._rows.vocabulary, numbers(said))
        met[self._sets[spans(self._starts[members], self._starts[members + 1])]] = True
        return met


class NoneOf(OneOf):
    """Sets of which a vacancy may have no member."""

    def truths(self, said: frozenset[int] | frozenset[str]) -> Bools:
        """Tell of each set whether it has none of these members."""
        met = ~super().truths(said)
        met[0] = True
        return met


class AllOf:
    """Sets of which a vacancy has to have every member: each is looked at only when its rarest member is there."""

    @staticmethod
    def numbers(asked: Set[int]) -> list[int]:
        """Return the members."""
        return sorted(asked)

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        often = np.bincount(rows.flat, minlength=len(rows.vocabulary))
        rarity = often[rows.flat] << 32 | rows.flat
        rarest = np.minimum.reduceat(rarity, rows.starts[1:-1]) & 0xFFFFFFFF if len(rows) > 1 else np.empty(0, np.int64)
        self._sets = (np.argsort(rarest, kind="stable") + 1).astype(np.uint32)
        self._starts = offsets(rarest, len(rows.vocabulary))

    def truths(self, said: frozenset[int] | frozenset[str]) -> Bools:
        """Tell of each set whether all its members are among these."""
        met = np.zeros(len(self._rows), np.bool_)
        met[0] = True
        members = positions(self._rows.vocabulary, numbers(said))
        sets = self._sets[spans(self._starts[members], self._starts[members + 1])]
        met[sets] = self._whole(sets, members)
        return met

    def _whole(self, sets: Array, members: Array) -> Bools:
        there = np.zeros(len(self._rows.vocabulary), np.bool_)
        there[members] = True
        starts, ends = self._rows.starts[sets], self._rows.starts[sets + 1]
        return whole(there[self._rows.flat[spans(starts, ends)]], ends - starts)


class Overlaps:
    """Ranges that a vacancy's range has to touch."""

    def __init__(self, rows: Rows) -> None:
        self._low, self._high = _floats(rows, 2)

    @staticmethod
    def numbers(asked: Range) -> list[int]:
        """Return the ends' bits."""
        return _bits(*asked)

    def truths(self, said: Range) -> Bools:
        """Tell of each range whether this one overlaps it; one of not-a-number overlaps none."""
        met: Bools = (self._low <= said[1]) & (said[0] <= self._high)
        met[0] = True
        return met


class Within:
    """Circles that one of a vacancy's locations has to lie in.

    On a sphere, nearer than the radius means that the angle between two directions has a larger cosine, which one product of a
    matrix tells for all circles. What is too close to the edge to tell is asked of the definition's own distance.
    """

    def __init__(self, rows: Rows) -> None:
        self._latitude, self._longitude, self._radius = _floats(rows, 3)
        self._directions = _directions(self._latitude, self._longitude)
        self._cosines = np.cos(np.minimum(self._radius / EARTH_RADIUS_KM, math.pi))

    @staticmethod
    def numbers(asked: tuple[Position, float]) -> list[int]:
        """Return the bits of latitude, longitude and radius."""
        return _bits(*asked[0], asked[1])

    def truths(self, said: tuple[Position, ...]) -> Bools:
        """Tell of each circle whether one of these positions lies in it."""
        met = np.zeros(len(self._radius), np.bool_)
        for position in said:
            beyond = self._directions @ _directions(*np.array(position)) - self._cosines
            met |= beyond > CLOSE
            for code in np.flatnonzero(np.abs(beyond) <= CLOSE):
                centre = float(self._latitude[code]), float(self._longitude[code])
                met[code] |= distance_km(centre, position) <= self._radius[code]
        met[0] = True
        return met


def number(value: int | str) -> int:
    """Return the number that stands for a value in this process: itself, or the hash of a text."""
    return value if isinstance(value, int) else hash(value)


@lru_cache(16)
def numbers(said: frozenset[int] | frozenset[str]) -> Numbers:
    """Return what a vacancy says as sorted numbers. Several tables ask for the same."""
    return np.sort(np.fromiter(map(number, said), np.int64, len(said)))


def _bits(*floats: float) -> list[int]:
    return list(struct.unpack(f"{len(floats)}q", struct.pack(f"{len(floats)}d", *floats)))


def _floats(rows: Rows, width: int) -> Array:
    """Return the columns of rows of floats that all have one width; those of row 0 are not-a-number."""
    floats = rows.vocabulary[rows.flat].view(np.float64).reshape(-1, width)
    return np.concatenate((np.full((1, width), np.nan), floats)).T.copy()


def _directions(latitude: Array, longitude: Array) -> Array:
    """Return the unit vectors from the earth's centre to these places."""
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack((np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)), axis=-1)
