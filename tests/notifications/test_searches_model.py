"""How what a person types is compared with what a vacancy says."""

from datetime import date
from typing import get_args

import pytest
from chassis.places import AmbiguousPlaceError
from contracts.profiles.vacancy import Level
from notifications.alerts.model import cause, hours_text, is_offered
from notifications.matching.model import matches
from notifications.searches.model import (
    EQF,
    Criteria,
    UnknownPlaceError,
    comparable,
    described,
    offered,
    wanted,
    with_known_place,
)


def fits(criteria: dict, **vacancy) -> bool:
    facts = {
        "texts": ["Werkvoorbereider", "Je calculeert in een café."],
        "skills": ["Auto CAD", "C++"],
        "position": (52.155, 5.3875),
        "remote": False,
        "level": "mbo-4",
        "hours": (32, 40),
        "contract_types": ["permanent"],
    }
    asked = wanted(comparable(with_known_place(Criteria.model_validate(criteria)), hashed=str.upper))
    return matches(asked, offered(**facts | vacancy, hashed=str.upper))


@pytest.mark.parametrize("word", ["werkvoorbereider", "WERKVOORBEREIDER", "cafe", "Café", "C++", "auto", "calculeert in"])
def test_words_are_found_whatever_their_capitals_and_accents(word):
    assert fits({"words": word})


@pytest.mark.parametrize("word", ["werk", "C#", "c+", "bereider", "cafés"])
def test_only_whole_words_are_found(word):
    assert not fits({"words": word})


def test_a_skill_is_compared_as_a_whole():
    assert fits({"skills": ["auto  cad"]})
    assert fits({"skills": ["cobol", "c++"]})
    assert not fits({"skills": ["auto"]})


@pytest.mark.parametrize(
    ("asked", "said", "fit"),
    [
        ({"hours_from": 24}, (16, 24), True),
        ({"hours_from": 24}, (16, 20), False),
        ({"hours_to": 24}, (24, None), True),
        ({"hours_to": 24}, (25, None), False),
        ({"hours_from": 24}, (None, 20), False),
        ({"hours_from": 24, "hours_to": 32}, (None, None), False),
    ],
)
def test_hours_overlap_and_a_missing_end_is_open(asked, said, fit):
    assert fits(asked, hours=said) is fit


def test_levels_of_the_same_eqf_level_are_equal():
    assert set(EQF) == set(get_args(Level))
    assert fits({"level": "hbo-bachelor"}, level="wo-bachelor")
    assert not fits({"level": "mbo-4"}, level="mbo-3")
    assert fits({"level": "mbo-4"}, level=None), "nothing is required"


def test_a_place_has_a_radius_of_25_km_unless_another_is_asked():
    assert fits({"place": "Utrecht"})
    assert not fits({"place": "Utrecht", "radius_km": 5})
    assert not fits({"place": "Utrecht", "radius_km": 0})


@pytest.mark.parametrize(("place", "error"), [("Nergenshuizen", UnknownPlaceError), ("Hengelo", AmbiguousPlaceError)])
def test_a_place_that_nobody_can_tell_is_refused(place, error):
    with pytest.raises(error):
        with_known_place(Criteria(place=place))


def test_a_search_is_described_in_its_owners_words():
    criteria = with_known_place(Criteria(words="Houtbouw", skills=["C++"], place="den haag"))
    assert described(criteria).startswith("Houtbouw, C++, ")
    assert described(Criteria(level="mbo-4")) is None


@pytest.mark.parametrize(("low", "high", "text"), [(24, 36, "24-36"), (36, 36, "36"), (None, 20, "20"), (None, None, None)])
def test_hours_are_shown_in_figures(low, high, text):
    assert hours_text(low, high) == text


def test_a_cause_names_search_and_vacancy():
    assert cause("s", "v") == "notifications:alert:s:v"
    assert cause("s", "v") != cause("v", "s")


def test_the_last_day_of_a_vacancy_is_still_one():
    today = date(2027, 3, 1)
    assert is_offered(state="open", valid_through=today, today=today)
    assert not is_offered(state="open", valid_through=today.replace(day=1, month=2), today=today)
    assert not is_offered(state="closed", valid_through=None, today=today)
