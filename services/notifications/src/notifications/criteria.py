"""What a person asks of vacancies: the form in which they say it, and the rules that it has to keep.

The form is read by pydantic; a rule that it cannot show is told in the reader's language. What was saved under older rules is
still read: rules are asked when somebody saves.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from chassis.http.language import Text
from chassis.http.problems import FieldError
from chassis.places import AmbiguousPlaceError, find
from contracts.kinds import Id
from contracts.profiles.vacancy import Level, WorkplaceType
from contracts.sectors import Sector
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from notifications.words import LONGEST_PHRASE, stems

MOST_WORDS = 20
MOST_KM = 200
DEFAULT_KM = 25
_TERM = re.compile(r'"([^"]*)"|([^\s"]+)')
_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb", '"""""')

ContractType = Literal["permanent", "temporary", "agency", "freelance", "internship", "apprenticeship", "volunteer"]
ProvinceCode = Literal[
    "NL-DR", "NL-FL", "NL-FR", "NL-GE", "NL-GR", "NL-LI", "NL-NB", "NL-NH", "NL-OV", "NL-UT", "NL-ZE", "NL-ZH"
]  # fmt: skip
Phrase = tuple[str, ...]
"""The stems of a word or a phrase."""


def _listed(value: Any) -> Any:
    return [] if value is None else value if isinstance(value, list) else [value]


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=8_000)] | None
Hours = Annotated[int, Field(ge=1, le=80)] | None
Euros = Annotated[float, Field(ge=0, le=1_000_000)] | None
Organisations = Annotated[list[Id], BeforeValidator(_listed), Field(max_length=50)]


