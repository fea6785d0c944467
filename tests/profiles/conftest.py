"""The profiles service on a real MongoDB, as its composition root builds it; a clock to turn; what the other services say."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from aiokafka import ConsumerRecord
from chassis import inbox
from chassis.clock import Clock
from chassis.ids import new_id, random_bytes
from chassis.mongo import Mongo
from chassis.tokens import Caller, encode
from contracts.consent.decision import DecisionEvent
from contracts.envelope import Event
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.public import PrivateKey, SealedBox
from profiles import app
from profiles.lifecycle.jobs import sweep
from profiles.settings import ProfilesSettings
from pymongo import MongoClient
from testkit.parts import fresh_name

SIGNER = Ed25519PrivateKey.generate()
PREFIX = "/api/profiles/v1"


class Candidate:
    """One person's way to the API."""

    def __init__(self, world: "World", subject: str, role: str = "candidate", **claims: Any) -> None:
        self.subject, self._world, self._role, self._claims = subject, world, role, claims

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request as this person."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Authorization", f"Bearer {token(self.subject, self._role, **self._claims)}")
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
        self.clock = Clock(clock_file)
        self.made = app.parts(settings, clock=self.clock)
        self.worker = app.build_worker(settings, made=self.made, group=fresh_name("profiles"))
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

    async def hear(self, event: Event | None, *, sequence: int | None = None, topic: Any = None, key: str = "") -> None:
        """Let the service's consumer apply an event, as it would arrive; without a sequence it is the aggregate's next one."""
        topic, key = (event.topic, event.key) if event else (topic, key)
        known = self._sequences.get((topic.name, key), 0)
        sequence = known + 1 if sequence is None else sequence
        self._sequences[topic.name, key] = max(known, sequence)
        types = {(one.topic.name, one.topic.event_type): one for one in self.worker.consumer.subscriptions}
        item = inbox.decode(record_of(topic, key, event, sequence), types)
        assert isinstance(item, inbox.Incoming), item
        await self.worker.consumer.apply([item])

    def record(self, event: Event, sequence: int) -> "ConsumerRecord[bytes, bytes]":
        """Return an event as Kafka would give it."""
        return record_of(event.topic, event.key, event, sequence)

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
        private, key_id = PrivateKey.generate(), new_id()
        self._sealing[key_id] = private
        event = NotificationsSealingKeyEvent(
            key_id=key_id,
            public_key=base64.b64encode(bytes(private.public_key)).decode(),
            first_day=self.today,
            used_until=self.today + timedelta(days=6),
            destroyed_on=self.today + timedelta(days=14),
        )
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


def record_of(topic: Any, key: str, event: Event | None, sequence: int) -> "ConsumerRecord[bytes, bytes]":
    """Return an event as Kafka would give it."""
    value = event.model_dump_json().encode() if event else None
    headers = {
        "ce_specversion": "1.0",
        "ce_id": new_id(),
        "ce_source": topic.source,
        "ce_type": topic.event_type,
        "ce_subject": key,
        "ce_time": Clock().machine().isoformat(),
        "ce_sequence": str(sequence),
    }
    sent = tuple((name, text.encode()) for name, text in headers.items())
    return ConsumerRecord(topic.name, 0, 0, 0, 0, key.encode(), value, None, len(key), len(value or b""), sent)


def token(subject: str, role: str = "candidate", **more: Any) -> str:
    """Return an access token as identity signs it."""
    now = Clock().machine()
    caller = Caller(subject=subject, role=role, session=new_id(), **more)
    issuer = "http://127.0.0.1:8000"
    return encode(caller, kid="k1", key=SIGNER, issuer=issuer, token_id=new_id(), issued=now, expires=now + timedelta(minutes=10))


def signing_key() -> SigningKeyEvent:
    """Return the announcement of the key that signs the tests' tokens."""
    x = jwt.algorithms.OKPAlgorithm.to_jwk(SIGNER.public_key(), as_dict=True)["x"]
    now = Clock().machine()
    return SigningKeyEvent(kid="k1", x=x, not_before=now - timedelta(days=1), not_after=now + timedelta(days=30))


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[None]:
    """Serve the API in this process; its lifespan must begin and end in one task, which a fixture's two halves are not."""
    api, started, stop = app.build_api(world.settings, made=world.made), asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with api.lifespan():
            started.set()
            await stop.wait()

    living = asyncio.create_task(live())
    await started.wait()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://api") as world.client:
        yield
    stop.set()
    await living


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
    secret = base64.b64encode(random_bytes(32)).decode()
    return ProfilesSettings(
        production=False,
        clock_file=clock_file,
        mongo_url=mongo_url,
        keyring_url=mongo_url,
        mongo_database=database,
        keyring_database=f"{database}_keyring",
        master_key=secret,
        hash_key=secret,
        kafka_session=timedelta(seconds=6),
    )


@pytest.fixture
async def world(settings: ProfilesSettings, clock_file: Path) -> AsyncIterator[World]:
    """The service with its API, knowing identity's and notifications' keys, and nobody from another test."""
    made = World(settings, clock_file)
    await made.made.mongo.ensure_indexes(*app.INDEXES)
    await forget_everybody(made.made.mongo)
    await made.hear(signing_key())
    await made.announce_sealing_key()
    async with serving(made):
        yield made
    await made.made.close()


async def forget_everybody(*databases: Mongo) -> None:
    """Empty every collection."""
    for mongo in databases:
        for name in await mongo.database.list_collection_names():
            await mongo.database[name].delete_many({})
