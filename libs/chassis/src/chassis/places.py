"""Dutch places by name: where a candidate lives, where a job is, and how far the two are apart.

Names come from people, so spelling is forgiven (case, accents, hyphens, `St.`), and a name that several places share is answered
with the choices instead of a guess. The data is `places.json` (GeoNames, CC BY 4.0), made by `tools/make_places.py`.
"""

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROVINCES: dict[str, str] = {
    "NL-DR": "Drenthe",
    "NL-FL": "Flevoland",
    "NL-FR": "Fryslân",
    "NL-GE": "Gelderland",
    "NL-GR": "Groningen",
    "NL-LI": "Limburg",
    "NL-NB": "Noord-Brabant",
    "NL-NH": "Noord-Holland",
    "NL-OV": "Overijssel",
    "NL-UT": "Utrecht",
    "NL-ZE": "Zeeland",
    "NL-ZH": "Zuid-Holland",
}
"""ISO 3166-2:NL code to name."""

_OTHER_PROVINCE_NAMES = {
    "friesland": "NL-FR",
    "gld": "NL-GE",
    "gn": "NL-GR",
    "lb": "NL-LI",
    "north brabant": "NL-NB",
    "north holland": "NL-NH",
    "south holland": "NL-ZH",
    "zld": "NL-ZE",
}
_EARTH_RADIUS_KM = 6371.0088
_QUALIFIED = re.compile(r"(?P<name>[^(,]+?)\s*[(,]\s*(?P<within>[^()]+?)\s*\)?")


@dataclass(frozen=True, slots=True)
class Place:
    """One place. `label` is its name, with the province (and municipality) added where another place has the same name."""

    name: str
    province: str
    latitude: float
    longitude: float
    label: str


class AmbiguousPlaceError(ValueError):
    """Several places have this name; `choices` are the labels to choose from, each of which `find` understands."""

    def __init__(self, choices: list[str]) -> None:
        super().__init__("several places have this name: " + ", ".join(choices))
        self.choices = choices


@dataclass(frozen=True, slots=True)
class _Entry:
    place: Place
    within: frozenset[str]


def find(name: str, *, province: str | None = None) -> Place | None:
    """Finds a place by its name or alias, also as 'Hengelo (Overijssel)' or 'Hengelo, Gld'; `province` is an ISO code.

    Raises `AmbiguousPlaceError` when several places remain.
    """
    found = _named(name)
    if province is not None:
        found = [entry for entry in found if entry.place.province == province]
    if len(found) > 1:
        raise AmbiguousPlaceError(sorted(entry.place.label for entry in found))
    return found[0].place if found else None


def distance_km(a: Place | tuple[float, float], b: Place | tuple[float, float]) -> float:
    """The distance as the crow flies (haversine) between two places or (latitude, longitude) pairs."""
    latitude_a, longitude_a = map(math.radians, _position(a))
    latitude_b, longitude_b = map(math.radians, _position(b))
    half_chord = (
        math.sin((latitude_b - latitude_a) / 2) ** 2
        + math.cos(latitude_a) * math.cos(latitude_b) * math.sin((longitude_b - longitude_a) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half_chord)))


def _position(where: Place | tuple[float, float]) -> tuple[float, float]:
    return (where.latitude, where.longitude) if isinstance(where, Place) else where


def _named(name: str) -> list[_Entry]:
    """The places with this name; what stands behind it in brackets or after a comma narrows them down."""
    plain = _index().get(_normalised(name))
    if plain is not None:
        return plain
    qualified = _QUALIFIED.fullmatch(name.strip())
    if qualified is None:
        return []
    within = {_province_or_municipality(part) for part in qualified["within"].split(",")}
    return [entry for entry in _index().get(_normalised(qualified["name"]), []) if within <= entry.within]


def _province_or_municipality(text: str) -> str:
    normalised = _normalised(text)
    for code, name in PROVINCES.items():
        if normalised in (_normalised(name), _normalised(code), _normalised(code.removeprefix("NL-"))):
            return code
    return _OTHER_PROVINCE_NAMES.get(normalised, normalised)


def _normalised(text: str) -> str:
    """`'s-Gravenhage`, `s Gravenhage` and `S GRAVENHAGE` are one."""
    if not text.isascii():
        text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    words = re.findall(r"\w+", text.casefold())
    return " ".join("sint" if word == "st" else word for word in words)


@cache
def _index() -> dict[str, list[_Entry]]:
    """Normalised name to its places. Read at the first use, in some 15 ms."""
    document = json.loads(Path(__file__).with_name("places.json").read_text(encoding="utf-8"))
    names = [(row, {_normalised(name) for name in (row[0], *row[5])}) for row in document["places"]]
    shared: dict[str, int] = {}
    for row, _ in names:
        shared[_normalised(row[0])] = shared.get(_normalised(row[0]), 0) + 1
    index: dict[str, list[_Entry]] = {}
    for row, normalised in names:
        entry = _entry(row, ambiguous=shared[_normalised(row[0])] > 1)
        for name in normalised:
            index.setdefault(name, []).append(entry)
    return index


def _entry(row: tuple[str, str, float, float, str | None, list[str]], *, ambiguous: bool) -> _Entry:
    name, province, latitude, longitude, municipality, _ = row
    within = ", ".join(part for part in (municipality, PROVINCES[province]) if part)
    place = Place(name, province, latitude, longitude, f"{name} ({within})" if ambiguous else name)
    return _Entry(place, frozenset({province, _normalised(municipality)} if municipality else {province}))
