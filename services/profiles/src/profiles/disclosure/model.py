"""What somebody else may see of a profile: the candidate's choices field by field, and what anonymity leaves of it.

Pure: documents in (see `profile.model.as_document`), documents out. The same `anonymised` serves two purposes: it is what others
see of an anonymous profile at most, and it is what is left when anonymity is made permanent. What is not named is hidden.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from chassis import places

from profiles.catalogue import BY_PATH, FIELDS, GROUPS, PLACES, Anonymised, Field, age_on

Document = Mapping[str, Mapping[str, Any]]


class Choice(StrEnum):
    """What a candidate decides about one field."""

    HIDDEN = "hidden"
    PROVINCE = "province"
    SHOWN = "shown"


class Anonymity(StrEnum):
    """Whether others may know who it is; `permanent` cannot be undone, because the details are gone."""

    OPEN = "open"
    ANONYMOUS = "anonymous"
    PERMANENT = "permanent"


class InvalidChoiceError(ValueError):
    """A choice about a field that does not exist, or one that the field does not have."""

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(rule)
        self.path, self.rule = path, rule


@dataclass(frozen=True, slots=True)
class Visibility:
    """The choices that differ from the start value, `hidden`."""

    choices: Mapping[str, Choice]

    def of(self, path: str) -> Choice:
        """Return the choice about a field."""
        return self.choices.get(path, Choice.HIDDEN)

    def all(self) -> dict[str, Choice]:
        """Return the choice about every field."""
        return {field.path: self.of(field.path) for field in FIELDS}

    def groups(self) -> list[str]:
        """Return the groups of which anything is shown."""
        shown = {path.split(".")[0] for path, choice in self.choices.items() if choice is not Choice.HIDDEN}
        return [group for group in GROUPS if group in shown]


MOST_PRIVATE = Visibility({})


def chosen(choices: Mapping[str, Choice]) -> Visibility:
    """Return the visibility that these choices make; fields that are not named are hidden."""
    for path, choice in choices.items():
        if path not in BY_PATH:
            raise InvalidChoiceError(path, "unknown")
        if choice is Choice.PROVINCE and path not in PLACES:
            raise InvalidChoiceError(path, "hidden-or-shown")
    return Visibility({path: choice for path, choice in choices.items() if choice is not Choice.HIDDEN})


def disclosed(profile: Document, visibility: Visibility, anonymity: Anonymity, *, today: date) -> dict[str, dict[str, Any]]:
    """Return what a recruiter sees: the chosen fields, and of these only what anonymity leaves."""
    told = _with_age(profile, today)
    known = told if anonymity is Anonymity.OPEN else anonymised(told)
    seen: dict[str, dict[str, Any]] = {}
    for path, choice in visibility.choices.items():
        group, name = path.split(".")
        if path in PLACES and (choice is Choice.PROVINCE or name not in known.get(group, {})):
            name, value = "province", province_of(known.get(group, {}))
        else:
            value = known.get(group, {}).get(name)
        if value is not None:
            seen.setdefault(group, {})[name] = value
    return seen


def anonymised(profile: Document) -> dict[str, dict[str, Any]]:
    """Return what is left of a profile without all that points to the person."""
    left: dict[str, dict[str, Any]] = {}
    for field in FIELDS:
        for name, value in _left_of(field, profile.get(field.group, {})):
            left.setdefault(field.group, {})[name] = value
    return left


def province_of(located: Mapping[str, Any]) -> str | None:
    """Return the province of a group with a place, or the province that was told instead of one."""
    place = places.find(located["place"]) if "place" in located else None
    return place.province if place else located.get("province")


def _left_of(field: Field, told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if field.anonymised is Anonymised.PROVINCE:
        province = province_of(told)
        if province is not None:
            yield "province", province
    elif field.name not in told or field.anonymised is Anonymised.WITHHELD:
        return
    elif field.anonymised is Anonymised.STAYS:
        yield field.name, told[field.name]
    elif field.anonymised is Anonymised.RELAY:
        yield field.name, [channel for channel in told[field.name] if channel == "relay"]
    else:
        yield field.name, [_entry(field, entry) for entry in told[field.name]]


def _entry(field: Field, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Remove what points to the person from an entry and leave years of its dates."""
    kept = {name: value for name, value in entry.items() if name not in field.withheld_parts}
    return {name: value[:4] if name in ("from", "to", "date") and value else value for name, value in kept.items()}


def _with_age(profile: Document, today: date) -> dict[str, dict[str, Any]]:
    told = {group: dict(fields) for group, fields in profile.items()}
    born = told.get("identity", {}).get("birth_date")
    if born is not None:
        told["identity"]["age"] = age_on(today, date.fromisoformat(born))
    return told
