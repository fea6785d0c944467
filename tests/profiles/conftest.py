"""The profiles service on a real MongoDB, as its composition root builds it; a clock to turn; what the other services say."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from chassis.ids import new_id, random_bytes
from chassis.mongo import Mongo
from contracts.consent.decision import DecisionEvent
from contracts.envelope import Event
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.notifications.delivery import DeliveryEvent
from nacl.public import PrivateKey, SealedBox
from profiles import app
from profiles.lifecycle.jobs import sweep
from profiles.settings import ProfilesSettings
from pymongo import MongoClient
from testkit.deliveries import arrive, saying, tombstone
from testkit.keys import Signer, folder_of_keys, sealing_key
from testkit.parts import fresh_name
from testkit.running import serving

PREFIX = "/api/profiles/v1"


class Candidate:
    """One person's way to the API."""

    def __init__(self, world: "World", subject: str, role: str = "candidate", **claims: Any) -> None:
        self.subject, self._world, self._role, self._claims = subject, world, role, claims

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request as this person."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {**self._world.signer.headers(self.subject, self._role, **self._claims), **headers}
        return await self._world.client.request(method, PREFIX + path, json=body, headers=headers)

    async def get(self, path: str) -> Any:
        """Return what a GET shows."""
        answer = await self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tell(self, profile: Any) -> httpx.Response:
        """Replace the profile at its present version."""
        etag = (await self.send("GET", "/me/profile")).headers["ETag"]
        return await self.send("PUT", "/me/profile", profile, If_Match=etag)

    async def show(self, **fields: str) -> httpx.Response:
        """Choose what is shown; `identity__place="shown"`."""
        etag = (await self.send("GET", "/me/visibility")).headers["ETag"]
        chosen = {path.replace("__", "."): choice for path, choice in fields.items()}
        return await self.send("PUT", "/me/visibility", {"fields": chosen}, If_Match=etag)

    async def activate(self) -> httpx.Response:
        """Activate, with the word about the age."""
        return await self.send("POST", "/me/activation", {"sixteen_or_older": True})


