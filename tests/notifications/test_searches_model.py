"""How what a person asks is compared with what a vacancy says: with its words as keyed numbers, and with its words at hand."""

from datetime import date
from functools import partial
from typing import get_args

import pytest
from chassis.hashing import keyed_number
from chassis.places import PROVINCES
from contracts.profiles.vacancy import EQF, SAMPLES, Level, Workplace
from contracts.sectors import SECTORS, Sector
from hypothesis import given
from hypothesis import strategies as st
from notifications.alerts.model import facts, facts_of, hours_text, is_offered
from notifications.criteria import Criteria, ProvinceCode, broken_rules, with_known_place
from notifications.matching.model import matches
from notifications.searches.model import Question, comparable, described, offered, wanted
from notifications.words import number_of

HASHED = partial(keyed_number, b"k" * 32, "test")
ZWOLLE = Workplace(name="Zwolle", province="NL-OV", latitude=52.5125, longitude=6.09444)
VACANCY = SAMPLES[0].model_copy(
    update={
        "title": "Werkvoorbereider",
        "description": "Je calculeert in een café. Met timmerlieden van de afdeling.",
        "skills": ("Auto CAD", "C++"),
        "salary_min": 3000,
        "salary_max": 3600,
        "sectors": ("construction",),
        "starts_on": date(2027, 3, 1),
    }
)


def fits(asked: dict, **changes) -> bool:
    """Compare in both ways, which have to agree."""
    criteria = Criteria.model_validate(asked)
    assert broken_rules(criteria) == []
    kept = facts(VACANCY.model_copy(update=changes))
    stored = comparable(criteria, number=lambda phrase: number_of(phrase, HASHED))
    hashed = matches(wanted(stored), offered(kept, hashed=HASHED))
    assert Question.of(criteria).fits(kept) is hashed
    return hashed


@pytest.mark.parametrize(
    "words",
    [
        "werkvoorbereider", "WERKVOORBEREIDERS", "cafe", "Café", "C++", "auto", "calculeert in", '"in een cafe"',
        '"auto cad"', "auto-cad", "\u201cwerkvoorbereider\u201d", "timmerlieden afdelingen",
    ],
)  # fmt: skip
def test_words_are_found_whatever_their_capitals_accents_and_endings(words):
    assert fits({"words": words})


@pytest.mark.parametrize("words", ["voorbereid", "C#", "c+", "cafetaria", '"een in"', '"cafe met"', '"werkvoorbereider je"'])
def test_only_whole_words_are_found_and_a_phrase_only_within_a_sentence_and_in_its_order(words):
    assert not fits({"words": words})


def test_words_can_be_all_one_or_none():
    assert not fits({"words": "werkvoorbereider lasser"})
    assert fits({"any_words": "werkvoorbereider lasser"})
    assert not fits({"any_words": "lasser stukadoor"})
    assert fits({"words": "werkvoorbereider", "no_words": "lasser"})
    assert not fits({"words": "werkvoorbereider", "no_words": 'lasser "in een café"'})


def test_a_skill_is_compared_as_a_whole():
    assert fits({"skills": ["auto  cad"]})
    assert fits({"skills": ["cobol", "c++"]})
    assert not fits({"skills": ["auto"]})
    assert not fits({"skills": ["calculeren"]})


@pytest.mark.parametrize(
    ("asked", "low", "high", "fit"),
    [
        ({"hours_from": 24}, 16, 24, True),
        ({"hours_from": 24}, 16, 20, False),
        ({"hours_to": 24}, 24, None, True),
        ({"hours_to": 24}, 25, None, False),
        ({"hours_from": 24}, None, 20, False),
        ({"hours_from": 24, "hours_to": 32}, None, None, False),
    ],
)
def test_hours_overlap_and_a_missing_end_is_open(asked, low, high, fit):
    assert fits(asked, hours_min=low, hours_max=high) is fit


@pytest.mark.parametrize(
    ("asked", "fit"),
    [
        ({"salary_from": 3600}, True),
        ({"salary_from": 3601}, False),
        ({"salary_to": 3000}, True),
        ({"salary_to": 2999.5}, False),
        ({"salary_from": 20, "salary_per": "hour"}, True),
        ({"salary_from": 21, "salary_per": "hour"}, False),
    ],
)
def test_pay_by_the_hour_is_made_pay_for_a_month_of_full_time_work(asked, fit):
    assert fits(asked) is fit
    assert fits(asked, salary_min=None, salary_max=None)


def test_levels_of_the_same_eqf_level_are_equal_and_one_of_several_is_enough():
    assert set(EQF) == set(get_args(Level))
    assert fits({"levels": ["mbo-2", "hbo-bachelor"]}, level="wo-bachelor")
    assert fits({"level": "mbo-4"}, level="havo")
    assert not fits({"level": "mbo-4"}, level="mbo-3")
    assert fits({"level": "mbo-4"}, level=None)


