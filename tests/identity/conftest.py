"""Fixtures of the identity tests: the service on the real MongoDB, the sealed mails as notifications would open them, a clock."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import jwt
import pytest
from chassis import known, outbox
from chassis.clock import Clock
from chassis.destruction import destroy_due
from chassis.ids import new_id, random_bytes
from chassis.mongo import Mongo, transact
from chassis.sealed_events import KNOWN
from chassis.uow import UnitOfWork
from identity.app import INDEXES, build_api, jobs_of, parts
from identity.keys.service import rotate
from identity.operators import create_operator
from identity.settings import IdentitySettings
from litestar import Litestar
from nacl.public import PrivateKey, SealedBox
from pymongo import MongoClient
from testkit.keys import folder_of_keys
from testkit.parts import fresh_name
from testkit.running import serving

BASE = "/api/identity/v1"
PASSWORD = "pas fiets brug"
FACTS = {
    "name": "Werkplaats Noord",
    "street": "Kade 1",
    "postal_code": "9711 AA",
    "place": "Groningen",
    "country": "NL",
    "data_use": {"nl": "Wij zoeken mensen voor ons werk.", "en": "We look for people for our work."},
    "privacy_contact": "Functionaris gegevensbescherming, 085-0000000",
}


@dataclass
class Mail:
    """One mail that identity asked for."""

    cause: str
    template: str
    subject: str
    facts: dict[str, str]
    details: dict[str, Any]

    @property
    def address(self) -> str:
        return self.details["address"]

    @property
    def secret(self) -> str:
        return self.details["secret"]


@dataclass
class Person:
    """Somebody signed in."""

    client: httpx.AsyncClient
    answer: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.answer['access_token']}"}

    @property
    def claims(self) -> dict[str, Any]:
        return jwt.decode(self.answer["access_token"], options={"verify_signature": False})

    @property
    def account(self) -> str:
        return self.claims["sub"]

    async def call(self, method: str, path: str, **rest: Any) -> httpx.Response:
        headers = {**self.headers, **rest.pop("headers", {})}
        return await self.client.request(method, BASE + path, headers=headers, **rest)


@dataclass
class Service:
    """The service as a test sees it."""

    settings: IdentitySettings
    clock: Clock
    clock_file: Path
    mongo: Mongo
    keyring_mongo: Mongo
    app: Litestar
    client: httpx.AsyncClient
    sealing: PrivateKey

    facts: ClassVar[dict[str, Any]] = FACTS

    def new_address(self) -> str:
        """An address that nobody has used."""
        return an_address()

    def turn(self, **ahead: float) -> None:
        """Let domain time pass, forward only."""
        offset = self.clock.offset() + timedelta(**ahead)
        self.clock_file.write_text(str(int(offset.total_seconds())))

    async def post(self, path: str, json: Any = None, **rest: Any) -> httpx.Response:
        return await self.client.post(BASE + path, json=json, **rest)

    async def get(self, path: str, **rest: Any) -> httpx.Response:
        return await self.client.get(BASE + path, **rest)

    async def events(self, topic: str, key: str | None = None) -> list[dict[str, Any]]:
        """What stands in the outbox for a topic, the oldest first; a tombstone is None."""
        where: dict[str, Any] = {"topic": topic} | ({"key": key} if key else {})
        rows = await self.mongo.find("outbox", where, sort=[("_id", 1)])
        return [json.loads(row["body"]) if row["body"] else None for row in rows]

    async def mails(self, template: str | None = None) -> list[Mail]:
        """The mails asked for, opened as notifications would."""
        found = [self._mail(event) for event in await self.events("identity.mail-request.v1")]
        return [mail for mail in found if template in (None, mail.template)]

    def open(self, sealed: dict[str, str]) -> dict[str, Any]:
        return json.loads(SealedBox(self.sealing).decrypt(base64.b64decode(sealed["box"])))

    def _mail(self, event: dict[str, Any]) -> Mail:
        details = self.open(event["sealed"]) if event["sealed"] else {}
        return Mail(event["cause"], event["template"], event["subject"], event["facts"], details)

    async def register(self, email: str, password: str = PASSWORD, language: str = "nl") -> httpx.Response:
        return await self.post("/registrations", {"email": email, "password": password, "language": language})

    async def link(self, email: str) -> str:
        """The path of the newest confirmation page that was mailed to an address."""
        mails = [mail for mail in await self.mails("confirm-address") if mail.address == email]
        return f"/pages/confirm/{mails[-1].secret}"

    async def candidate(self, email: str | None = None, password: str = PASSWORD) -> Person:
        """A candidate with a confirmed address, signed in."""
        email = email or an_address()
        assert (await self.register(email, password)).status_code == 202
        assert (await self.post(await self.link(email))).status_code == 200
        return await self.signed_in(email, password)

    async def sign_in(self, email: str, password: str = PASSWORD, **wanted: str) -> httpx.Response:
        return await self.post("/sessions", {"email": email, "password": password, **wanted})

    async def signed_in(self, email: str, password: str = PASSWORD, **wanted: str) -> Person:
        answer = await self.sign_in(email, password, **wanted)
        assert answer.status_code == 201, answer.text
        return Person(self.client, answer.json())

    async def operator(self) -> Person:
        email = an_address()
        await create_operator(self.settings, email=email, password=PASSWORD)
        return await self.signed_in(email)

    async def organisation(self, operator: Person, **facts: Any) -> str:
        answer = await operator.call("POST", "/organisations", json={**FACTS, "bank_access": True, **facts})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def invited(self, by: Person, organisation: str, *roles: str, email: str | None = None) -> str:
        """Invite somebody; the path of the page that was mailed to them."""
        email = email or an_address()
        answer = await by.call("POST", f"/organisations/{organisation}/members", json={"email": email, "roles": list(roles)})
        assert answer.status_code == 202, answer.text
        mail = [one for one in await self.mails("invitation") if one.address == email][-1]
        return f"/pages/invitation/{mail.secret}"

    async def member(self, by: Person, organisation: str, *roles: str) -> Person:
        """A new member with a new account, signed in for the organisation."""
        email = an_address()
        page = await self.invited(by, organisation, *roles, email=email)
        assert (await self.client.post(BASE + page, data={"password": PASSWORD})).status_code == 200
        return await self.signed_in(email, organisation=organisation)

    async def run_job(self, name: str) -> int:
        """Run one of the worker's jobs once."""
        made = parts(self.settings)
        try:
            if name == "destroy-keys":
                return await destroy_due(made.mongo, made.keyring)
            return await next(job for job in jobs_of(made) if job.name == name).run()
        finally:
            await made.close()