class World:
    """The service, and what the others say to it."""

    def __init__(self, settings: ProfilesSettings, clock_file: Path) -> None:
        self.settings, self._clock_file = settings, clock_file
        self.made = app.parts(settings)
        self.clock = self.made.clock
        self.worker = app.build_worker(settings, made=self.made, group=fresh_name("profiles"))
        self.signer = Signer(settings.public_url)
        self.client: httpx.AsyncClient
        self._sealing: dict[str, PrivateKey] = {}
        self._sequences: dict[tuple[str, str], int] = {}

    def turn(self, days: int) -> None:
        """Turn the domain's time forward."""
        self._clock_file.write_text(str(int(self.clock.offset().total_seconds()) + days * 86_400))

    @property
    def today(self) -> date:
        """The domain's day."""
        return self.clock.today()

    def candidate(self, role: str = "candidate") -> Candidate:
        """Return somebody new."""
        return Candidate(self, new_id(), role)

    def member(self, org: str, role: str = "recruiter", *, subject: str = "", bank: bool = True, **claims: Any) -> Candidate:
        """Return somebody of an organisation, as a token of identity names them."""
        return Candidate(self, subject or new_id(), role, org=org, bank=bank, **claims)

    async def organisation(self, *members: Candidate, org: str, name: str = "Waterlinie Werk", **more: Any) -> None:
        """Let identity say what an organisation is, and that these people act for it as recruiters."""
        roles = ("recruiter",)
        facts = {"state": "active", "bank_access": True, **more}
        listed = [{"account": one.subject, "roles": roles} for one in members]
        await self.hear(OrganisationEvent(organisation=org, name=name, members=listed, **facts))

    async def fresh(self, ago: timedelta = timedelta()) -> None:
        """Let the worker have seen so long ago that all consents have arrived."""
        at = {str(number): self.clock.machine() - ago for number in range(DecisionEvent.topic.partitions)}
        await self.made.mongo.database["freshness"].replace_one({}, {"_id": DecisionEvent.topic.name, "at": at}, upsert=True)

    async def hear(self, event: Event, *, sequence: int | None = None) -> None:
        """Let the service's consumer apply an event, as it would arrive; without a sequence it is the aggregate's next one."""
        await arrive(self.worker.consumer, [[saying(event, self._number(type(event), event.key, sequence))]])

    async def hear_tombstone(self, kind: type[Event], key: str) -> None:
        """Let the service's consumer apply the word that an aggregate is gone."""
        await arrive(self.worker.consumer, [[tombstone(kind, key, self._number(kind, key))]])

    def _number(self, kind: type[Event], key: str, sequence: int | None = None) -> int:
        known = self._sequences.get((kind.topic.name, key), 0)
        sequence = known + 1 if sequence is None else sequence
        self._sequences[kind.topic.name, key] = max(known, sequence)
        return sequence

    async def consent(
        self,
        subject: str,
        state: str = "consented",
        *,
        purpose: str = "candidate-search",
        controller: str = "portal",
        **more: Any,
    ) -> None:
        """Let the consent service say where a person stands towards a purpose, the bank by default."""
        await self.hear(self.decision(subject, state, purpose, controller), **more)

    def decision(self, subject: str, state: str, purpose: str = "candidate-search", controller: str = "portal") -> DecisionEvent:
        """Return a decision of today as consent tells it."""
        values = {"subject": subject, "state": state, "purpose": purpose, "controller": controller, "decided_on": self.today}
        return DecisionEvent.model_validate({**values, "statement_version": "2026-01", "language": "nl"})

    async def account(self, subject: str, state: str = "confirmed", language: str = "nl", **more: Any) -> None:
        """Let identity say what an account's state is."""
        roles = ("candidate",)
        event = AccountEvent(account=subject, state=state, language=language, roles=roles, confirmed_on=self.today)
        await self.hear(event, **more)

    async def deliver(self, cause: str, outcome: str = "accepted", **more: Any) -> None:
        """Let notifications say what became of a mail."""
        await self.hear(DeliveryEvent(cause=cause, asker="profiles", outcome=outcome, on=self.today), **more)

    async def announce_sealing_key(self) -> None:
        """Let notifications announce a key for this week."""
        private = PrivateKey.generate()
        event = sealing_key(private, self.today)
        self._sealing[event.key_id] = private
        await self.hear(event)

    async def sweep(self) -> int:
        """Let time do what is due."""
        return await sweep(self.made.mongo, self.made.lifecycles)

    async def events(self, stream: str, key: str = "") -> list[dict[str, Any]]:
        """Return what stands in the outbox of a stream, in order, about one key or whose key contains it."""
        rows = await self.made.mongo.find("outbox", {"topic": f"profiles.{stream}.v1"}, sort=[("sequence", 1), ("time", 1)])
        return [json.loads(row["body"]) for row in rows if key in row["key"]]

    async def mails(self, subject: str) -> list[dict[str, Any]]:
        """Return the mails asked for this person, with the secret of their link."""
        found = await self.events("mail-request", subject)
        return [{**mail, "secret": self.secret(mail) if mail["sealed"] else None} for mail in found]

    def secret(self, mail: dict[str, Any]) -> str:
        """Open what is sealed into a mail, as notifications does."""
        opener = SealedBox(self._sealing[mail["sealed"]["key_id"]])
        secret: str = json.loads(opener.decrypt(base64.b64decode(mail["sealed"]["box"])))["secret"]
        return secret

    async def a_year_passed(self, candidate: Candidate) -> dict[str, Any]:
        """Turn to the day after the visible year, sweep, and return the mail that asks."""
        self.turn(366 if (date(self.today.year + 1, 3, 1) - self.today).days < 0 else 367)
        await self.announce_sealing_key()
        assert await self.sweep() >= 1
        return (await self.mails(candidate.subject))[-1]


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """The file that turns the clock."""
    file = tmp_path / "clock"
    file.write_text("0")
    return file


@pytest.fixture(scope="module")
def database(mongo_url: str) -> Iterator[str]:
    """A database of this module's own: making indexes for every test would cost more than the tests."""
    name = fresh_name("t")
    yield name
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(name)
        client.drop_database(f"{name}_keyring")


@pytest.fixture
def settings(mongo_url: str, database: str, clock_file: Path) -> ProfilesSettings:
    """Settings of the service in this module's databases."""
    return ProfilesSettings(
        production=False,
        clock_file=clock_file,
        mongo_url=mongo_url,
        keyring_url=mongo_url,
        mongo_database=database,
        keyring_database=f"{database}_keyring",
        master_keys=folder_of_keys(clock_file.parent),
        hash_key=base64.b64encode(random_bytes(32)).decode(),
        kafka_session=timedelta(seconds=6),
    )


@pytest.fixture
async def world(settings: ProfilesSettings, clock_file: Path) -> AsyncIterator[World]:
    """The service with its API, knowing identity's and notifications' keys, and nobody from another test."""
    made = World(settings, clock_file)
    await made.made.mongo.ensure_indexes(*app.INDEXES)
    await forget_everybody(made.made.mongo, made.made.keyring.mongo)  # its keys lie under the former test's master key
    await made.hear(made.signer.announcement())
    await made.announce_sealing_key()
    async with serving(app.build_api(settings, made=made.made)) as made.client:
        yield made
    await made.made.close()


async def forget_everybody(*databases: Mongo) -> None:
    """Empty every collection."""
    for mongo in databases:
        for name in await mongo.database.list_collection_names():
            await mongo.database[name].delete_many({})
