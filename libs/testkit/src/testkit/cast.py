"""The cast of a test run: organisations with their people and systems, and as many fresh candidates as a test wants.

Everything personal that the cast says carries the run's mark, in every word of it. So one search for the mark finds any of it,
wherever it went and however it was cut; who sends something personal of their own puts it through `Cast.marked`.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
from chassis.ids import new_handle, random_bytes

from testkit.portal import PASSWORD, Actor, Portal, activate, admitted, consent, fill_in, in_bank, ok, show
from testkit.samples import Person, people
from testkit.stack import Stack

SHOWN = (
    "identity.given_name",
    "identity.family_name",
    "contact.telephone",
    "career.headline",
    "career.summary",
    "career.experience",
    "career.education",
    "career.skills",
    "career.languages",
    "wishes.titles",
    "wishes.place",
    "wishes.hours_from",
    "wishes.hours_to",
)
_BODY: dict[str, Any] = {
    "street": "Fortwachterslaan 10",
    "postal_code": "3584 ZA",
    "place": "Utrecht",
    "data_use": {"nl": "Wij zoeken mensen voor onze vacatures.", "en": "We look for people for our vacancies."},
    "privacy_contact": "privacy@organisatie.example",
}


@dataclass
class Candidate:
    """A candidate who is signed in."""

    actor: Actor
    email: str
    person: Person

    async def handle(self) -> str:
        """Return the handle by which recruiters know the profile now."""
        return str(ok(await self.actor.get("profiles/v1/me/profile/as-recruiter")).json()["handle"])


@dataclass
class Organisation:
    """An organisation with one person in each role and a system that may publish vacancies."""

    id: str
    name: str
    recruiter: Actor
    recruiter_email: str
    system: Actor


@dataclass
class Cast:
    """Who takes part in this run."""

    stack: Stack
    portal: Portal
    mark: str = field(default_factory=lambda: f"q{new_handle()[:9]}")
    made: int = 0

    @property
    def today(self) -> date:
        """Return the domain's date in this instance."""
        return self.stack.clock.today()

    @property
    def phones(self) -> str:
        """Return how all telephone numbers of this run begin."""
        return f"+3185{int(self.mark.encode().hex(), 16) % 10_000:04d}"

    @property
    def postal_code(self) -> str:
        """Return the postal code of everybody in this run."""
        number, letters = int(self.mark.encode().hex(), 16), "BCDGHKLNPRSTVWXZ"
        return f"{1000 + number % 8999} {letters[number % 16]}{letters[number // 16 % 16]}"

    def marked(self, text: str) -> str:
        """Return a text of which every word carries the mark."""
        return " ".join(f"{word}{self.mark}" for word in text.split())

    def email(self, name: str) -> str:
        """Return a fresh address."""
        self.made += 1
        return f"{name}.{self.mark}.{self.made}@post.example"

    def person(self, like: int = 0) -> Person:
        """Return somebody new, whose profile is like that of one of the sample people."""
        model = people()[like]
        email = self.email(model.key.split("-")[0])
        profile = deepcopy(model.profile)
        identity, career = profile["identity"], profile["career"]
        identity["given_name"] = self.marked(identity["given_name"]) + "ë"
        identity["family_name"] = self.marked(identity["family_name"])
        identity["address"] |= {"street": self.marked(identity["address"]["street"]), "postal_code": self.postal_code}
        profile["contact"]["telephone"] = f"{self.phones}{self.made:03d}"
        career["headline"] += f" {self.mark}"
        career["summary"] += f" {self.mark}"
        for job in career["experience"]:
            job["employer"] = self.marked(job["employer"])
        return Person(model.key, email, "nl", profile)

    @asynccontextmanager
    async def elsewhere(self) -> AsyncIterator[Actor]:
        """A visitor with a network address of their own, for tries that fail: those are counted by address, from run to run."""
        one, two, three = random_bytes(3)
        transport = httpx.AsyncHTTPTransport(local_address=f"127.{one or 1}.{two}.{three % 254 + 1}")
        async with httpx.AsyncClient(base_url=self.stack.gateway, transport=transport, timeout=30) as client:
            yield Actor(client)

    async def candidate(self, like: int = 0, *, email: str | None = None) -> Candidate:
        """Let somebody new register, confirm and sign in, with a fresh address when none is named."""
        person = self.person(like)
        email = email or person.email
        return Candidate(await self.portal.join(person, email), email, person)

    async def draft(self, like: int = 0, *, email: str | None = None) -> Candidate:
        """Let somebody new fill in a profile too."""
        made = await self.candidate(like, email=email)
        await fill_in(made.actor, made.person.profile)
        return made

    async def active(self, like: int = 0, *, shown: tuple[str, ...] = SHOWN, email: str | None = None) -> Candidate:
        """Let somebody new come into the bank."""
        made = await self.draft(like, email=email)
        await show(made.actor, *shown, **{"identity.place": "shown"})
        await consent(made.actor)
        await activate(made.actor)
        await in_bank(made.actor)
        return made

    async def operator(self) -> Actor:
        """Make an operator on the command line and sign them in."""
        email = self.email("beheer")
        await asyncio.to_thread(self._create_operator, email)
        return await self.portal.sign_in(email)

    def _create_operator(self, email: str) -> None:
        command = [sys.executable, "-m", "identity", "create-operator", "--email", email]
        environment = self.stack.process_environment("identity")
        subprocess.run(command, input=f"{PASSWORD}\n", text=True, env=environment, check=True, capture_output=True)  # noqa: S603 - our own interpreter

    async def organisation(self, operator: Actor, name: str, *, bank: bool) -> Organisation:
        """Let the operator make an organisation, with a recruiter and a system."""
        body = {**_BODY, "name": name, "bank_access": bank}
        made = ok(await operator.post("identity/v1/organisations", body)).json()["id"]
        email = self.email("recruiter")
        recruiter = await self.portal.join_organisation(operator, made, email, role="recruiter")
        wanted = {"name": "Vacaturesysteem", "scopes": ["vacancies:write"]}
        client = ok(await operator.post(f"identity/v1/organisations/{made}/clients", wanted)).json()
        system = await self.portal.system(client["id"], client["secret"], scope="vacancies:write")
        return Organisation(made, name, await admitted(recruiter) if bank else recruiter, email, system)
