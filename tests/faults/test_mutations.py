"""The suite fails without what it proves: with one mechanism taken away, a play of a few seconds is found out; with all, none is.

It has an instance of its own, because what such a play spoils stays spoilt.
"""

from collections.abc import Iterator

import pytest
from localstack.layout import Instance
from testkit.faults.mutations import MUTATIONS, Directed, Mutation
from testkit.faults.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]  # the stack may have to start


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site(Instance("mutations"))
    yield made
    made.leave()


async def test_with_every_mechanism_in_place_nothing_is_found(site: Site) -> None:
    async with Directed.at(site, "whole") as rounds:
        found = await rounds.directed(*(mutation.play for mutation in MUTATIONS))
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.mechanism)
async def test_without_it_the_suite_fails(site: Site, mutation: Mutation) -> None:
    async with Directed.at(site, mutation.mechanism) as rounds, rounds.without(mutation):
        found = await rounds.directed(mutation.play)
        if mutation.kind not in {finding.kind for finding in found}:  # two processes race: once more
            found += await rounds.directed(mutation.play)
    assert mutation.kind in {finding.kind for finding in found}, "\n".join(map(str, found))
