"""What a vacancy says, as the portal understands it, and the rules that a posting must keep. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from chassis import places
from chassis.places import AmbiguousPlaceError, Place
from contracts.profiles.vacancy import A_MONTH, EQF, WorkplaceType
from contracts.sectors import SECTORS

from profiles.jobposting import JobLocation, JobPosting, Salary

_CONTRACTS = {
    "FULL_TIME": None,  # says how much, not which contract
    "PART_TIME": None,
    "OTHER": None,
    "PERMANENT": "permanent",
    "TEMPORARY": "temporary",
    "SEASONAL": "temporary",
    "PER_DIEM": "temporary",
    "CONTRACTOR": "freelance",
    "CONTRACT": "freelance",
    "FREELANCE": "freelance",
    "AGENCY": "agency",
    "INTERN": "internship",
    "INTERNSHIP": "internship",
    "APPRENTICESHIP": "apprenticeship",
    "VOLUNTEER": "volunteer",
}
_CREDENTIALS = {
    **{code: code for code in EQF},
    "no requirements": None,
    "high school": "havo",
    "associate degree": "ad",
    "bachelor degree": "hbo-bachelor",
    "postgraduate degree": "hbo-master",
}
"""Our own codes, and the words that search engines read in a posting."""
_HOURS = re.compile(r"(\d{1,2})(?:\s*[-\u2013]\s*(\d{1,2}))?(?:\s*(?:uur|hours?))?(?:\s*(?:per|a)\s*week)?", re.IGNORECASE)
_MOST_HOURS = 80
_SECTORS = {name.casefold(): code for code, section in SECTORS.items() for name in (code, section.nl, section.en)}
"""A sector's code by what an organisation may write: the code, or its name in Dutch or English."""


