"""Somebody who deletes their account while the portal is failing, and what must be left of them afterwards: nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import httpx

from testkit.cast import Cast
from testkit.faults.candidates import CandidateAtWork
from testkit.faults.client import Client, Reply
from testkit.faults.ledger import Fate, Ledger
from testkit.portal import PASSWORD, Actor

PATH = "identity/v1/me/account/erasure"
LATEST = 3.0
"""Seconds after the load begins in which they ask, so that faults strike while they are being erased."""


@dataclass
class Leaver:
    """One of them. What they did before they left is in a ledger of its own, which nobody checks: nothing of it may stay."""

    cast: Cast
    ledger: Ledger
    http: httpx.AsyncClient
    look: Callable[[str], Awaitable[Reply]]
    groups: tuple[str, ...]
    before: Ledger = field(default_factory=Ledger)
    email: str = ""
    who: str = ""
    handle: str = ""
    client: Client | None = None

    async def begin(self) -> None:
        """Come into the bank, be looked at, and save a search."""
        made = await self.cast.candidate()
        self.email, self.who = made.email, made.actor.subject
        client = Client(self.http, self.before, email=made.email, actor=Actor(self.http, made.actor.token, self.who))
        at_work = CandidateAtWork(made, client, self.before, self.look, self.groups)
        await at_work.begin()
        await at_work.save_search()
        await at_work.be_seen()
        self.handle, self.client = at_work.handle, client

    async def leave(self, random: Random) -> None:
        """Ask to be erased; again when the answer was lost, as whoever sees an error would."""
        await asyncio.sleep(random.uniform(0, LATEST))
        if self.client is None:
            raise RuntimeError("nobody leaves before they have come")
        self.client.email = ""  # a refused token means that the account is closed
        reply = await self.client.send("POST", PATH, json={"password": PASSWORD})
        closed_before = reply.status == httpx.codes.UNAUTHORIZED and reply.tries > 1
        fate = Fate.ACKNOWLEDGED if closed_before else reply.fate
        self.ledger.write((self.email, "erasure"), "asked", fate)
        if fate is Fate.ACKNOWLEDGED:
            self.ledger.gone[self.who] = self.email