def test_a_place_has_a_radius_of_25_km_unless_another_is_asked():
    assert fits({"place": "Utrecht"})
    assert not fits({"place": "Utrecht", "radius_km": 5})


def test_one_of_several_places_is_enough_and_work_from_anywhere_is_near_everybody():
    assert not fits({"place": "Zwolle"})
    assert fits({"place": "Zwolle"}, also_at=(ZWOLLE,))
    assert fits({"provinces": ["NL-OV"]}, also_at=(ZWOLLE,))
    assert not fits({"provinces": ["NL-OV"]})
    assert fits({"provinces": ["NL-OV"]}, remote=True)
    assert fits({"place": "Zwolle"}, remote=True)
    assert not fits({"place": "Zwolle"}, hybrid=True)


@pytest.mark.parametrize(
    ("asked", "fit"),
    [
        ({"workplaces": ["hybrid", "remote"]}, False),
        ({"workplaces": ["on-site"]}, True),
        ({"sectors": ["care", "construction"]}, True),
        ({"sectors": ["care"]}, False),
        ({"contract_types": ["agency"]}, False),
        ({"organisations": [VACANCY.organisation]}, True),
        ({"organisations": ["another"]}, False),
        ({"words": "calculeert", "not_organisations": ["another"]}, True),
        ({"words": "calculeert", "not_organisations": [VACANCY.organisation]}, False),
        ({"starts_from": "2027-03-01"}, True),
        ({"starts_from": "2027-03-02"}, False),
        ({"starts_to": "2027-03-01"}, True),
        ({"starts_to": "2027-02-28"}, False),
    ],
)
def test_codes_organisations_and_the_first_day(asked, fit):
    assert fits(asked) is fit


def test_the_lists_of_codes_are_those_of_the_places_and_the_contracts():
    assert set(get_args(ProvinceCode)) == set(PROVINCES)
    assert set(get_args(Sector)) == set(SECTORS)


WORDS = st.lists(st.sampled_from(["hout", "houten", "bouw", "bouwen", "nurse", "nursing", "in"]), min_size=1, max_size=5)


@given(text=st.lists(WORDS, min_size=1, max_size=4), words=st.lists(WORDS, min_size=1, max_size=3))
def test_numbers_and_words_at_hand_find_the_same(text, words):
    asked = " ".join(f'"{" ".join(phrase)}"' for phrase in words)
    spoken = ". ".join(" ".join(sentence) for sentence in text)
    for name in ("words", "any_words"):
        fits({name: asked}, description=spoken)


def test_a_search_from_before_there_was_a_form_says_what_its_numbers_say_and_nothing_by_its_words():
    old = {
        "words": [],
        "skills": [],
        "near": [52.0907, 5.1214],
        "radius_km": 25,
        "eqf": 4,
        "hours": [24, 80],
        "contract_types": [],
    }
    said = offered(facts(VACANCY), hashed=HASHED)
    assert matches(wanted(old), said)
    assert not matches(wanted(old | {"hours": [41, 80]}), said)
    assert not matches(wanted(old | {"words": ["dGVzdA"]}), said)


def test_a_vacancy_from_before_there_were_stems_is_compared_by_what_it_said():
    old = {
        "texts": [VACANCY.title, VACANCY.description],
        "skills": ["Auto CAD"],
        "position": [52.155, 5.3875],
        "remote": False,
        "level": "mbo-4",
        "hours": [32, 40],
        "contract_types": ["permanent"],
    }
    kept = facts_of({"facts": old, "shown": {"place": "Amersfoort"}, "organisation": "o"})
    assert set(kept) >= set(facts(VACANCY))
    for asked in ({"words": "calculeert"}, {"place": "Utrecht"}, {"skills": ["auto cad"]}, {"organisations": ["o"]}):
        assert Question.of(Criteria.model_validate(asked)).fits(kept)


def test_a_search_is_described_in_its_owners_words():
    criteria = with_known_place(Criteria(words="Houtbouw", any_words="hal loods", skills=["C++"], place="den haag"))
    assert described(criteria) == "Houtbouw, hal loods, C++, Den Haag"
    assert described(Criteria(levels=["mbo-4"])) is None


@pytest.mark.parametrize(("low", "high", "text"), [(24, 36, "24-36"), (36, 36, "36"), (None, 20, "20"), (None, None, None)])
def test_hours_are_shown_in_figures(low, high, text):
    assert hours_text(low, high) == text


def test_the_last_day_of_a_vacancy_is_still_one():
    today = date(2027, 3, 1)
    assert is_offered(state="open", valid_through=today, today=today)
    assert not is_offered(state="open", valid_through=today.replace(day=1, month=2), today=today)
    assert not is_offered(state="closed", valid_through=None, today=today)
