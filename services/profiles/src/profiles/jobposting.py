"""The JobPosting (schema.org, JSON-LD) that organisations send: what of it is read, and its form.

Only what the portal uses is read and kept; other properties of schema.org are allowed, because systems send one posting to many
places. What is read is strict: a property that we would understand wrongly is refused by its name.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from chassis.clock import day_of
from chassis.texts import one_line, readable
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_MARKUP = re.compile(r"<[A-Za-z/!?]|&(#\d+|#x[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")


def _plain(text: str) -> str:
    if _MARKUP.search(text):
        raise ValueError("must be plain text, without HTML")
    return readable(text)


def _listed(value: Any) -> Any:
    """JSON-LD writes a list of one as that one."""
    return value if isinstance(value, list) or value is None else [value]


def _named(value: Any) -> Any:
    """Return a list of names, whether they came as texts or as `DefinedTerm`s."""
    return [part.get("name") if isinstance(part, dict) else part for part in _listed(value) or ()]


def _split(value: Any) -> Any:
    """Return skills as a list, also those in one text with commas."""
    return [part for part in _named(value.split(",") if isinstance(value, str) else value) if part != ""]


def _day(value: Any) -> Any:
    """Return the Amsterdam day of a date or of an instant; an instant without a zone is taken as it stands."""
    if not isinstance(value, str) or "T" not in value:
        return value
    try:
        moment = datetime.fromisoformat(value)
        return day_of(moment) if moment.tzinfo else moment.date()
    except (ValueError, OverflowError):  # no instant, or one at the end of all days
        return value


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_plain), AfterValidator(one_line)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_plain)]
Day = Annotated[date, BeforeValidator(_day)]
Money = Annotated[float, Field(ge=0, le=1_000_000)]
_NETHERLANDS = {"nl", "nld", "nederland", "netherlands", "the netherlands"}


def _country(value: Any) -> Any:
    return value.get("name") if isinstance(value, dict) else value


def _dutch(country: str) -> str:
    if country.strip().casefold() not in _NETHERLANDS:
        raise ValueError("must be the Netherlands (NL)")
    return "NL"


class Part(BaseModel):
    """A node of the posting. Errors do not repeat what was sent."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class Named(Part):
    """An organisation by its name."""

    name: Line


class PostalAddress(Part):
    """Where the work is done, as a place; streets are not kept."""

    locality: Line = Field(alias="addressLocality")
    region: Line | None = Field(None, alias="addressRegion")
    country: Annotated[str, BeforeValidator(_country), AfterValidator(_dutch)] = Field("NL", alias="addressCountry")


class JobLocation(Part):
    """A `Place` with its address."""

    address: PostalAddress


class Amount(Part):
    """A `QuantitativeValue`."""

    value: Money | None = None
    min_value: Money | None = Field(None, alias="minValue")
    max_value: Money | None = Field(None, alias="maxValue")
    unit: Literal["HOUR", "MONTH", "YEAR"] = Field(alias="unitText")


class Salary(Part):
    """A `MonetaryAmount`, in euros before tax."""

    currency: Literal["EUR"]
    value: Amount


class Credential(Part):
    """An `EducationalOccupationalCredential`."""

    category: Line = Field(alias="credentialCategory")


class Identifier(Part):
    """The organisation's own number for it, as a `PropertyValue`."""

    value: Line


class JobPosting(Part):
    """A vacancy as schema.org says it (`application/ld+json` or `application/json`)."""

    kind: Literal["JobPosting"] = Field(alias="@type")
    title: Line
    description: Text
    organisation: Named = Field(alias="hiringOrganization")
    identifier: Identifier | Line | None = None
    location: Annotated[list[JobLocation], BeforeValidator(_listed), Field(max_length=20)] = Field([], alias="jobLocation")
    location_type: Literal["TELECOMMUTE"] | None = Field(None, alias="jobLocationType")
    posted: Day | None = Field(None, alias="datePosted")
    valid_through: Day | None = Field(None, alias="validThrough")
    starts: Day | None = Field(None, alias="jobStartDate")
    employment: Annotated[list[Line], BeforeValidator(_listed), Field(max_length=10)] = Field([], alias="employmentType")
    work_hours: Line | None = Field(None, alias="workHours")
    skills: Annotated[list[Line], BeforeValidator(_split), Field(max_length=50)] = []
    industry: Annotated[list[Line], BeforeValidator(_named), Field(max_length=5)] = []
    education: Credential | Line | None = Field(None, alias="educationRequirements")
    salary: Salary | None = Field(None, alias="baseSalary")
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=2_000), AfterValidator(readable)] | None = (
        None
    )
