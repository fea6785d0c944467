"""What a profile may hold, and what makes it complete: request models and rules, without any input or output.

The models refuse unknown fields, so that nothing is stored that nobody asked for (R9). Every field may be left out; what
activation needs is a rule of its own (`missing`), so that a draft can be filled bit by bit.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from chassis import places
from chassis.texts import one_line, readable
from contracts.profiles.vacancy import Level
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from profiles.catalogue import FIELDS, GROUPS, age_on

LEAST_AGE = 16
Told = Mapping[str, Mapping[str, Any]]
"""What a candidate told, as groups of filled fields."""

_CODES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu "
    "fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km "
    "kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr "
    "ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
_LANGUAGES = frozenset(_CODES.split())


def _known_language(code: str) -> str:
    if code not in _LANGUAGES:
        raise ValueError("must be an ISO 639-1 code")
    return code


Text = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(readable)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(readable), AfterValidator(one_line)]
Month = Annotated[str, StringConstraints(pattern=r"^(19|20)\d\d(-(0[1-9]|1[0-2]))?$")]
"""`2019-09`, or `2019` where the month is not known (or not told)."""
Hours = Annotated[int, Field(strict=True, ge=1, le=60)]
Province = Literal["NL-DR", "NL-FL", "NL-FR", "NL-GE", "NL-GR", "NL-LI", "NL-NB", "NL-NH", "NL-OV", "NL-UT", "NL-ZE", "NL-ZH"]
Channel = Literal["mail", "telephone", "relay"]
Contract = Literal["permanent", "temporary", "agency", "freelance", "internship"]
Licence = Literal["AM", "A1", "A2", "A", "B1", "B", "BE", "C1", "C1E", "C", "CE", "D1", "D1E", "D", "DE", "T"]


class _Part(BaseModel):
    """Strict and unchangeable: unknown fields are refused, blanks around texts removed, and errors never repeat the input."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True, serialize_by_alias=True
    )


class _Period(_Part):
    from_: Month | None = Field(None, alias="from")
    to: Month | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "_Period":
        shared = min(len(self.from_ or ""), len(self.to or ""))
        if shared and str(self.to)[:shared] < str(self.from_)[:shared]:
            raise ValueError("`to` lies before `from`")
        return self


class Address(_Part):
    """Where post arrives; the place of residence is a field of its own."""

    street: Line
    number: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,4}\s?[A-Za-z0-9-]{0,8}$")]
    postal_code: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{3} ?[A-Z]{2}$")]


class _Located(_Part):
    """A Dutch place by its name, kept as the name that tells it from its namesakes; or a province alone."""

    province: Province | None = None
    place: Line | None = None

    @field_validator("place")
    @classmethod
    def _known(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is None:
            return None
        place = places.find(name, province=info.data.get("province"))
        if place is None:
            raise ValueError("is no Dutch place that we know")
        return place.label


class Identity(_Located):
    """Who somebody is."""

    given_name: Line | None = None
    family_name: Line | None = Field(None, description="With its prefix, as its bearer writes it: `van der Meer`.")
    address: Address | None = None
    birth_date: date | None = None
    gender: Literal["female", "male", "other"] | None = None

    @field_validator("birth_date")
    @classmethod
    def _possible(cls, day: date | None) -> date | None:
        if day is not None and day.year < 1900:
            raise ValueError("lies before 1900")
        return day


class Contact(_Part):
    """How somebody may be reached. Without any choice, only by a message that the portal relays."""

    email: (
        Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"), AfterValidator(readable)]
        | None
    ) = None
    telephone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()-]{7,18}$")] | None = None
    channels: Annotated[tuple[Channel, ...], Field(max_length=3)] = ("relay",)


class Experience(_Period):
    """One job or internship."""

    title: Line
    employer: Line | None = None
    place: Line | None = None
    description: Text | None = None


class Education(_Period):
    """One education."""

    programme: Line
    institution: Line | None = None
    level: Level
    completed: bool


class Training(_Part):
    """A training or a certificate."""

    name: Line
    issuer: Line | None = None
    date: Month | None = None


class TestResult(_Part):
    """The result of a test, as the candidate tells it."""

    name: Line
    date: Month | None = None
    result: Line


class Skill(_Part):
    """Something that somebody can, from 1 (beginner) to 5 (expert)."""

    name: Line
    level: Annotated[int, Field(strict=True, ge=1, le=5)]


