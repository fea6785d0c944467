"""When a vacancy fits a saved search, and why."""

from dataclasses import replace

import pytest
from chassis.places import distance_km
from notifications.matching.model import ANY, Offered, Reason, Wanted, matches, why

UTRECHT, ZWOLLE, BREUKELEN = (52.0908, 5.1222), (52.5125, 6.0944), (52.1742, 5.0014)
DATA, ENGINEER, KAFKA, SCALA, PYTHON, SQL, COBOL = range(7)
VACANCY = Offered(
    words=frozenset({DATA, ENGINEER, KAFKA}),
    skills=frozenset({PYTHON, SQL}),
    positions=(UTRECHT,),
    provinces=frozenset({"NL-UT"}),
    workplace="hybrid",
    eqf=6,
    hours=(24, 36),
    salary=(3000, 3500),
    contract_types=frozenset({"permanent"}),
    sectors=frozenset({"J"}),
    organisation="us",
    starts=100,
)
SILENT = Offered()


def some(*values):
    return frozenset(values)


@pytest.mark.parametrize(
    ("wanted", "silent_too"),
    [
        (Wanted(), True),
        (Wanted(all_words=some(DATA, KAFKA)), False),
        (Wanted(any_words=some(SCALA, KAFKA)), False),
        (Wanted(no_words=some(SCALA)), True),
        (Wanted(skills=some(PYTHON, COBOL)), False),
        (Wanted(near=BREUKELEN, radius_km=15), True),
        (Wanted(provinces=some("NL-UT", "NL-FL")), True),
        (Wanted(levels=some(5, 6)), True),
        (Wanted(hours=(36, 40)), False),
        (Wanted(hours=(8, 24)), False),
        (Wanted(hours=ANY), False),
        (Wanted(salary=(3500, 9000)), True),
        (Wanted(contract_types=some("temporary", "permanent")), False),
        (Wanted(workplaces=some("hybrid")), False),
        (Wanted(sectors=some("J", "K")), False),
        (Wanted(organisations=some("us")), False),
        (Wanted(not_organisations=some("them")), True),
        (Wanted(starts=(100, 130)), True),
    ],
)
def test_each_condition_can_be_met_and_has_its_rule_for_a_vacancy_that_is_silent(wanted, silent_too):
    assert matches(wanted, VACANCY)
    assert matches(wanted, SILENT) is silent_too


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(all_words=some(DATA, SCALA)),
        Wanted(any_words=some(SCALA, COBOL)),
        Wanted(no_words=some(SCALA, DATA)),
        Wanted(skills=some(COBOL)),
        Wanted(near=BREUKELEN, radius_km=5),
        Wanted(near=ZWOLLE, radius_km=50),
        Wanted(provinces=some("NL-OV")),
        Wanted(levels=some(7)),
        Wanted(hours=(37, 40)),
        Wanted(hours=(8, 23)),
        Wanted(salary=(3501, 9000)),
        Wanted(contract_types=some("temporary")),
        Wanted(workplaces=some("remote", "on-site")),
        Wanted(sectors=some("K")),
        Wanted(organisations=some("them")),
        Wanted(not_organisations=some("us")),
        Wanted(starts=(101, 130)),
        Wanted(all_words=some(DATA), levels=some(4)),
    ],
)
def test_one_condition_that_is_not_met_is_enough_to_hear_nothing(wanted):
    assert not matches(wanted, VACANCY)


@pytest.mark.parametrize("place", [{"near": ZWOLLE, "radius_km": 5}, {"provinces": some("NL-OV")}])
def test_work_that_can_be_done_from_anywhere_fits_every_place(place):
    assert matches(Wanted(**place), Offered(positions=(UTRECHT,), provinces=some("NL-UT"), workplace="remote"))
    assert matches(Wanted(**place), Offered())


def test_a_vacancy_of_which_only_the_province_is_known_is_near_no_place():
    assert not matches(Wanted(near=UTRECHT, radius_km=500), Offered(provinces=some("NL-UT")))


def test_one_of_several_locations_is_enough():
    assert matches(Wanted(near=ZWOLLE, radius_km=5), replace(VACANCY, positions=(UTRECHT, ZWOLLE)))


def test_the_radius_includes_its_edge():
    edge = distance_km(UTRECHT, BREUKELEN)
    assert matches(Wanted(near=BREUKELEN, radius_km=edge), VACANCY)
    assert not matches(Wanted(near=BREUKELEN, radius_km=edge - 1e-9), VACANCY)
    assert matches(Wanted(near=UTRECHT, radius_km=0), VACANCY)


def test_reasons_say_by_what_each_condition_is_met():
    wanted = Wanted(
        all_words=some(DATA),
        any_words=some(KAFKA, SCALA),
        no_words=some(COBOL),
        skills=some(SQL, COBOL),
        near=ZWOLLE,
        radius_km=20,
        hours=(32, 40),
        salary=(3200, 4000),
        levels=some(5, 6),
        contract_types=some("permanent", "temporary"),
        not_organisations=some("them"),
    )
    offered = replace(VACANCY, positions=(UTRECHT, ZWOLLE))
    assert matches(wanted, offered)
    assert list(why(wanted, offered)) == [
        Reason("all_words", common=some(DATA)),
        Reason("any_words", common=some(KAFKA)),
        Reason("skills", common=some(SQL)),
        Reason("near", position=1, km=0),
        Reason("hours", wanted=(32, 40), offered=(24, 36)),
        Reason("salary", wanted=(3200, 4000), offered=(3000, 3500)),
        Reason("levels", common=some(6)),
        Reason("contract_types", common=some("permanent")),
    ]


def test_what_a_vacancy_leaves_open_is_a_reason_without_figures():
    wanted = Wanted(near=ZWOLLE, radius_km=20, provinces=some("NL-OV"), salary=(3200, 4000), levels=some(6), starts=(1, 2))
    assert list(why(wanted, SILENT)) == [
        Reason("near"),
        Reason("salary", wanted=(3200, 4000)),
        Reason("starts", wanted=(1, 2)),
        Reason("levels"),
        Reason("provinces"),
    ]
