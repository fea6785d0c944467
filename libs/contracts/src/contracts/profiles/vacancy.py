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

Hours = Annotated[int, Field(ge=0, le=80)]


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
    """None when the work is done from anywhere."""
    remote: bool
    skills: tuple[Words, ...]
    level: Level | None
    hours_min: Hours | None
    hours_max: Hours | None
    salary_min: Annotated[int, Field(ge=0)] | None
    """Whole euros before tax, a month of full-time work."""
    contract_types: tuple[Code, ...]
    """permanent, temporary, agency, freelance, internship, apprenticeship, volunteer."""
    url: Link | None
    """The organisation's own page about it."""

    @model_validator(mode="after")
    def _hours_are_in_order(self) -> "VacancyEvent":
        if self.hours_min is not None and self.hours_max is not None and self.hours_min > self.hours_max:
            raise ValueError("hours_min is at most hours_max")
        return self

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
        contract_types=("permanent",),
        url="https://desteiger.example/vacatures/werkvoorbereider",
    ),
)
