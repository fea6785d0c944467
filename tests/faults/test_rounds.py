"""Ten rounds of faults on the real parts; `make faults` plays as many as one likes."""

from collections.abc import Iterator

import pytest
from testkit.faults.dealing import deal
from testkit.faults.fault import Fault
from testkit.faults.faults import KINDS
from testkit.faults.rounds import Rounds
from testkit.faults.site import Site

ROUNDS, SEED = 10, "short-67"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.leave()


def dealt() -> dict[int, list[Fault]]:
    return {number: deal(KINDS, SEED, number) for number in range(1, ROUNDS + 1)}


def test_ten_rounds_meet_every_kind() -> None:
    struck = {fault.name for faults in dealt().values() for fault in faults}
    assert [kind for kind, faults in KINDS.items() if not struck & {fault.name for fault in faults}] == []


@pytest.mark.e2e
@pytest.mark.timeout(900)  # the stack may have to start, and a machine that does much else is slow
async def test_nothing_is_lost_and_nothing_comes_twice(site: Site) -> None:
    async with Rounds.at(site, SEED) as rounds:
        results = [await rounds.play(number, faults) for number, faults in dealt().items()]
    found = [f"round {one.round} ({'; '.join(one.struck)}): {finding}" for one in results for finding in one.findings]
    assert not found, "\n".join(found)
    assert sum(one.acknowledged for one in results) > 20 * ROUNDS
