"""A creating POST that is repeated, at once or later, creates one thing and gets one answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from chassis.clock import Clock
from chassis.http.app import build_api
from chassis.http.guards import public, roles
from chassis.http.idempotency import COLLECTION, INDEXES, Attempt, Created
from chassis.ids import new_id
from chassis.mongo import Mongo, transact
from chassis.settings import ServiceSettings
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic_settings import SettingsConfigDict

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class SampleSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")


@post("/things", opt={"access": public()})
async def make(
    data: JSONBody[dict[str, str]], attempt: NamedDependency[Attempt], mongo: NamedDependency[Mongo]
) -> Response[dict[str, str]]:
    async def create(uow: UnitOfWork) -> Created:
        thing = {"_id": new_id(), "sequence": 1, **data}
        uow.insert("things", thing)
        return Created(thing["_id"], f"/things/{thing['_id']}", sequence=1)

    async def work(uow: UnitOfWork) -> Created:
        return await attempt.once(uow, lambda: create(uow))

    return (await transact(mongo, work)).response()


@pytest.fixture
async def client(mongo: Mongo) -> AsyncIterator[httpx.AsyncClient]:
    settings = SampleSettings(production=False, mongo_url="x", keyring_url="x", master_keys=Path(), hash_key=KEY)
    app = build_api(settings=settings, version="1", routes=[make], mongo=mongo, clock=Clock(), dependencies={"mongo": mongo})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as made:
        yield made


async def count(mongo: Mongo) -> int:
    return len(await mongo.find("things", {}))


def seen(answer: httpx.Response) -> tuple[Any, ...]:
    return answer.status_code, answer.json(), answer.headers.get("location"), answer.headers.get("etag")


async def test_a_repeated_request_gets_the_first_answer(client: httpx.AsyncClient, mongo: Mongo) -> None:
    first, second = [await client.post("/things", json={"a": "Jan"}, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert seen(first) == seen(second)
    assert (first.status_code, first.headers["etag"], await count(mongo)) == (201, '"1"', 1)


async def test_many_at_once_create_one(client: httpx.AsyncClient, mongo: Mongo) -> None:
    sent = [client.post("/things", json={"a": "b"}, headers={"Idempotency-Key": "k-2"}) for _ in range(8)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == await count(mongo) == 1


async def test_another_body_under_the_same_key_is_refused(client: httpx.AsyncClient, mongo: Mongo) -> None:
    await client.post("/things", json={"a": "b"}, headers={"Idempotency-Key": "k-3"})
    other = await client.post("/things", json={"a": "c"}, headers={"Idempotency-Key": "k-3"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:kandidatenbank:problem:idempotency-key-reused")
    assert await count(mongo) == 1


class Claims:
    """Takes the organisation that a caller acts for from the header, as a token would say it."""

    async def caller(self, authorization: str | None) -> Caller:
        return Caller("somebody", "recruiter", org=authorization)


async def test_who_acts_for_another_organisation_creates_for_that_one(mongo: Mongo) -> None:
    """Else they get the other organisation's id, and what they asked for is not made."""
    settings = SampleSettings(production=False, mongo_url="x", keyring_url="x", master_keys=Path(), hash_key=KEY)
    own = post("/own", opt={"access": roles("recruiter")})(make.fn)
    given: Any = {"tokens": Claims(), "dependencies": {"mongo": mongo}}
    app = build_api(settings=settings, version="1", routes=[own], mongo=mongo, clock=Clock(), **given)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        sent = [{"Idempotency-Key": "k-4", "Authorization": organisation} for organisation in ("one", "other", "one")]
        first, other, again = [(await client.post("/own", json={"a": "b"}, headers=one)).json()["id"] for one in sent]
    assert first == again != other
    assert await count(mongo) == 2


async def test_without_a_key_each_request_creates(client: httpx.AsyncClient, mongo: Mongo) -> None:
    for _ in range(2):
        assert (await client.post("/things", json={"a": "b"})).status_code == 201
    assert await count(mongo) == 2


async def test_a_key_is_checked(client: httpx.AsyncClient) -> None:
    for key in ("", " ", "x" * 201):
        answer = await client.post("/things", json={"a": "b"}, headers={"Idempotency-Key": key})
        assert answer.status_code == 400, key


async def test_neither_body_nor_key_is_kept_and_the_row_ends(client: httpx.AsyncClient, mongo: Mongo) -> None:
    await mongo.ensure_indexes(INDEXES)
    await client.post("/things", json={"a": "Janneke"}, headers={"Idempotency-Key": "recognisable"})
    (row,) = await mongo.find(COLLECTION, {})
    assert set(row) == {"_id", "fingerprint", "at", "created"}
    assert "Janneke" not in str(row)
    assert "recognisable" not in str(row)
    indexes = await mongo.database[COLLECTION].index_information()
    assert any(index.get("expireAfterSeconds") == timedelta(hours=24).total_seconds() for index in indexes.values())
