"""Invented people, vacancies and an organisation, for tests and for the demo: realistic Dutch, and nobody who exists.

Addresses for mail end in `.example` (RFC 2606), telephone numbers and postal codes are not in use. The first two people are the
story's main candidates; the saved search fits some of the vacancies and not others, and each vacancy says which it is.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

MAIN = ("fenna-van-ruitenbeek", "okke-zandvliet")
_OPEN_FOR = timedelta(days=60)


@dataclass(frozen=True)
class Person:
    """Somebody who could register; `profile` has the groups identity, contact, career and wishes."""

    key: str
    email: str
    language: str
    profile: dict[str, Any]

    def traces(self) -> list[str]:
        """What points to this person and must be found in no topic, log or data file."""
        identity, contact = self.profile["identity"], self.profile["contact"]
        address = identity["address"]
        names = [identity["given_name"], identity["family_name"]]
        return [*names, self.email, contact["telephone"], address["street"], address["postal_code"]]


@dataclass(frozen=True)
class Vacancy:
    """A schema.org JobPosting as an organisation's system would publish it."""

    key: str
    posting: dict[str, Any]
    matches_search: bool


def people() -> list[Person]:
    """All people, the two main candidates first."""
    found = [Person(key=key, **document) for key, document in _documents("people")]
    return sorted(found, key=lambda person: (person.key not in MAIN, person.key))


def vacancies(posted: date) -> list[Vacancy]:
    """All vacancies, published on that day and open for two months; those that fit the saved search first."""
    dates = {"datePosted": posted.isoformat(), "validThrough": (posted + _OPEN_FOR).isoformat()}
    found = [
        Vacancy(key, document["posting"] | dates, matches_search=document["matches_search"])
        for key, document in _documents("vacancies")
    ]
    return sorted(found, key=lambda vacancy: (not vacancy.matches_search, vacancy.key))


def saved_search() -> dict[str, Any]:
    """The criteria of the first candidate's saved search."""
    return _document("search.json")


def organisation() -> dict[str, Any]:
    """The organisation that publishes the vacancies, with its recruiter's address."""
    return _document("organisation.json")


def _documents(folder: str) -> list[tuple[str, dict[str, Any]]]:
    entries = [entry for entry in (files(__name__) / folder).iterdir() if entry.name.endswith(".json")]
    return sorted((entry.name.removesuffix(".json"), json.loads(entry.read_text(encoding="utf-8"))) for entry in entries)


def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((files(__name__) / name).read_text(encoding="utf-8"))
    return document