class BrokenRuleError(Exception):
    """A property of the posting breaks a rule; `choices` are what may stand there, where there are several."""

    def __init__(self, field: str, rule: str, detail: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(rule)
        self.field, self.rule, self.detail, self.choices = field, rule, detail, choices


class State(StrEnum):
    """Whether people may still respond."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Facts:
    """What a posting says, in the portal's own terms."""

    title: str
    description: str
    places: tuple[Place, ...]
    workplace: WorkplaceType
    valid_through: date | None
    skills: tuple[str, ...]
    level: str | None
    hours: tuple[int, int] | None
    salary: tuple[int, int | None] | None
    contract_types: tuple[str, ...]
    sectors: tuple[str, ...]
    starts_on: date | None
    url: str | None
    reference: str | None


@dataclass(frozen=True)
class Vacancy:
    """One vacancy of an organisation."""

    id: str
    organisation: str
    published_on: date
    facts: Facts
    state: State = State.OPEN
    closed_on: date | None = None
    sequence: int = 0

    def closed(self, today: date) -> "Vacancy":
        """Return it closed. Again: nothing new."""
        return self if self.state is State.CLOSED else replace(self, state=State.CLOSED, closed_on=today)


def facts_of(posting: JobPosting, *, organisation: str, today: date) -> Facts:
    """Return what a posting says.

    Raises:
        BrokenRuleError: A property breaks a rule that its form does not show.
    """
    if posting.organisation.name.casefold() != organisation.casefold():
        raise BrokenRuleError("hiringOrganization.name", "own-organisation", "must be the organisation that you act for")
    _check_days(posting, today)
    identifier = posting.identifier
    return Facts(
        title=posting.title,
        description=posting.description,
        places=_places(posting.location),
        workplace=_workplace(posting),
        valid_through=posting.valid_through,
        skills=tuple(dict.fromkeys(posting.skills)),
        level=_level(posting),
        hours=_hours(posting.work_hours),
        salary=_a_month(posting.salary),
        contract_types=_contract_types(posting.employment),
        sectors=_sectors(posting.industry),
        starts_on=posting.starts,
        url=posting.url,
        reference=identifier if identifier is None or isinstance(identifier, str) else identifier.value,
    )


def _check_days(posting: JobPosting, today: date) -> None:
    if posting.posted is not None and posting.posted > today:
        raise BrokenRuleError("datePosted", "future", "must not lie after today")
    if posting.valid_through is None:
        return
    if posting.posted is not None and posting.valid_through < posting.posted:
        raise BrokenRuleError("validThrough", "before-posted", "must not lie before datePosted")
    if posting.valid_through < today:
        raise BrokenRuleError("validThrough", "past", "must not lie before today")


def _workplace(posting: JobPosting) -> WorkplaceType:
    """Return where the work is done: TELECOMMUTE beside a place is partly there, without one from anywhere."""
    if posting.location_type is None and not posting.location:
        raise BrokenRuleError("jobLocation", "required", "say where the work is done, or jobLocationType TELECOMMUTE")
    if posting.location_type is None:
        return "on-site"
    return "hybrid" if posting.location else "remote"


def _places(locations: list[JobLocation]) -> tuple[Place, ...]:
    """Return the places, each once; a refusal names the number of one of several."""
    numbers = [f"jobLocation.{number}" for number in range(len(locations))] if len(locations) > 1 else ["jobLocation"]
    return tuple(dict.fromkeys(_place(location, where) for where, location in zip(numbers, locations, strict=False)))


def _place(location: JobLocation, where: str) -> Place:
    address, field = location.address, f"{where}.address.addressLocality"
    name = f"{address.locality} ({address.region})" if address.region else address.locality
    try:
        found = places.find(name)
    except AmbiguousPlaceError as several:
        detail = "several places have this name: say which, or name the province in addressRegion"
        raise BrokenRuleError(field, "ambiguous", detail, tuple(several.choices)) from None
    if found is None:
        raise BrokenRuleError(field, "unknown", "is no Dutch place that we know" + (" in that region" if address.region else ""))
    return found


def _level(posting: JobPosting) -> str | None:
    education = posting.education
    if education is None:
        return None
    named = (education if isinstance(education, str) else education.category).casefold()
    if named not in _CREDENTIALS:
        raise BrokenRuleError("educationRequirements", "unknown", f"one of {', '.join(_CREDENTIALS)}", tuple(_CREDENTIALS))
    return _CREDENTIALS[named]


def _hours(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    read = _HOURS.fullmatch(text)
    if read is None:
        raise BrokenRuleError("workHours", "form", "hours a week, as `32` or `32-36`")
    least, most = int(read[1]), int(read[2] or read[1])
    if not 0 < least <= most <= _MOST_HOURS:
        raise BrokenRuleError("workHours", "range", f"from 1 to {_MOST_HOURS} hours a week, the least first")
    return least, most


def _a_month(salary: Salary | None) -> tuple[int, int | None] | None:
    if salary is None:
        return None
    amount = salary.value
    least = amount.min_value if amount.min_value is not None else amount.value
    most = amount.max_value if amount.max_value is not None else amount.value
    if least is None:
        raise BrokenRuleError("baseSalary.value", "required", "minValue, or value")
    if most is not None and most < least:
        raise BrokenRuleError("baseSalary.value.maxValue", "range", "must not be less than minValue")
    times = A_MONTH[amount.unit]
    return round(least * times), None if most is None else round(most * times)


def _contract_types(kinds: list[str]) -> tuple[str, ...]:
    found = []
    for kind in kinds:
        code = re.sub(r"[\s-]+", "_", kind.upper())
        if code not in _CONTRACTS:
            raise BrokenRuleError("employmentType", "unknown", f"one of {', '.join(_CONTRACTS)}", tuple(_CONTRACTS))
        found.append(_CONTRACTS[code])
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _sectors(names: list[str]) -> tuple[str, ...]:
    for number, name in enumerate(names):
        if name.casefold() not in _SECTORS:
            field = f"industry.{number}" if len(names) > 1 else "industry"
            raise BrokenRuleError(field, "unknown", f"one of {', '.join(SECTORS)}, or its name", tuple(SECTORS))
    return tuple(dict.fromkeys(_SECTORS[name.casefold()] for name in names))
