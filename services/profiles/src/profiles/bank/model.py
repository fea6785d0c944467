"""What the bank holds of a profile and how it is asked: codes, numbers and keyed hashes, without any input or output.

An entry is made from what a recruiter sees of the profile (`disclosure.model.disclosed`), so it cannot say more: what is hidden
or withheld is not there to be found. Words and names stand in it as keyed hashes, so that the projection alone tells no texts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis import places
from chassis.hashing import normal_word, word_hash
from chassis.places import Place
from contracts.profiles.vacancy import EQF

from profiles.catalogue import FIELDS, Anonymised

Told = Mapping[str, Mapping[str, Any]]
Entry = dict[str, Any]
CEFR = {"A1": 1, "A2": 2, "B1": 3, "B2": 4, "C1": 5, "C2": 6}
_WORD = re.compile(r"\w[\w+#]*")
_TEXTS = ("headline", "summary")
_NAMED = (
    ("experience", "title"),
    ("internships", "title"),
    ("education", "programme"),
    ("trainings", "name"),
    ("certificates", "name"),
    ("skills", "name"),
)
_MOST_HOURS = 60
_CARD = frozenset(field.path for field in FIELDS if field.bank and field.anonymised is not Anonymised.WITHHELD)


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill that is looked for, and from which level on."""

    name: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Language:
    """A language that is looked for, and from which level (CEFR) on."""

    code: str
    level: str = "A1"


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for: all of it must hold. What is empty or None is not asked."""

    near: Place | None = None
    radius_km: int = 25
    province: str | None = None
    skills: tuple[Skill, ...] = ()
    words: str = ""
    level: str | None = None
    hours: int | None = None
    languages: tuple[Language, ...] = ()
    licences: tuple[str, ...] = ()
    contract_types: tuple[str, ...] = ()
    remote: bool | None = None
    salary_to: int | None = None
    available_by: date | None = None


def entry_of(seen: Told, *, key: bytes) -> Entry:
    """Return what the bank holds of what a recruiter sees."""
    career, wishes = seen.get("career", {}), seen.get("wishes", {})
    entry: Entry = {
        **_whereabouts(seen),
        **_wished(wishes),
        "level": max((EQF[one["level"]] for one in career.get("education", ()) if one["completed"]), default=None),
        "skills": [{"name": skill_hash(key, one["name"]), "level": one["level"]} for one in career.get("skills", ())],
        "languages": [{"code": one["code"], "level": CEFR[one["level"]]} for one in career.get("languages", ())],
        "licences": career.get("licences"),
        "words": sorted(words_of(key, _texts(career, wishes))),
    }
    return {name: value for name, value in entry.items() if value not in (None, [])}


def card_of(seen: Told) -> dict[str, dict[str, Any]]:
    """Return what a page of results may show of it: no more than an anonymous profile shows, whatever this one shows when opened.

    `seen` is what anonymity leaves of what a recruiter sees. No identity, contact or free text is among it.
    """
    names = {*_CARD, "identity.province", "wishes.province"}
    cards = {group: {n: v for n, v in fields.items() if f"{group}.{n}" in names} for group, fields in seen.items()}
    return {group: fields for group, fields in cards.items() if fields}


def skill_hash(key: bytes, name: str) -> str:
    """Return the hash by which a skill is found, whatever its capitals, accents and spaces."""
    return word_hash(key, "bank-skill", " ".join(name.split()))


def words_of(key: bytes, texts: Iterable[str]) -> set[str]:
    """Return the hashes of all words in the texts; `data-analist` counts as two words, on both sides."""
    return {word_hash(key, "bank-word", word) for text in texts for word in _WORD.findall(normal_word(text))}


def has_words(text: str) -> bool:
    """Tell whether there is anything in a text that `words_of` could find."""
    return _WORD.search(normal_word(text)) is not None


def _texts(career: Mapping[str, Any], wishes: Mapping[str, Any]) -> Iterator[str]:
    yield from (career[name] for name in _TEXTS if name in career)
    yield from (one[part] for name, part in _NAMED for one in career.get(name, ()))
    yield from (*wishes.get("titles", ()), *wishes.get("sectors", ()))


def _whereabouts(seen: Told) -> Entry:
    """Return where somebody lives or wants to work: towns as points, and provinces where the town is not shown."""
    located = [seen.get("identity", {}), seen.get("wishes", {})]
    towns = [place for group in located if "place" in group and (place := places.find(group["place"]))]
    only = [group["province"] for group in located if "place" not in group and "province" in group]
    points = dict.fromkeys((town.longitude, town.latitude) for town in towns)
    return {
        "towns": [{"at": {"type": "Point", "coordinates": list(point)}} for point in points],
        "only_provinces": sorted(set(only)),
        "provinces": sorted({*only, *(town.province for town in towns)}),
    }


def _wished(wishes: Mapping[str, Any]) -> Entry:
    wished: Entry = {name: wishes.get(name) for name in ("salary_from", "contract_types", "remote", "available_from")}
    if "hours_from" in wishes or "hours_to" in wishes:  # one of them alone leaves the other side open
        wished |= {"hours_from": wishes.get("hours_from", 1), "hours_to": wishes.get("hours_to", _MOST_HOURS)}
    return wished
