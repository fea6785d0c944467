"""Signing keys: one at first, announced before its use, never readable, and public where others look for it."""

import asyncio
from base64 import urlsafe_b64decode
from datetime import timedelta

import jwt
import pytest
from chassis.tokens import Caller
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from identity.app import parts
from identity.keys.service import CLASS, Signer, rotate

CALLER = Caller(subject="iemand", role="candidate", session="sessie")


@pytest.fixture
async def made(settings):
    """A second process of the same service."""
    other = parts(settings)
    yield other
    await other.close()


async def announced(identity) -> list[dict]:
    return await identity.events("identity.signing-key.v1")


async def age(identity, **ago: float) -> None:
    """Let machine time have passed for all keys."""
    for row in await identity.mongo.find("signing_keys", {}):
        changed = {name: row[name] - timedelta(**ago) for name in ("use_from", "use_until", "valid_until")}
        await identity.mongo.database["signing_keys"].update_one({"_id": row["_id"]}, {"$set": changed})


def signer(made) -> Signer:
    return Signer(mongo=made.mongo, keyring=made.keyring, terms=made.key_terms, issuer="https://portaal.example")


async def test_everybody_at_once_makes_one_first_key(identity, made) -> None:
    await identity.mongo.database["signing_keys"].delete_many({})
    await identity.mongo.database["outbox"].delete_many({})
    work = [rotate(mongo=made.mongo, keyring=made.keyring, terms=made.key_terms) for _ in range(6)]
    assert sum(await asyncio.gather(*work)) <= 1  # none, when the starting API was quicker
    assert len(await announced(identity)) == len(await identity.mongo.find("signing_keys", {})) == 1


async def test_the_public_key_checks_what_was_signed_and_the_private_one_is_nowhere(identity) -> None:
    person = await identity.candidate()
    [key] = (await identity.get("/jwks")).json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert "d" not in key
    token = person.answer["access_token"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    public = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "="))
    jwt.decode(token, public, algorithms=["EdDSA"], audience="kandidatenbank", issuer=identity.settings.public_url)
    [event] = await announced(identity)
    assert (event["kid"], event["x"]) == (key["kid"], key["x"])


async def test_the_next_key_is_announced_an_hour_before_it_signs(identity, made) -> None:
    [first] = await identity.mongo.find("signing_keys", {})
    assert await identity.run_job("signing-keys") == 0
    await age(identity, days=30, minutes=-59)
    assert await identity.run_job("signing-keys") == 1
    assert await identity.run_job("signing-keys") == 0
    assert len((await identity.get("/jwks")).json()["keys"]) == 2
    second = (await identity.mongo.find("signing_keys", {"_id": {"$ne": first["_id"]}}))[0]
    assert second["use_from"] - identity.clock.machine() > timedelta(minutes=58)
    assert jwt.get_unverified_header((await signer(made).access_token(CALLER)).token)["kid"] == first["_id"]
    await age(identity, minutes=61)
    assert jwt.get_unverified_header((await signer(made).access_token(CALLER)).token)["kid"] == second["_id"]


async def test_a_key_that_nobody_accepts_any_more_is_withdrawn_and_its_private_half_destroyed(identity) -> None:
    [first] = await identity.mongo.find("signing_keys", {})
    await age(identity, days=40)
    assert await identity.run_job("signing-keys") >= 1
    assert await identity.events("identity.signing-key.v1", first["_id"]) == [
        {**(await announced(identity))[0]},
        None,
    ]
    await identity.run_job("destroy-keys")
    row = await identity.keyring_mongo.find_one("data_keys", {"_id": f"{first['_id']}:{CLASS}"})
    assert row is not None
    assert "wrapped" not in row
    [key] = (await identity.get("/jwks")).json()["keys"]
    assert key["kid"] != first["_id"]
    assert (await identity.mongo.find("known_signing_keys", {"_id": first["_id"]})) == []


async def test_an_api_without_worker_signs_with_a_key_of_its_own_making(identity, made) -> None:
    await identity.mongo.database["signing_keys"].delete_many({})
    answers = await asyncio.gather(*(signer(made).access_token(CALLER) for _ in range(4)))
    assert len({jwt.get_unverified_header(answer.token)["kid"] for answer in answers}) == 1
