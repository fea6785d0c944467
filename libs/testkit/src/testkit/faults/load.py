"""The load of one round: candidates, an organisation and newcomers who do what they would do, driven by the round's chance."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import httpx

from testkit.cast import Candidate, Cast
from testkit.faults.candidates import CandidateAtWork
from testkit.faults.client import Client
from testkit.faults.companies import CompanyAtWork
from testkit.faults.fault import seeded
from testkit.faults.leavers import Leaver
from testkit.faults.ledger import Ledger, now
from testkit.faults.newcomers import Newcomer
from testkit.portal import Actor

CANDIDATES = 3
NEWCOMERS = 2
LEAVING = 0.4
"""The part of rounds in which somebody deletes their account: it takes some seconds more until they are gone everywhere."""
TIME_OUT = 15.0
"""More than a service's patience with its database: who waits so long gets an answer, or the service hangs."""


@dataclass
class Load:
    """Who takes part, and what they have done."""

    cast: Cast
    company: CompanyAtWork
    ledger: Ledger
    random: Random
    http: httpx.AsyncClient
    candidates: list[CandidateAtWork] = field(default_factory=list)
    newcomers: list[Newcomer] = field(default_factory=list)
    leavers: list[Leaver] = field(default_factory=list)

    async def begin(self) -> None:
        """Let the candidates come into the bank before anything fails, so that there is something to lose."""
        people = await asyncio.gather(*(self.cast.candidate(number) for number in range(CANDIDATES)))
        self.candidates = [self._at_work(one) for one in people]
        if seeded(self.random.random()).random() < LEAVING:
            self.leavers = [Leaver(self.cast, self.ledger, self.http, self.company.look, self.company.groups)]
        await asyncio.gather(*(one.begin() for one in self.candidates), *(one.begin() for one in self.leavers))

    async def end(self) -> None:
        """Let the candidates leave the bank: what time does to them in later rounds would only be more of the same."""
        await asyncio.gather(*(one.client.send("POST", "profiles/v1/me/deactivation") for one in self.candidates))

    def _at_work(self, one: Candidate) -> CandidateAtWork:
        client = Client(self.http, self.ledger, email=one.email, actor=Actor(self.http, one.actor.token, one.actor.subject))
        return CandidateAtWork(one, client, self.ledger, self.company.look, self.company.groups)

    async def run(self, stop: asyncio.Event, seconds: float) -> None:
        """Go on for so long, and after that, more slowly, until `stop` is set."""
        self.newcomers = [Newcomer(self.cast, self.ledger, self.http) for _ in range(NEWCOMERS)]
        end = now() + seconds
        people = [self._repeat(self._candidates_step(one), stop, end) for one in self.candidates]
        others = [self._repeat(self._company_step(), stop, end), *(one.arrive() for one in self.newcomers)]
        others += [one.leave(seeded(self.random.random())) for one in self.leavers]
        await asyncio.gather(*people, *others)

    async def _repeat(self, step: Callable[[Random], Awaitable[None]], stop: asyncio.Event, end: float) -> None:
        random = seeded(self.random.random())  # one for each: how quickly others are answered changes nothing
        while now() < end or not stop.is_set():
            await step(random)
            await asyncio.sleep(random.uniform(0, 0.25) if now() < end else random.uniform(0.3, 1))

    def _candidates_step(self, one: CandidateAtWork) -> Callable[[Random], Awaitable[None]]:
        """Return a step that draws one of the things that a candidate may do, some of them more often."""

        async def toggle(random: Random) -> None:
            await one.choose(shown=random.random() < 0.5)

        async def speak(random: Random) -> None:
            await one.speak(random.choice(("nl", "en")))

        async def leave_and_return(random: Random) -> None:
            await (one.stop() if random.random() < 0.5 else one.start())

        async def consent_or_not(random: Random) -> None:
            await (one.withdraw() if random.random() < 0.4 else one.consent())

        async def hide_or_not(random: Random) -> None:
            await (one.anonymise() if random.random() < 0.5 else one.undo())

        ways = [
            *[_any(one.change_profile)] * 4,
            *[_any(one.be_seen)] * 3,
            *[leave_and_return, consent_or_not, hide_or_not] * 2,
            *[toggle, speak, _any(one.save_search), _any(one.come_and_go)],
        ]
        return lambda random: random.choice(ways)(random)

    def _company_step(self) -> Callable[[Random], Awaitable[None]]:
        ways = [_any(self.company.publish), self.company.close, _any(self.company.search)]
        return lambda random: random.choice(ways)(random)


def _any(step: Callable[[], Awaitable[None]]) -> Callable[[Random], Awaitable[None]]:
    return lambda _random: step()
