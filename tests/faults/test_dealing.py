"""A seed and a number give the same faults again; ten rounds meet every kind, and many meet every fault."""

from testkit.faults.dealing import deal
from testkit.faults.fault import Fault
from testkit.faults.faults import KINDS
from testkit.faults.process import POINTS
from testkit.faults.site import Site


async def strike(_site: Site, _random: object) -> str:
    return "nothing"


MANY = {
    "light": tuple(Fault(f"light-{number}", strike) for number in range(9)),
    "heavy": tuple(Fault(f"heavy-{number}", strike, heavy=True) for number in range(3)),
    "other": (Fault("other", strike),),
    "away": (Fault("away", strike, heavy=True),),
}


def names(seed: str, number: int) -> list[str]:
    return [fault.name for fault in deal(MANY, seed, number)]


def test_a_seed_and_a_number_repeat_a_round() -> None:
    assert names("a", 7) == names("a", 7)
    assert [names("a", number) for number in range(1, 9)] != [names("b", number) for number in range(1, 9)]


def test_a_few_rounds_meet_every_kind_and_many_every_fault() -> None:
    kinds = {name.split("-")[0] for number in range(1, 11) for name in names("a", number)}
    every = {name for number in range(1, 61) for name in names("a", number)}
    assert kinds == set(MANY)
    assert every == {fault.name for faults in MANY.values() for fault in faults}


def test_no_round_has_two_heavy_faults() -> None:
    assert max(sum(fault.heavy for fault in deal(MANY, "a", number)) for number in range(1, 100)) == 1


def test_faults_have_names_of_their_own() -> None:
    every = [fault.name for faults in KINDS.values() for fault in faults]
    assert len(set(every)) == len(every)
    assert all(any(point in name for name in every) for point in POINTS)
