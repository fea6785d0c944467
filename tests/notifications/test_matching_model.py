"""When a vacancy fits a saved search."""

import pytest
from notifications.matching.model import Offered, Wanted, matches

UTRECHT, ZWOLLE, BREUKELEN = (52.0908, 5.1222), (52.5125, 6.0944), (52.1742, 5.0014)
VACANCY = Offered(
    words=frozenset({"data", "engineer", "kafka"}),
    skills=frozenset({"python", "sql"}),
    position=UTRECHT,
    eqf=6,
    hours=(24, 36),
    contract_types=frozenset({"permanent"}),
)
SILENT = Offered()


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(words=frozenset({"data", "kafka"})),
        Wanted(skills=frozenset({"python", "cobol"})),
        Wanted(near=BREUKELEN, radius_km=15),
        Wanted(eqf=6),
        Wanted(hours=(36, 40)),
        Wanted(hours=(8, 24)),
        Wanted(contract_types=frozenset({"temporary", "permanent"})),
    ],
)
def test_each_criterion_can_be_met_and_is_not_met_by_a_vacancy_that_is_silent(wanted):
    assert matches(wanted, VACANCY)
    assert not matches(wanted, SILENT)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(words=frozenset({"data", "scala"})),
        Wanted(skills=frozenset({"cobol"})),
        Wanted(near=BREUKELEN, radius_km=5),
        Wanted(near=ZWOLLE, radius_km=50),
        Wanted(eqf=7),
        Wanted(hours=(37, 40)),
        Wanted(hours=(8, 23)),
        Wanted(contract_types=frozenset({"temporary"})),
        Wanted(words=frozenset({"data"}), eqf=4),
    ],
)
def test_one_criterion_that_is_not_met_is_enough_to_hear_nothing(wanted):
    assert not matches(wanted, VACANCY)


def test_work_that_can_be_done_from_anywhere_is_near_everybody():
    wanted = Wanted(near=ZWOLLE, radius_km=5)
    assert matches(wanted, Offered(from_anywhere=True))
    assert matches(wanted, Offered(from_anywhere=True, position=UTRECHT))
