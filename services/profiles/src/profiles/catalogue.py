"""The fields of a profile, one line each: what anonymity leaves of them, what activation needs, what is searched.

Everything that treats fields alike (encryption, visibility, anonymity, the bank) reads this table instead of knowing fields.
Photo and video come with the documents (R10). Special-category data and citizen service numbers are no fields, on purpose.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DataClass(StrEnum):
    """The data keys under which fields lie. Permanent anonymisation destroys the key of `identifying`."""

    IDENTIFYING = "identifying"
    CAREER = "career"


class Anonymised(StrEnum):
    """What is left of a field in anonymous mode."""

    WITHHELD = "withheld"
    PROVINCE = "province only"
    RELAY = "relay only"
    ENTRIES = "years only, without what points to the person"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the catalogue. `withheld_parts` are the parts of an entry that anonymity removes."""

    path: str
    anonymised: Anonymised
    mandatory: bool = False
    bank: bool = False
    withheld_parts: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """Return the group that the field belongs to."""
        return self.path.split(".")[0]

    @property
    def name(self) -> str:
        """Return the field's name within its group."""
        return self.path.split(".")[1]


_GONE, _PROVINCE, _RELAY, _ENTRIES, _STAYS = Anonymised
_JOB = ("employer", "place", "description")

FIELDS: tuple[Field, ...] = (
    # path, what anonymity leaves, mandatory, searched in the bank, parts of an entry that anonymity removes
    Field("identity.given_name", _GONE, mandatory=True),
    Field("identity.family_name", _GONE, mandatory=True),
    Field("identity.address", _GONE),
    Field("identity.place", _PROVINCE, mandatory=True, bank=True),
    Field("identity.birth_date", _GONE),
    Field("identity.age", _GONE),  # follows from the birth date, is never stored, and may be shown without it
    Field("identity.gender", _GONE),
    Field("contact.email", _GONE),  # to be shown; the account's own address never leaves identity
    Field("contact.telephone", _GONE),
    Field("contact.channels", _RELAY),
    Field("career.headline", _GONE, bank=True),
    Field("career.summary", _GONE, bank=True),
    Field("career.experience", _ENTRIES, bank=True, withheld_parts=_JOB),
    Field("career.internships", _ENTRIES, bank=True, withheld_parts=_JOB),
    Field("career.education", _ENTRIES, bank=True, withheld_parts=("institution",)),
    Field("career.trainings", _ENTRIES, bank=True, withheld_parts=("issuer",)),
    Field("career.certificates", _ENTRIES, bank=True, withheld_parts=("issuer",)),
    Field("career.tests", _GONE),
    Field("career.skills", _STAYS, bank=True),
    Field("career.languages", _STAYS, bank=True),
    Field("career.licences", _STAYS, bank=True),
    Field("career.references", _GONE),
    Field("wishes.titles", _STAYS, bank=True),
    Field("wishes.sectors", _STAYS, bank=True),
    Field("wishes.place", _PROVINCE, mandatory=True, bank=True),
    Field("wishes.radius_km", _STAYS, bank=True),
    Field("wishes.hours_from", _STAYS, bank=True),
    Field("wishes.hours_to", _STAYS, bank=True),
    Field("wishes.salary_from", _STAYS, bank=True),
    Field("wishes.contract_types", _STAYS, bank=True),
    Field("wishes.remote", _STAYS, bank=True),
    Field("wishes.available_from", _STAYS, bank=True),
)
"""A field that anonymity withholds lies under the key of `identifying`, one that stays under the key of `career`. One that it
reduces is kept twice: whole under the first, and what is left of it under the second, so that destroying the first key leaves
exactly what anonymous mode shows. One of `wishes.titles` and `wishes.sectors` is mandatory too."""

BY_PATH: dict[str, Field] = {field.path: field for field in FIELDS}
GROUPS: tuple[str, ...] = ("identity", "contact", "career", "wishes")
PLACES: frozenset[str] = frozenset(field.path for field in FIELDS if field.anonymised is Anonymised.PROVINCE)
"""Paths of which a candidate may show the place or only its province."""


def age_on(day: date, birth_date: date) -> int:
    """Return somebody's age in whole years; who was born on 29 February has a birthday on 1 March in common years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
