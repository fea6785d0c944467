"""Fixtures of the consent tests: the service on the real MongoDB, people to call it, a clock to turn."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from chassis.clock import Clock
from chassis.ids import new_id, random_bytes
from chassis.known import store_signing_key
from chassis.mongo import Mongo, transact
from chassis.resources import Resources, connect
from chassis.uow import UnitOfWork
from consent.app import build_api
from consent.settings import ConsentSettings
from consent.statements.model import Statement, Statements, Wording, sha256
from consent.statements.service import PURPOSES
from litestar import Litestar
from testkit.keys import Signer, folder_of_keys
from testkit.running import serving

BASE = "/api/consent/v1"
PURPOSE = "candidate-search"


def statement(version: str, in_force_from: date) -> Statement:
    wordings = {}
    for language in ("nl", "en"):
        text = f"# Title {language}\n\nText of {version}.\n"
        wordings[language] = Wording(text, sha256(text), f"Changes of {version}", {PURPOSE: f"Question {version} {language}"})
    return Statement(version, in_force_from, wordings)


@dataclass
class Person:
    """Somebody who calls the API with a token."""

    client: httpx.AsyncClient
    subject: str
    headers: dict[str, str]

    async def get(self, path: str, **rest: Any) -> httpx.Response:
        return await self.client.get(BASE + path, headers={**self.headers, **rest.pop("headers", {})}, **rest)

    async def post(self, path: str, json: Any = None, **rest: Any) -> httpx.Response:
        return await self.client.post(BASE + path, json=json, headers={**self.headers, **rest.pop("headers", {})}, **rest)

    async def shown(self, language: str = "nl") -> str:
        """Be shown the statement in force; the presentation's id."""
        answer = await self.post("/presentations", {"purposes": [PURPOSE], "language": language})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def decide(self, presentation: str, decision: str = "consented", purpose: str = PURPOSE) -> httpx.Response:
        return await self.post("/decisions", {"presentation": presentation, "purpose": purpose, "decision": decision})

    async def withdraw(self, purpose: str = PURPOSE) -> httpx.Response:
        return await self.post(f"/decisions/{purpose}/withdrawal")

    async def states(self, **query: str) -> dict[str, str]:
        answer = await self.get("/decisions", params=query)
        assert answer.status_code == 200, answer.text
        return {one["purpose"]: one["state"] for one in answer.json()["items"]}


@dataclass
class Service:
    """The service as a test sees it."""

    settings: ConsentSettings
    made: Resources[ConsentSettings]
    clock_file: Path
    app: Litestar
    client: httpx.AsyncClient
    signer: Signer

    @property
    def clock(self) -> Clock:
        return self.made.clock

    @property
    def mongo(self) -> Mongo:
        return self.made.mongo

    def turn(self, days: int) -> None:
        """Let days pass, forward only."""
        ahead = self.clock.offset() + timedelta(days=days)
        self.clock_file.write_text(str(int(ahead.total_seconds())))

    def person(self, role: str = "candidate", subject: str | None = None) -> Person:
        subject = subject or new_id()
        return Person(self.client, subject, self.signer.headers(subject, role, org=None if role == "candidate" else "org-1"))

    async def outbox(self, subject: str) -> list[dict[str, Any]]:
        rows = await self.mongo.find("outbox", {"key": {"$regex": f"^{subject}:"}}, sort=[("sequence", 1)])
        return [dict(row) for row in rows]


@pytest.fixture
def settings(mongo_url: str, mongo_database: str, tmp_path: Path) -> ConsentSettings:
    return ConsentSettings(
        production=False,
        clock_file=tmp_path / "clock",
        mongo_url=mongo_url,
        mongo_database=mongo_database,
        keyring_url=mongo_url,
        keyring_database=mongo_database,
        master_keys=folder_of_keys(tmp_path),
        hash_key=b64encode(random_bytes(32)).decode(),
        operator="Operator of the tests",
    )


@pytest.fixture
def statements(settings: ConsentSettings) -> Statements:
    """Two versions: one in force, one from 30 days ahead."""
    today = Clock(settings.clock_file).today()
    return Statements(
        [statement("2027-01", today - timedelta(days=100)), statement("2027-06", today + timedelta(days=30))], purposes=PURPOSES
    )


@pytest.fixture
async def consent(settings: ConsentSettings, statements: Statements) -> AsyncIterator[Service]:
    """The API on a database of its own, with a signing key that it knows."""
    made = connect(settings)
    signer = Signer(settings.public_url)

    async def known(uow: UnitOfWork) -> None:
        store_signing_key(uow, **signer.announcement().model_dump())

    await transact(made.mongo, known)
    app = build_api(settings, made=made, statements=statements)
    async with serving(app) as client:
        assert settings.clock_file is not None
        yield Service(settings, made, settings.clock_file, app, client, signer)
    await made.close()
