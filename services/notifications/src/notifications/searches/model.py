"""What a saved search and a vacancy are compared by: codes, numbers, positions, and words only as numbers. No I/O.

Saving a search is the request to be mailed about it, so no consent is asked besides; it ends as easily, from every mail.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis.places import find
from contracts.profiles.vacancy import A_MONTH, EQF

from notifications.criteria import DEFAULT_KM, Criteria, Phrase, terms
from notifications.matching.model import Offered, Range, Wanted, matches
from notifications.words import Number, number_of, numbers_of, says, stems

BUCKETS = 256
FORM = 2
"""How `compared` is made. What is of another form is made anew from what its owner asked for; until then it is read as it is."""

Facts = Mapping[str, Any]
"""What is kept of a vacancy to compare it: its stems (`words.stemmed`), those of each skill, codes, numbers and places."""


class SearchState(StrEnum):
    """Whether mails are sent for a search."""

    ACTIVE = "active"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Rhythm:
    """When a search's owner is mailed: at once, or at an hour in Amsterdam, daily or on a day of the week (1 is Monday)."""

    frequency: str
    hour: int = 8
    weekday: int = 1

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Rhythm":
        """Return that of a stored search; one from before there were hours has the first values."""
        return cls(document["frequency"], document.get("hour", cls.hour), document.get("weekday", cls.weekday))


def bucket_of(search: str) -> int:
    """Return the bucket in which a search lies for good, by the random end of its id: whoever shares searches shares buckets."""
    return UUID(search).int % BUCKETS


def comparable(criteria: Criteria, *, number: Callable[[Phrase], int]) -> dict[str, Any]:
    """Return what is stored for comparing; `number` is what stands for a word or phrase of the person's own."""
    place = find(criteria.place) if criteria.place else None
    times = A_MONTH[criteria.salary_per.upper()]
    return {
        "form": FORM,
        "all_words": sorted(number(phrase) for phrase in terms(criteria.words)),
        "any_words": sorted(number(phrase) for phrase in terms(criteria.any_words)),
        "no_words": sorted(number(phrase) for phrase in terms(criteria.no_words)),
        "skills": sorted({number(tuple(stems(skill))) for skill in criteria.skills}),
        "near": [place.latitude, place.longitude] if place else None,
        "radius_km": criteria.radius_km or DEFAULT_KM,
        "provinces": sorted(set(criteria.provinces)),
        "hours": _ends(criteria.hours_from, criteria.hours_to),
        "salary": _ends(*(None if pay is None else pay * times for pay in (criteria.salary_from, criteria.salary_to))),
        "levels": sorted({EQF[level] for level in criteria.levels}),
        "contract_types": sorted(set(criteria.contract_types)),
        "workplaces": sorted(set(criteria.workplaces)),
        "sectors": sorted(set(criteria.sectors)),
        "organisations": sorted(set(criteria.organisations)),
        "not_organisations": sorted(set(criteria.not_organisations)),
        "starts": _ends(*(None if day is None else day.toordinal() for day in (criteria.starts_from, criteria.starts_to))),
    }


def wanted(stored: Mapping[str, Any]) -> Wanted:
    """Return the stored comparison as the predicate takes it, also one from before there was a form."""
    if "form" not in stored:
        return _wanted_at_first(stored)
    return Wanted(
        all_words=frozenset(stored["all_words"]),
        any_words=frozenset(stored["any_words"]),
        no_words=frozenset(stored["no_words"]),
        skills=frozenset(stored["skills"]),
        near=tuple(stored["near"]) if stored["near"] else None,
        radius_km=stored["radius_km"],
        provinces=frozenset(stored["provinces"]),
        hours=_range(stored["hours"]),
        salary=_range(stored["salary"]),
        levels=frozenset(stored["levels"]),
        contract_types=frozenset(stored["contract_types"]),
        workplaces=frozenset(stored["workplaces"]),
        sectors=frozenset(stored["sectors"]),
        organisations=frozenset(stored["organisations"]),
        not_organisations=frozenset(stored["not_organisations"]),
        starts=_range(stored["starts"]),
    )


_NEVER_SAID = frozenset({0})


def _wanted_at_first(stored: Mapping[str, Any]) -> Wanted:
    """Return what its numbers and codes say. Its words were no stems: a search with words fits nothing until it is made anew."""
    return Wanted(
        all_words=_NEVER_SAID if stored["words"] or stored["skills"] else frozenset(),
        near=tuple(stored["near"]) if stored["near"] else None,
        radius_km=stored["radius_km"],
        levels=frozenset({stored["eqf"]} if stored["eqf"] else ()),
        hours=_range(stored["hours"]),
        contract_types=frozenset(stored["contract_types"]),
    )


def offered(facts: Facts, *, hashed: Number) -> Offered:
    """Return a vacancy's facts with every word and phrase, to be compared with what is stored of searches."""
    skills = (number_of(skill.split(), hashed) for skill in facts["skills"])
    return _offered(facts, words=numbers_of(facts["stems"], hashed), skills=skills)


def _offered(facts: Facts, *, words: Iterable[int], skills: Iterable[int]) -> Offered:
    """Return a vacancy's facts as the predicate takes them."""
    return Offered(
        words=frozenset(words),
        skills=frozenset(skills),
        positions=tuple((place["latitude"], place["longitude"]) for place in facts["places"]),
        provinces=frozenset(place["province"] for place in facts["places"]),
        workplace=facts["workplace"],
        hours=_range(facts["hours"]),
        salary=_range(facts["salary"]),
        eqf=EQF.get(facts["level"]),
        contract_types=frozenset(facts["contract_types"]),
        sectors=frozenset(facts["sectors"]),
        organisation=facts["organisation"],
        starts=facts["starts"],
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A search whose words are at hand: nothing is hashed, and of a vacancy's words only the search's own are looked for."""

    criteria: Criteria
    numbers: Mapping[Phrase, int]
    wanted: Wanted

    @classmethod
    def of(cls, criteria: Criteria) -> "Question":
        """Return the question that these criteria ask of a vacancy."""
        numbers: dict[Phrase, int] = {}
        asked = comparable(criteria, number=lambda phrase: numbers.setdefault(phrase, len(numbers)))
        return cls(criteria, numbers, wanted(asked))

    def offered(self, facts: Facts) -> Offered:
        """Return a vacancy's facts with those of its words that the search knows."""
        words = (number for phrase, number in self.numbers.items() if says(facts["stems"], phrase))
        skills = (self.numbers.get(tuple(skill.split())) for skill in facts["skills"] if self.wanted.skills)
        return _offered(facts, words=words, skills=(skill for skill in skills if skill is not None))

    def fits(self, facts: Facts) -> bool:
        """Tell whether the vacancy meets all that is asked."""
        return matches(self.wanted, self.offered(facts))


def described(criteria: Criteria) -> str | None:
    """Return the words, skills and place of a search on one line, as its owner wrote them."""
    said = (criteria.words, criteria.any_words, *criteria.skills, criteria.place)
    return ", ".join(part for part in said if part) or None


def _ends(least: float | None, most: float | None) -> list[float | None] | None:
    return None if least is None and most is None else [least, most]


def _range(ends: list[float | None] | None) -> Range | None:
    """Return a range whose open ends are infinite; None when neither end is said."""
    if ends is None or (ends[0] is None and ends[1] is None):
        return None
    return -math.inf if ends[0] is None else ends[0], math.inf if ends[1] is None else ends[1]