class Criteria(BaseModel):
    """What the vacancies have to meet, all of it: at least one condition that is not an exclusion."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    words: Words = Field(None, description='All of these stand in title, text or skills; a phrase stands "in quotes".')
    any_words: Words = Field(None, description="At least one of these stands there.")
    no_words: Words = Field(None, description="None of these stands there.")
    skills: list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]] = Field(
        [], max_length=20, description="At least one of these skills is asked for."
    )
    place: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = Field(
        None, description="A Dutch place; namesakes with their province: 'Hengelo (Overijssel)'."
    )
    radius_km: int | None = Field(None, description=f"Around the place, 1 to {MOST_KM}; {DEFAULT_KM} when left out.")
    provinces: list[ProvinceCode] = Field([], max_length=12, description="In one of these provinces; instead of a place.")
    hours_from: Hours = Field(None, description="Hours a week, at least.")
    hours_to: Hours = Field(None, description="Hours a week, at most.")
    salary_from: Euros = Field(None, description="Euros before tax for full-time work, at least.")
    salary_to: Euros = Field(None, description="Euros before tax for full-time work, at most.")
    salary_per: Literal["month", "hour"] = Field("month", description="What the salary is for.")
    levels: Annotated[list[Level], BeforeValidator(_listed), Field(max_length=13)] = Field(
        [],
        validation_alias=AliasChoices("levels", "level"),
        description="One of these levels of education is asked for, or one of the same EQF level. `level` is a list of one.",
    )
    contract_types: list[ContractType] = Field([], max_length=7, description="One of these types of contract.")
    workplaces: list[WorkplaceType] = Field([], max_length=3, description="Done in one of these ways.")
    sectors: list[Sector] = Field([], max_length=21, description="The organisation works in one of these sectors.")
    organisations: Organisations = Field([], description="Of one of these organisations only.")
    not_organisations: Organisations = Field([], description="Of none of these organisations.")
    starts_from: date | None = Field(None, description="The work begins on this day or later.")
    starts_to: date | None = Field(None, description="The work begins on this day or earlier.")


def terms(text: str | None) -> dict[Phrase, str]:
    """Return the words and the phrases in quotes of what somebody typed, as they typed them. `data-analist` is a phrase too."""
    found: dict[Phrase, str] = {}
    for quoted, word in _TERM.findall((text or "").translate(_QUOTES)):
        found.setdefault(tuple(stems(quoted or word)), quoted or word)
    return found


def with_known_place(criteria: Criteria) -> Criteria:
    """Return the criteria with the full name of their place, which is known."""
    found = find(criteria.place) if criteria.place else None
    return criteria.model_copy(update={"place": found.label}) if found else criteria


def broken_rules(criteria: Criteria) -> list[FieldError]:
    """Return what is wrong with criteria: which field breaks which rule."""
    rules = (_of_words, _of_place, _of_ranges, _of_exclusions)
    return [FieldError(f"criteria.{name}".rstrip("."), rule, text) for check in rules for name, rule, text in check(criteria)]


_Broken = Iterator[tuple[str, str, Text]]


def _of_words(criteria: Criteria) -> _Broken:
    for name in ("words", "any_words", "no_words"):
        text = getattr(criteria, name) or ""
        found = terms(text)
        if text.translate(_QUOTES).count('"') % 2:
            yield name, "quotes", Text("een aanhalingsteken staat alleen", "a quotation mark stands alone")
        if len(found) > MOST_WORDS:
            yield name, "too-many", Text(f"hoogstens {MOST_WORDS} woorden of zinsdelen", f"at most {MOST_WORDS} words or phrases")
        if any(not phrase for phrase in found):
            yield name, "no-word", Text("elk woord heeft een letter of cijfer", "each word has a letter or a digit")
        if any(len(phrase) > LONGEST_PHRASE for phrase in found):
            yield name, "phrase-too-long", _PHRASE
    if any(not stems(skill) for skill in criteria.skills):
        yield "skills", "no-word", Text("elke vaardigheid heeft een letter of cijfer", "each skill has a letter or a digit")


_PHRASE = Text(f"een zinsdeel heeft hoogstens {LONGEST_PHRASE} woorden", f"a phrase has at most {LONGEST_PHRASE} words")


def _of_place(criteria: Criteria) -> _Broken:
    if criteria.place is not None:
        yield from _of_name(criteria.place)
    if criteria.place is not None and criteria.provinces:
        yield "provinces", "place-or-provinces", Text("een plaats of provincies, niet beide", "a place or provinces, not both")
    if criteria.radius_km is None:
        return
    if criteria.place is None:
        yield "radius_km", "needs-place", Text("een straal hoort bij een plaats", "a radius needs a place")
    if not 1 <= criteria.radius_km <= MOST_KM:
        yield "radius_km", "range", Text(f"van 1 tot en met {MOST_KM} km", f"from 1 to {MOST_KM} km")


def _of_name(place: str) -> _Broken:
    try:
        if find(place) is None:
            yield "place", "unknown", Text("geen Nederlandse plaats heet zo", "no Dutch place has this name")
    except AmbiguousPlaceError as several:
        choices = ", ".join(several.choices)
        yield "place", "ambiguous", Text(f"zeg welke: {choices}", f"say which one: {choices}")


def _of_ranges(criteria: Criteria) -> _Broken:
    for name in ("hours", "salary", "starts"):
        least, most = getattr(criteria, f"{name}_from"), getattr(criteria, f"{name}_to")
        if least is not None and most is not None and least > most:
            yield f"{name}_to", "range", Text(f"niet minder dan {name}_from", f"not less than {name}_from")


def _of_exclusions(criteria: Criteria) -> _Broken:
    excluded, asked = terms(criteria.no_words).keys(), terms(criteria.any_words).keys()
    if excluded & terms(criteria.words).keys() or (asked and asked <= excluded):
        yield (
            "no_words",
            "contradiction",
            Text("een gevraagd woord is ook uitgesloten", "a word that is asked for is excluded too"),
        )
    if set(criteria.organisations).intersection(criteria.not_organisations):
        yield "not_organisations", "contradiction", Text("een organisatie staat in beide", "an organisation stands in both")
    if _asks_something(criteria):
        return
    if criteria.no_words or criteria.not_organisations:
        yield "", "only-exclusions", Text("zeg ook wat wel gezocht wordt", "say what is looked for, too")
    else:
        yield "", "required", Text("minstens één voorwaarde", "at least one condition is needed")


def _asks_something(criteria: Criteria) -> bool:
    unasked = {"radius_km", "salary_per", "no_words", "not_organisations"}
    return any(getattr(criteria, name) not in (None, []) for name in Criteria.model_fields if name not in unasked)
