"""Vacancies: the facts of a JobPosting, without the people behind it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from contracts.envelope import STREAM, Body, Event, Topic
from contracts.kinds import Code, Id, Link, Place, Province, Text, Words

Level = Literal[
    "vmbo",
    "mbo-1",
    "mbo-2",
    "mbo-3",
    "mbo-4",
    "havo",
    "vwo",
    "ad",
    "hbo-bachelor",
    "wo-bachelor",
    "hbo-master",
    "wo-master",
    "phd",
]
"""Dutch levels of education, lowest first within their kind."""

EQF: Final[Mapping[str, int]] = {
    "vmbo": 2,
    "mbo-1": 1,
    "mbo-2": 2,
    "mbo-3": 3,
    "mbo-4": 4,
    "havo": 4,
    "vwo": 4,
    "ad": 5,
    "hbo-bachelor": 6,
    "wo-bachelor": 6,
    "hbo-master": 7,
    "wo-master": 7,
    "phd": 8,
}
"""The level of each in the European Qualifications Framework, by which levels are compared."""

FULL_TIME_HOURS: Final = 40
A_MONTH: Final[Mapping[str, float]] = {"MONTH": 1.0, "YEAR": 1 / 12, "HOUR": FULL_TIME_HOURS * 52 / 12}
"""What pay of each unit (schema.org's words) is for a month of full-time work, by which salaries are compared."""

WorkplaceType = Literal["on-site", "hybrid", "remote"]
"""Where the work is done: at its places, partly there and partly elsewhere, or from anywhere."""

Hours = Annotated[int, Field(ge=0, le=80)]
Euros = Annotated[int, Field(ge=0)]


class Workplace(Body):
    """Where the work is done."""

    name: Place
    province: Province
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class VacancyEvent(Event):
    """The state of a vacancy that an organisation offers.

    Happens when it is published, changed or closed. A consumer offers it to people while it is `open` and `valid_through` has not
    passed; its contacts are people and stay in profiles.
    """

    topic: ClassVar[Topic] = Topic(
        "profiles.vacancy.v1",
        kind=STREAM,
        key="vacancy",
        says="A vacancy's facts (no person) and whether it is open.",
        tombstone="The vacancy is gone: forget it and offer it to nobody.",
        followed_by=("notifications",),
    )

    vacancy: Id
    organisation: Id
    state: Literal["open", "closed"]
    published_on: date
    valid_through: date | None
    """The last day on which it is offered; None: until it is closed."""
    title: Words
    description: Text
    place: Workplace | None
    """The first of its places; None when the work is done from anywhere."""
    also_at: tuple[Workplace, ...] = ()
    """Its other places: the work is done at one of them, which one is agreed later."""
    remote: bool
    """The work can be done from anywhere."""
    hybrid: bool = False
    """The work is done partly at its place; never together with `remote`."""
    skills: tuple[Words, ...]
    level: Level | None
    hours_min: Hours | None
    hours_max: Hours | None
    salary_min: Euros | None
    """Whole euros before tax, a month of full-time work."""
    salary_max: Euros | None = None
    """Likewise; None: no upper end is stated."""
    contract_types: tuple[Code, ...]
    """permanent, temporary, agency, freelance, internship, apprenticeship, volunteer."""
    sectors: tuple[Code, ...] = ()
    """What the organisation does, as `contracts.sectors` names it."""
    starts_on: date | None = None
    """The day on which the work begins; None: not stated."""
    url: Link | None
    """The organisation's own page about it."""

    @model_validator(mode="after")
    def _holds_together(self) -> "VacancyEvent":
        for name, least, most in (("hours", self.hours_min, self.hours_max), ("salary", self.salary_min, self.salary_max)):
            if least is not None and most is not None and least > most:
                raise ValueError(f"{name}_min is at most {name}_max")
        if self.remote and self.hybrid:
            raise ValueError("either remote or hybrid")
        if self.also_at and self.place is None:
            raise ValueError("the first of several places is `place`")
        return self

    @property
    def places(self) -> tuple[Workplace, ...]:
        """Every place of the work; none when it is done from anywhere."""
        return () if self.place is None else (self.place, *self.also_at)

    @property
    def workplace(self) -> WorkplaceType:
        """Where the work is done."""
        return "remote" if self.remote else "hybrid" if self.hybrid else "on-site"

    @property
    def key(self) -> str:
        """The vacancy."""
        return self.vacancy


SAMPLES = (
    VacancyEvent(
        vacancy="0198c0de-0000-7000-8000-0000000000fa",
        organisation="0198c0de-0000-7000-8000-000000000009",
        state="open",
        published_on=date(2026, 3, 9),
        valid_through=date(2026, 4, 30),
        title="Werkvoorbereider houtbouw",
        description="Je bereidt projecten in houtbouw voor, van bestek tot oplevering.",
        place=Workplace(name="Amersfoort", province="NL-UT", latitude=52.155, longitude=5.3875),
        remote=False,
        skills=("AutoCAD", "calculeren"),
        level="mbo-4",
        hours_min=32,
        hours_max=40,
        salary_min=3200,
        salary_max=4100,
        contract_types=("permanent",),
        sectors=("construction",),
        starts_on=date(2026, 5, 1),
        url="https://desteiger.example/vacatures/werkvoorbereider",
    ),
)
