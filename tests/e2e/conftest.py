"""The cast that all end-to-end tests share: one portal, two organisations, an operator, and candidates as they are needed.

All tests of this folder run in one event loop, so that they can share connections. Domain time only goes forward: the modules
that turn it, and the scan of what is left on disk, come last.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from testkit.cast import Candidate, Cast, Organisation
from testkit.logbook import Logbook
from testkit.portal import Actor, Portal
from testkit.stack import Stack

LAST = ("test_turned_clock", "test_r31_whole", "test_residue")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for this folder's tests, and the ones that turn the clock at their end."""
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    for item in mine:
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        item.add_marker(pytest.mark.timeout(120, func_only=True))  # starting the stack has time limits of its own
    mine.sort(key=lambda item: LAST.index(item.path.stem) if item.path.stem in LAST else -1)
    items[:] = [item for item in items if not item.path.is_relative_to(HERE)] + mine


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def portal(stack: Stack) -> AsyncIterator[Portal]:
    """The gateway and the mail catcher, without the mails of earlier runs."""
    async with httpx.AsyncClient(base_url=stack.mails, trust_env=False) as catcher:
        await catcher.delete("/email/all")
    async with Portal(stack.gateway, stack.mails) as made:
        yield made


@pytest.fixture(scope="session")
def cast(stack: Stack, portal: Portal) -> Cast:
    """Makes people and organisations."""
    return Cast(stack, portal)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def operator(cast: Cast) -> Actor:
    """Who runs the portal."""
    return await cast.operator()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def organisation(cast: Cast, operator: Actor) -> Organisation:
    """An organisation with access to the bank."""
    return await cast.organisation(operator, "Waterlinie Werk", bank=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def outsider(cast: Cast, operator: Actor) -> Organisation:
    """An organisation without access to the bank."""
    return await cast.organisation(operator, "Zonder Toegang", bank=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def candidate(cast: Cast) -> Candidate:
    """A candidate in the bank, for tests that change nothing about them."""
    return await cast.active()


@pytest.fixture(scope="session")
def logbook(stack: Stack) -> Logbook:
    """What the processes write from now on."""
    return Logbook(stack.instance)


@pytest.fixture(autouse=True)
def lines(cast: Cast, logbook: Logbook) -> Iterator[None]:
    """No process writes anything personal, whatever a test sends: everything personal carries the run's mark."""
    yield
    told = [line for line in logbook.new_lines() if cast.mark in line.lower() or cast.phones in line or cast.postal_code in line]
    assert not told, f"personal details in the log: {told[:3]}"
