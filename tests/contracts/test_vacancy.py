"""What a vacancy's event promises beyond its fields: what was told before they were added still says what it said."""

from typing import get_args

import pytest
from contracts.profiles.vacancy import SAMPLES, VacancyEvent
from contracts.sectors import SECTORS, Sector
from pydantic import ValidationError

ADDED = ("also_at", "hybrid", "salary_max", "sectors", "starts_on")
SAMPLE = SAMPLES[0].model_dump(mode="json")
ELSEWHERE = SAMPLE["place"] | {"name": "Zwolle", "province": "NL-OV"}


def told(**changes) -> VacancyEvent:
    return VacancyEvent.model_validate(SAMPLE | changes)


@pytest.mark.parametrize(("remote", "workplace"), [(False, "on-site"), (True, "remote")])
def test_an_event_from_before_several_places_and_sectors_is_understood(remote, workplace):
    old = {name: value for name, value in SAMPLE.items() if name not in ADDED} | {"remote": remote}
    event = VacancyEvent.model_validate(old)
    assert ([place.name for place in event.places], event.workplace) == (["Amersfoort"], workplace)
    assert (event.salary_max, event.sectors, event.starts_on) == (None, (), None)


def test_the_places_are_the_first_and_the_others():
    assert [place.name for place in told(also_at=[ELSEWHERE]).places] == ["Amersfoort", "Zwolle"]
    assert told(place=None, remote=True).places == ()
    assert told(hybrid=True).workplace == "hybrid"


@pytest.mark.parametrize(
    "changes",
    [
        {"hours_min": 40, "hours_max": 32},
        {"salary_min": 4000, "salary_max": 3999},
        {"remote": True, "hybrid": True},
        {"place": None, "also_at": [ELSEWHERE]},
    ],
)
def test_what_contradicts_itself_is_refused(changes):
    with pytest.raises(ValidationError):
        told(**changes)


def test_every_sector_is_told_apart_by_its_code_its_letter_and_either_name():
    assert get_args(Sector) == tuple(SECTORS)
    assert "".join(section.letter for section in SECTORS.values()) == "ABCDEFGHIJKLMNOPQRSTU"
    said = [{code, one.nl.casefold(), one.en.casefold()} for code, one in SECTORS.items()]
    assert len(set().union(*said)) == sum(map(len, said))
