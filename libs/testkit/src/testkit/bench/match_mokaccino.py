"""Saved searches and vacancies in the words of mokaccino, the percolator beside which the matcher is measured.

It knows values of fields, comparisons of whole numbers, distances and any combination of these, so it can express every search.
What a vacancy leaves open is written into its document such that the rules hold: no field where that is not met, all values or
the widest range where it is. A circle it takes as cells of a grid (H3) that lie in it, so it misses vacancies close to the edge.
"""

import math
from collections.abc import Iterable
from functools import reduce
from operator import and_

from mokaccino import Document, Percolator, Query
from notifications.matching.model import Offered, Range, Wanted

WIDEST: Range = (0, 2_000_000_000)
LEVELS = range(1, 9)


def percolator(searches: Iterable[Query]) -> Percolator:
    """Return a percolator that knows the searches by their numbers, from 0."""
    made = Percolator()
    for number, query in enumerate(searches):
        made.add_query_id(query, number)
    return made


def query(wanted: Wanted) -> Query:
    """Return a search as a query."""
    parts = [Query.from_kv("word", f"{word:x}") for word in wanted.all_words]
    parts += [~Query.from_kv("word", f"{word:x}") for word in wanted.no_words]
    parts += [~Query.from_kv("organisation", name) for name in wanted.not_organisations]
    if wanted.near is not None:
        within = Query.from_latlng_within("at", *wanted.near, round(wanted.radius_km * 1000))
        parts.append(within | Query.from_kv("anywhere", "yes"))
    if wanted.provinces:
        parts.append(Query.from_or([*_each("province", wanted.provinces), Query.from_kv("anywhere", "yes")]))
    for field, values in (
        ("word", [f"{word:x}" for word in wanted.any_words]),
        ("skill", [f"{skill:x}" for skill in wanted.skills]),
        ("level", [str(level) for level in wanted.levels]),
        ("contract", wanted.contract_types),
        ("workplace", wanted.workplaces),
        ("sector", wanted.sectors),
        ("organisation", wanted.organisations),
    ):
        if values:
            parts.append(Query.from_or(_each(field, values)))
    for field, asked in (("hours", wanted.hours), ("salary", wanted.salary), ("starts", wanted.starts)):
        if asked is not None:
            parts += _overlap(field, asked)
    return reduce(and_, parts)


def document(offered: Offered) -> Document:
    """Return a vacancy as a document."""
    made = Document()
    begins = WIDEST if offered.starts is None else (offered.starts, offered.starts)
    for field, values in (
        ("word", [f"{word:x}" for word in offered.words]),
        ("skill", [f"{skill:x}" for skill in offered.skills]),
        ("at", [f"{latitude},{longitude}" for latitude, longitude in offered.positions]),
        ("province", offered.provinces),
        ("anywhere", ["yes"] if offered.from_anywhere else []),
        ("level", [str(level) for level in (LEVELS if offered.eqf is None else [offered.eqf])]),
        ("contract", offered.contract_types),
        ("workplace", [offered.workplace]),
        ("sector", offered.sectors),
        ("organisation", [offered.organisation]),
        *_range("hours", offered.hours),
        *_range("salary", offered.salary or WIDEST),
        *_range("starts", begins),
    ):
        for value in values:
            made.add_value(field, value)
    return made


def _each(field: str, values: Iterable[str]) -> list[Query]:
    return [Query.from_kv(field, value) for value in values]


def _overlap(field: str, asked: Range) -> list[Query]:
    low, high = asked
    parts = [] if math.isinf(low) else [Query.from_kge(f"{field}-to", int(low))]
    return parts if math.isinf(high) else [*parts, Query.from_kle(f"{field}-from", int(high))]


def _range(field: str, said: Range | None) -> list[tuple[str, list[str]]]:
    return [] if said is None else [(f"{field}-from", [str(int(said[0]))]), (f"{field}-to", [str(int(said[1]))])]