class Language(_Part):
    """A language (ISO 639-1) and how well it is mastered (CEFR)."""

    code: Annotated[str, AfterValidator(_known_language)]
    level: Literal["A1", "A2", "B1", "B2", "C1", "C2"]


class Reference(_Part):
    """Another person's data: kept only with the candidate's word that they agreed (R45)."""

    name: Line
    relation: Line
    contact: Line
    agreed: Literal[True]


class Career(_Part):
    """What somebody learned and did."""

    headline: Line | None = None
    summary: Text | None = None
    experience: Annotated[tuple[Experience, ...], Field(max_length=50)] = ()
    internships: Annotated[tuple[Experience, ...], Field(max_length=20)] = ()
    education: Annotated[tuple[Education, ...], Field(max_length=30)] = ()
    trainings: Annotated[tuple[Training, ...], Field(max_length=50)] = ()
    certificates: Annotated[tuple[Training, ...], Field(max_length=50)] = ()
    tests: Annotated[tuple[TestResult, ...], Field(max_length=20)] = ()
    skills: Annotated[tuple[Skill, ...], Field(max_length=60)] = ()
    languages: Annotated[tuple[Language, ...], Field(max_length=20)] = ()
    licences: Annotated[tuple[Licence, ...], Field(max_length=16)] = ()
    references: Annotated[tuple[Reference, ...], Field(max_length=10)] = ()


class Wishes(_Located):
    """What somebody looks for."""

    titles: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    sectors: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    radius_km: Annotated[int, Field(strict=True, ge=1, le=300)] | None = None
    hours_from: Hours | None = None
    hours_to: Hours | None = None
    salary_from: Annotated[int, Field(strict=True, ge=0, le=50_000, description="Euro a month, gross, full time.")] | None = None
    contract_types: Annotated[tuple[Contract, ...], Field(max_length=5)] = ()
    remote: bool | None = Field(None, description="Would (also) work from home.")
    available_from: date | None = None

    @model_validator(mode="after")
    def _hours_in_order(self) -> "Wishes":
        if self.hours_from is not None and self.hours_to is not None and self.hours_to < self.hours_from:
            raise ValueError("`hours_to` is less than `hours_from`")
        return self


class Profile(_Part):
    """All that a candidate told."""

    identity: Identity = Identity()
    contact: Contact = Contact()
    career: Career = Career()
    wishes: Wishes = Wishes()


class ProfileChange(_Part):
    """The groups that are to be replaced; a group that is not named stays as it is."""

    identity: Identity | None = None
    contact: Contact | None = None
    career: Career | None = None
    wishes: Wishes | None = None

    def applied_to(self, told: Told) -> dict[str, dict[str, Any]]:
        """Return what is told when the named groups take the place of what was told before."""
        named = {group: as_document(new) for group in GROUPS if (new := getattr(self, group)) is not None}
        return {group: dict(named.get(group, told.get(group, {}))) for group in GROUPS}


def as_document(part: BaseModel) -> dict[str, Any]:
    """Return a profile or one of its groups as JSON would hold it, without the fields that are not filled."""
    return _filled(part.model_dump(mode="json", exclude_none=True))


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out empty lists and texts; groups stay, also when they are empty."""
    return {name: _filled(value) if name in GROUPS else value for name, value in document.items() if value not in ([], "")}


def missing(told: Told, *, permanent: bool = False) -> list[str]:
    """Return the paths that activation still needs. Permanently anonymous, no name is needed, and a province does for a place."""
    gaps = [path for path, names in _needed(permanent=permanent) if not any(name in told.get(path[0], {}) for name in names)]
    return [f"{group}.{name}" for group, name in gaps]


def _needed(*, permanent: bool) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Name each mandatory field with the names of which one has to be filled."""
    for field in FIELDS:
        if not field.mandatory:
            continue
        if not permanent:
            yield (field.group, field.name), (field.name,)
        elif field.name == "place":
            yield (field.group, "province"), ("province",)
    yield ("wishes", "titles"), ("titles", "sectors")


def old_enough(told: Told, *, today: date, declared: bool) -> bool:
    """Tell whether activation is allowed (R44): by the birth date, or where none is given by the candidate's own word."""
    born = told.get("identity", {}).get("birth_date")
    return declared if born is None else age_on(today, date.fromisoformat(born)) >= LEAST_AGE
