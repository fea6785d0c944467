"""One round: people work, faults strike, everything comes to rest, and the checker compares. A seed and a number repeat it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from random import Random
from subprocess import CalledProcessError
from typing import TypeVar

import httpx

from testkit.cast import Cast
from testkit.faults.checker import Finding, Kind, check
from testkit.faults.company import Company
from testkit.faults.fault import Fault, seeded
from testkit.faults.followers import following
from testkit.faults.ledger import Ledger, now
from testkit.faults.load import TIME_OUT, Load
from testkit.faults.observing import Observer
from testkit.faults.site import Site
from testkit.portal import Portal

T = TypeVar("T")
LOAD = 6.0
"""Seconds of load; it goes on, more slowly, while a fault still holds."""
FIRST, LAST = 0.3, 3.5
"""When, after the load has begun, faults strike."""
PATIENCE, HEAVY_PATIENCE = 35.0, 60.0
"""How long everything may take to come to rest."""
GROUPS = 3


async def patiently(prepare: Callable[[], Awaitable[T]]) -> T:
    """Prepare something before anything fails. A machine that does much else may need a second try; a third is not given."""
    try:
        return await prepare()
    except (AssertionError, httpx.TransportError, CalledProcessError):
        await asyncio.sleep(3)
        return await prepare()


def told(error: BaseException) -> str:
    """Name an error with its text; of several that came together each."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(told, error.exceptions))
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class Result:
    """What a round came to: one line of the results file."""

    seed: str
    round: int
    seconds: float
    faults: list[str]
    struck: list[str]
    acknowledged: int
    unsure: int
    heavy: bool
    findings: list[str] = field(default_factory=list)


@dataclass
class Rounds:
    """Plays rounds on one site, one after another."""

    site: Site
    portal: Portal
    company: Company
    observer: Observer
    seed: str

    @classmethod
    @asynccontextmanager
    async def at(cls, site: Site, seed: str) -> "AsyncIterator[Rounds]":
        """Bring the site up, with organisations that take part in all rounds."""
        with site.alone():
            await site.prepare()
            async with cls._opened(site, seed) as rounds:
                yield rounds

    @classmethod
    @asynccontextmanager
    async def _opened(cls, site: Site, seed: str) -> "AsyncIterator[Rounds]":
        async with AsyncExitStack() as opened:
            portal = await opened.enter_async_context(Portal(site.stack.gateway, site.stack.mails))
            company = await patiently(lambda: Company.found(Cast(site.stack, portal)))
            organisations = company.organisation.id, company.other
            systems = await opened.enter_async_context(following(site.stack, company.operator, *organisations))
            yield cls(site, portal, company, opened.enter_context(closing(Observer(site, systems))), seed)

    async def play(self, number: int, faults: list[Fault]) -> Result:
        """Play one round."""
        begun, ledger, struck = now(), Ledger(), list[str]()
        try:
            findings = await self._play(seeded(self.seed, number), ledger, faults, struck)
        except Exception as error:  # noqa: BLE001 - a round that could not be played is a finding, and the next one is played
            findings = [Finding(Kind.SEEN, f"the round ended with {told(error)}"[:500])]
        return Result(
            seed=self.seed,
            round=number,
            seconds=round(now() - begun, 1),
            faults=[fault.name for fault in faults],
            struck=struck,
            acknowledged=ledger.acknowledged,
            unsure=ledger.unsure,
            heavy=any(fault.heavy for fault in faults),
            findings=[str(finding) for finding in findings],
        )

    async def _play(self, random: Random, ledger: Ledger, faults: list[Fault], struck: list[str]) -> list[Finding]:
        self.site.poisoned.clear()
        self.site.away.clear()
        if await self.observer.unready():  # as the round before left it
            await self.site.restore()
        await self.observer.begin(ledger)
        async with httpx.AsyncClient(base_url=self.site.stack.gateway, trust_env=False, timeout=TIME_OUT) as http:
            load = await patiently(lambda: self._load(http, ledger, random))
            struck += await self._strike(load, faults, random)
            findings = await self._judge(load, faults)
            await load.end()
            return findings

    async def _load(self, http: httpx.AsyncClient, ledger: Ledger, random: Random) -> Load:
        await self.portal.mailbox.clear()
        cast = Cast(self.site.stack, self.portal)
        groups = tuple(f"{cast.mark}{letter}" for letter in "abc"[:GROUPS])
        company = await self.company.at_work(http, ledger, cast.mark, groups)
        load = Load(cast, company, ledger, random, http)
        await load.begin()
        return load

    async def _strike(self, load: Load, faults: list[Fault], random: Random) -> list[str]:
        """Let the faults strike, each at its moment, while the load runs; returns what each of them did."""
        over = asyncio.Event()
        moments = [(fault, random.uniform(FIRST, LAST), seeded(self.seed, fault.name, random.random())) for fault in faults]
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self.observer.watch_outboxes())
            running = group.create_task(load.run(over, LOAD))
            struck = await asyncio.gather(*(self._one(*moment) for moment in moments))
            over.set()
            await running
            watching.cancel()
        return list(struck)

    async def _one(self, fault: Fault, wait: float, random: Random) -> str:
        await asyncio.sleep(wait)
        return await fault.strike(self.site, random)

    async def _judge(self, load: Load, faults: list[Fault]) -> list[Finding]:
        patience = HEAVY_PATIENCE if any(fault.heavy for fault in faults) else PATIENCE
        at_rest = await self.observer.quiet(patience)
        excuses = frozenset[str]().union(*(fault.excuses for fault in faults))
        found = check(await self.observer.look(load), load.ledger, excuses)
        return found if found or at_rest else [Finding(Kind.UNDONE, f"not at rest after {patience:.0f} s")]