def an_address() -> str:
    """An address that nobody has used."""
    return f"mens.{new_id()[-12:]}@voorbeeld.example"


@pytest.fixture(scope="session")
def databases(mongo_url: str) -> Iterator[tuple[str, str]]:
    """Two databases for this run: making all indexes anew for each test costs more than the test."""
    names = fresh_name("t-identity"), fresh_name("t-identity-keys")
    yield names
    with MongoClient[dict[str, Any]](mongo_url) as client:
        for name in names:
            client.drop_database(name)


@pytest.fixture
def settings(mongo_url: str, databases: tuple[str, str], tmp_path: Path) -> IdentitySettings:
    """Settings of a service that starts with nothing: empty databases, keys of its own, a clock that stands at today."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        for database in (client[name] for name in databases):
            for collection in database.list_collection_names():
                database[collection].delete_many({})

    return IdentitySettings(
        production=False,
        clock_file=tmp_path / "clock",
        mongo_url=mongo_url,
        mongo_database=databases[0],
        keyring_url=mongo_url,
        keyring_database=databases[1],
        master_keys=folder_of_keys(tmp_path),
        hash_key=base64.b64encode(random_bytes(32)).decode(),
        argon2_memory=8192,
        argon2_passes=1,
        answer_floor=timedelta(0),
        trusted_proxies=1,
    )


@pytest.fixture
async def identity(settings: IdentitySettings) -> AsyncIterator[Service]:
    """The API on databases of its own, and a sealing key of notifications that it knows."""
    made = parts(settings)
    await made.mongo.ensure_indexes(outbox.INDEXES, known.INDEXES, *INDEXES)
    await rotate(mongo=made.mongo, keyring=made.keyring, terms=made.key_terms)
    app = build_api(settings, made=made)
    sealing = PrivateKey.generate()
    await make_known(made.mongo, sealing)
    async with serving(app) as client:
        assert settings.clock_file is not None
        yield Service(settings, made.clock, settings.clock_file, made.mongo, made.keyring.mongo, app, client, sealing)
    await made.close()


async def make_known(mongo: Mongo, sealing: PrivateKey) -> None:
    """Let identity know a public sealing key of notifications, for years."""
    row = {
        "_id": new_id(),
        "receiver": "notifications",
        "public_key": base64.b64encode(bytes(sealing.public_key)).decode(),
        "first_day": "2020-01-01",
        "used_until": "2099-01-01",
    }

    async def work(uow: UnitOfWork) -> None:
        uow.replace(KNOWN, row, upsert=True)

    await transact(mongo, work)
