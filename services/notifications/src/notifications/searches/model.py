"""What a saved search may ask for, and what of it is compared with vacancies. No I/O.

Saving a search is the request to be mailed about it, so no consent is asked besides; it ends as easily, from every mail.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any, Literal, Self

from chassis.hashing import normal_word
from chassis.places import find
from contracts.profiles.vacancy import EQF, Level
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from notifications.matching.model import REMOTE, Offered, Wanted

ContractType = Literal["permanent", "temporary", "agency", "freelance", "internship", "apprenticeship", "volunteer"]

Hasher = Callable[[str], str]
MOST_HOURS = 80
MOST_WORDS = 10
_TOKEN = re.compile(r"[\w+#]+")


class SearchState(StrEnum):
    """Whether mails are sent for a search."""

    ACTIVE = "active"
    STOPPED = "stopped"


class UnknownPlaceError(Exception):
    """No Dutch place has this name."""


class Criteria(BaseModel):
    """What the vacancies have to meet, all of it: at least one criterion."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    words: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)] | None = Field(
        default=None, description="All of these words (ten at most) stand in the title, the text or the skills."
    )
    skills: list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]] = Field(
        default=[], max_length=20, description="At least one of these skills is asked for."
    )
    place: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = Field(
        default=None, description="A Dutch place; namesakes with their province: 'Hengelo (Overijssel)'."
    )
    radius_km: Annotated[int, Field(ge=0, le=200)] | None = Field(default=None, description="Around the place; 25 when left out.")
    level: Level | None = Field(default=None, description="The vacancy asks for this level of education (the same EQF level).")
    hours_from: Annotated[int, Field(ge=1, le=MOST_HOURS)] | None = Field(default=None, description="Hours a week, at least.")
    hours_to: Annotated[int, Field(ge=1, le=MOST_HOURS)] | None = Field(default=None, description="Hours a week, at most.")
    contract_types: list[ContractType] = Field(default=[], max_length=7, description="One of these types of contract.")

    @field_validator("words")
    @classmethod
    def _few_words(cls, words: str | None) -> str | None:
        if words is not None and not 1 <= len(tokens(words)) <= MOST_WORDS:
            raise ValueError(f"one to {MOST_WORDS} words with letters or digits")
        return words

    @field_validator("skills")
    @classmethod
    def _say_something(cls, skills: list[str]) -> list[str]:
        if any(not tokens(skill) for skill in skills):
            raise ValueError("each has at least one letter or digit")
        return skills

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.radius_km is not None and self.place is None:
            raise ValueError("radius_km needs a place")
        if self.hours_from is not None and self.hours_to is not None and self.hours_from > self.hours_to:
            raise ValueError("hours_from is at most hours_to")
        if not any((self.words, self.skills, self.place, self.level, self.hours_from, self.hours_to, self.contract_types)):
            raise ValueError("at least one criterion is needed")
        return self


def with_known_place(criteria: Criteria) -> Criteria:
    """Return the criteria with the full name of their place.

    Raises:
        UnknownPlaceError: There is no such place.
        AmbiguousPlaceError: Several places have this name; the error knows them.
    """
    if criteria.place is None:
        return criteria
    found = find(criteria.place)
    if found is None:
        raise UnknownPlaceError
    return criteria.model_copy(update={"place": found.label})


def tokens(text: str) -> list[str]:
    """Return the words of a text as they are compared: without capitals and accents; `C++` and `C#` stay what they are."""
    return _TOKEN.findall(normal_word(text))


def comparable(criteria: Criteria, *, hashed: Hasher) -> dict[str, Any]:
    """Return what is stored for comparing: codes, numbers, a position, and keyed hashes of the person's own words."""
    place = find(criteria.place) if criteria.place else None
    hours = criteria.hours_from is not None or criteria.hours_to is not None
    return {
        "words": sorted({hashed(token) for token in tokens(criteria.words or "")}),
        "skills": sorted({hashed(_joined(skill)) for skill in criteria.skills}),
        "near": [place.latitude, place.longitude] if place else None,
        "radius_km": 25 if criteria.radius_km is None else criteria.radius_km,
        "eqf": EQF[criteria.level] if criteria.level else None,
        "hours": [criteria.hours_from or 0, criteria.hours_to or MOST_HOURS] if hours else None,
        "contract_types": sorted(set(criteria.contract_types)),
    }


def wanted(stored: dict[str, Any]) -> Wanted:
    """Return the stored comparison as the predicate takes it."""
    return Wanted(
        all_words=frozenset(_number(word) for word in stored["words"]),
        skills=frozenset(_number(skill) for skill in stored["skills"]),
        near=tuple(stored["near"]) if stored["near"] else None,
        radius_km=stored["radius_km"],
        levels=frozenset() if stored["eqf"] is None else frozenset({stored["eqf"]}),
        hours=tuple(stored["hours"]) if stored["hours"] else None,
        contract_types=frozenset(stored["contract_types"]),
    )


def offered(
    *,
    texts: list[str],
    skills: list[str],
    position: Sequence[float] | None,
    remote: bool,
    level: str | None,
    hours: Sequence[int | None],
    contract_types: list[str],
    hashed: Hasher,
) -> Offered:
    """Return a vacancy's facts as the predicate takes them; its words are hashed like those of the searches."""
    low, high = hours
    words = {token for text in (*texts, *skills) for token in tokens(text)}
    return Offered(
        words=frozenset(_number(hashed(token)) for token in words),
        skills=frozenset(_number(hashed(_joined(skill))) for skill in skills),
        positions=((position[0], position[1]),) if position else (),
        workplace=REMOTE if remote else "on-site",
        eqf=EQF.get(level) if level else None,
        hours=None if low is None and high is None else (low or 0, MOST_HOURS if high is None else high),
        contract_types=frozenset(contract_types),
    )


def _number(hashed: str) -> int:
    """Return the number, of 64 bits, that stands for a keyed hash."""
    return int.from_bytes(blake2b(hashed.encode(), digest_size=8).digest(), "big", signed=True)


def described(criteria: Criteria) -> str | None:
    """Return the words, skills and place of a search on one line, as its owner wrote them."""
    return ", ".join([part for part in (criteria.words, *criteria.skills, criteria.place) if part]) or None


def _joined(skill: str) -> str:
    return " ".join(tokens(skill))
