"""Why a vacancy fits, as the mail says it: one reason for each condition, from the person's own words and the vacancy's."""

from dataclasses import fields
from datetime import date

import pytest
from contracts.profiles.vacancy import SAMPLES, Workplace
from notifications.alerts.model import facts
from notifications.criteria import Criteria
from notifications.matching.model import Wanted
from notifications.reasons import _TOLD, reasons
from notifications.searches.model import Question

ZWOLLE = Workplace(name="Zwolle", province="NL-OV", latitude=52.5125, longitude=6.09444)
VACANCY = SAMPLES[0].model_copy(
    update={
        "place": Workplace(name="Ede", province="NL-GE", latitude=52.03333, longitude=5.65833),
        "also_at": (ZWOLLE,),
        "hours_min": 32,
        "hours_max": 32,
        "starts_on": date(2027, 5, 1),
    }
)
"""Werkvoorbereider houtbouw; AutoCAD, calculeren; mbo-4; 3200-4100 euros; permanent; construction."""


def told(asked: dict, **changes) -> list[tuple[str, str]]:
    question, kept = Question.of(Criteria.model_validate(asked)), facts(VACANCY.model_copy(update=changes))
    assert question.fits(kept)
    return [(reason.nl, reason.en) for reason in reasons(question, kept)]


@pytest.mark.parametrize(
    ("asked", "nl", "en"),
    [
        ({"words": 'Houtbouw "tot oplevering"'}, "noemt Houtbouw, tot oplevering", "mentions Houtbouw, tot oplevering"),
        ({"any_words": "staal bestekken"}, "noemt bestekken", "mentions bestekken"),
        ({"skills": ["Revit", "autocad"]}, "vraagt autocad", "asks for autocad"),
        ({"place": "Kampen", "radius_km": 30}, "Zwolle ligt 13 km van Kampen (binnen 30 km)",
         "Zwolle is 13 km from Kampen (within 30 km)"),
        ({"place": "Zwolle"}, "in Zwolle", "in Zwolle"),
        ({"provinces": ["NL-OV", "NL-DR"]}, "in Overijssel", "in Overijssel"),
        ({"hours_from": 24, "hours_to": 36}, "32 uur binnen 24-36", "32 hours within 24-36"),
        ({"hours_from": 24}, "32 uur, gevraagd: vanaf 24", "32 hours, asked for: from 24"),
        ({"salary_to": 3500}, "3.200-4.100 euro per maand, gevraagd: tot 3.500",
         "3,200-4,100 euros a month, asked for: up to 3,500"),
        ({"salary_from": 18, "salary_to": 24, "salary_per": "hour"}, "18,46-23,65 euro per uur binnen 18,00-24,00",
         "18.46-23.65 euros an hour within 18.00-24.00"),
        ({"levels": ["havo"]}, "opleidingsniveau mbo-4", "level of education mbo-4"),
        ({"contract_types": ["agency", "permanent"]}, "vast contract", "permanent contract"),
        ({"workplaces": ["on-site"]}, "op locatie", "on site"),
        ({"sectors": ["construction"]}, "Bouwnijverheid", "Construction"),
        ({"organisations": [VACANCY.organisation]}, "bij een organisatie van je keuze", "at an organisation of your choice"),
        ({"starts_to": "2027-06-01"}, "begint op 1 mei 2027", "begins on 1 May 2027"),
    ],
)  # fmt: skip
def test_a_condition_and_how_it_is_met(asked, nl, en):
    assert told(asked) == [(nl, en)]


@pytest.mark.parametrize(
    ("asked", "changes", "nl"),
    [
        ({"place": "Kampen"}, {"remote": True}, "kan overal vandaan gedaan worden"),
        ({"provinces": ["NL-ZE"]}, {"place": None, "also_at": ()}, "kan overal vandaan gedaan worden"),
        ({"salary_from": 9000}, {"salary_min": None, "salary_max": None}, "noemt geen salaris"),
        ({"salary_from": 3000}, {"salary_max": None}, "vanaf 3.200 euro per maand, gevraagd: vanaf 3.000"),
        ({"levels": ["phd"]}, {"level": None}, "vraagt geen opleidingsniveau"),
        ({"starts_from": "2028-01-01"}, {"starts_on": None}, "noemt geen begindatum"),
        ({"hours_from": 24, "hours_to": 36}, {"hours_max": 40}, "32-40 uur, gevraagd: 24-36"),
        ({"hours_to": 20}, {"hours_min": None, "hours_max": 16}, "tot 16 uur, gevraagd: tot 20"),
    ],
)
def test_what_a_vacancy_leaves_open_or_meets_in_part_is_said(asked, changes, nl):
    assert [reason[0] for reason in told(asked, **changes)] == [nl]


def test_every_condition_has_its_words_and_an_exclusion_is_no_reason():
    excluding = {"no_words", "not_organisations", "radius_km"}
    assert set(_TOLD) == {field.name for field in fields(Wanted)} - excluding
    assert len(told({"words": "houtbouw", "hours_from": 8, "no_words": "staal", "not_organisations": ["x"]})) == 2
