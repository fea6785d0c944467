"""R33: only who is authorised gets in. Each service checks the token itself, and the default is no.

The services learn a key of this module's own from the topic, as they learn identity's. So a token that is right is taken, and
what is refused is refused for the one thing that is wrong with it.
"""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import jwt
import pytest
import pytest_asyncio
from chassis.clock import Clock
from chassis.ids import new_handle, new_id
from contracts import envelope
from contracts.identity.signing_key import SigningKeyEvent
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import Actor, Portal, ok
from testkit.probe import send_raw
from testkit.refusals import expect_refused
from testkit.stack import Stack
from testkit.waiting import eventually

PATHS = ("profiles/v1/me/lifecycle", "consent/v1/decisions", "notifications/v1/searches")


@dataclass(frozen=True)
class Signer:
    """Signs tokens with a key that the services have learned."""

    kid: str
    private: Ed25519PrivateKey
    issuer: str

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(Clock(None).machine().timestamp())
        right = {
            "iss": self.issuer,
            "aud": "kandidatenbank",
            "sub": new_id(),
            "iat": now,
            "exp": now + 600,
            "jti": new_id(),
            "sid": new_id(),
            "role": "candidate",
        }
        return {name: value for name, value in (right | changes).items() if value is not None}

    def token(self, *, key: Ed25519PrivateKey | None = None, kid: str | None = None, **changes: Any) -> str:
        headers = {"kid": kid or self.kid, "typ": "at+jwt"}
        return jwt.encode(self.claims(**changes), key or self.private, algorithm="EdDSA", headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def signer(stack: Stack, portal: Portal) -> AsyncIterator[Signer]:
    """A key of our own, announced on the topic, and withdrawn afterwards."""
    private = Ed25519PrivateKey.generate()
    made = Signer(f"test-{new_handle()}", private, stack.gateway)
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    now = Clock(None).machine()
    event = SigningKeyEvent(
        kid=made.kid,
        x=base64.urlsafe_b64encode(raw).decode().rstrip("="),
        not_before=now - timedelta(hours=1),
        not_after=now + timedelta(hours=1),
    )
    await _announce(stack, made.kid, event.model_dump_json().encode(), 1)
    for path in PATHS:
        await eventually(partial(_status, Actor(portal.http, made.token()), path, 200), timeout=20)
    yield made
    await _announce(stack, made.kid, None, 2)
    await eventually(lambda: _status(Actor(portal.http, made.token()), PATHS[0], 401), timeout=20)


async def _announce(stack: Stack, kid: str, value: bytes | None, sequence: int) -> None:
    topic = SigningKeyEvent.topic
    headers = {
        envelope.HEADER_SPEC_VERSION: envelope.SPEC_VERSION,
        envelope.HEADER_ID: new_id(),
        envelope.HEADER_SOURCE: topic.source,
        envelope.HEADER_TYPE: topic.event_type,
        envelope.HEADER_SUBJECT: kid,
        envelope.HEADER_TIME: Clock(None).machine().isoformat(),
        envelope.HEADER_SEQUENCE: str(sequence),
        envelope.HEADER_CONTENT_TYPE: envelope.CONTENT_TYPE,
    }
    await send_raw(stack.kafka, topic.name, kid.encode(), value, [(name, text.encode()) for name, text in headers.items()])


async def _status(actor: Actor, path: str, status: int) -> bool:
    return (await actor.get(path)).status_code == status


def _seconds(seconds: int) -> int:
    return int((Clock(None).machine() + timedelta(seconds=seconds)).timestamp())


WRONG: dict[str, dict[str, Any]] = {
    "expired": {"iat": -700, "exp": -60},
    "issued before its key": {"iat": -7200},
    "of another audience": {"aud": "iets-anders"},
    "of no audience": {"aud": None},
    "of another issuer": {"iss": "https://elders.example"},
    "without an end": {"exp": None},
    "without a session": {"sid": None},
    "without a subject": {"sub": None},
    "with a role of another type": {"role": ["candidate", "operator"]},
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("wrong", WRONG)
async def test_r33_a_token_with_one_wrong_claim_is_refused(portal: Portal, signer: Signer, wrong: str, path: str) -> None:
    changes: dict[str, Any] = {name: _seconds(value) if isinstance(value, int) else value for name, value in WRONG[wrong].items()}
    expect_refused(await Actor(portal.http, signer.token(**changes)).get(path), 401, "unauthorized")
    assert await _status(Actor(portal.http, signer.token()), path, 200)


async def test_r33_a_token_signed_by_another_key_is_refused(portal: Portal, signer: Signer) -> None:
    stranger = Ed25519PrivateKey.generate()
    keys = ok(await portal.http.get("/api/identity/v1/jwks")).json()["keys"]
    for kid in (signer.kid, keys[0]["kid"], "een-ander", ""):
        for path in PATHS:
            expect_refused(await Actor(portal.http, signer.token(key=stranger, kid=kid)).get(path), 401, "unauthorized")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
async def test_r33_a_token_of_another_algorithm_is_refused(portal: Portal, signer: Signer, algorithm: str) -> None:
    """Unsigned, or 'signed' with the public key as a shared secret."""
    public = signer.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    if algorithm == "HS256":
        token = jwt.encode(signer.claims(), public, algorithm="HS256", headers={"kid": signer.kid})
    else:
        token = f"{_coded({'alg': algorithm, 'typ': 'at+jwt', 'kid': signer.kid})}.{_coded(signer.claims())}."
    for path in PATHS:
        expect_refused(await Actor(portal.http, token).get(path), 401, "unauthorized")


async def test_r33_a_real_token_that_was_changed_is_refused(portal: Portal, candidate: Candidate) -> None:
    head, body, signature = str(candidate.actor.token).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    promoted = _coded(claims | {"role": "operator"})
    for token in (f"{head}.{promoted}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}", head, "x" * 9_000):
        for path in PATHS:
            expect_refused(await Actor(portal.http, token).get(path), 401, "unauthorized")
    ok(await candidate.actor.get(PATHS[0]))


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "bearer a.b.c", "Bearer \u00e9"])
async def test_r33_without_a_token_there_is_nothing(portal: Portal, header: str) -> None:
    for path in PATHS:
        answer = await portal.http.get(f"/api/{path}", headers=[(b"Authorization", header.encode("latin-1"))])
        expect_refused(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_r33_each_role_gets_what_is_its_own_only(
    portal: Portal, candidate: Candidate, organisation: Organisation, operator: Actor
) -> None:
    for path in PATHS:
        for actor in (organisation.recruiter, organisation.system, operator):
            expect_refused(await actor.get(path), 403, "forbidden")
    organisations = "identity/v1/organisations"
    for actor in (candidate.actor, organisation.recruiter, organisation.system):
        expect_refused(await actor.post(organisations, {"name": "Van mijzelf"}), 403, "forbidden")
        expect_refused(await actor.get(f"{organisations}/{organisation.id}/details"), 403, "forbidden")
        expect_refused(await actor.post(f"{organisations}/{organisation.id}/clients", {}), 403, "forbidden")


async def test_r33_an_administrator_reaches_their_own_organisation_only(
    cast: Cast, portal: Portal, operator: Actor, organisation: Organisation, outsider: Organisation
) -> None:
    administrator = await portal.join_organisation(operator, outsider.id, cast.email("beheerder"), role="administrator")
    paths = "identity/v1/organisations"
    found = ok(await administrator.get(f"{paths}/{outsider.id}/details")).json()
    expect_refused(await administrator.get(f"{paths}/{organisation.id}/details"), 403, "forbidden")
    body = {"email": cast.email("lokvogel"), "roles": ["recruiter"]}
    expect_refused(await administrator.post(f"{paths}/{organisation.id}/members", body), 403, "forbidden")
    expect_refused(
        await administrator.post(f"{paths}/{organisation.id}/clients", {"name": "x", "scopes": ["vacancies:write"]}), 403
    )
    for change in ({"bank_access": True}, {"state": "suspended"}):
        headers = {"If-Match": administrator.etags[f"{paths}/{outsider.id}/details"]}
        expect_refused(
            await administrator.call("PATCH", f"{paths}/{outsider.id}", json=change, headers=headers), 403, "forbidden"
        )
    assert ok(await administrator.get(f"{paths}/{outsider.id}/details")).json() == found
    assert not found["bank_access"]


async def test_r33_a_system_client_needs_its_secret_and_gets_no_scope_that_it_was_not_given(
    portal: Portal, operator: Actor, organisation: Organisation
) -> None:
    path = f"identity/v1/organisations/{organisation.id}/clients"
    client = ok(await operator.post(path, {"name": "Proef", "scopes": ["vacancies:write"]})).json()

    async def ask(secret: str, **form: str) -> tuple[int, str]:
        data = {"grant_type": "client_credentials", **form}
        answer = await portal.http.post("/api/identity/v1/oauth/token", data=data, auth=(client["id"], secret))
        return answer.status_code, answer.json().get("error", "")

    assert await ask(client["secret"], scope="vacancies:write") == (200, "")
    assert await ask("verzonnen") == (401, "invalid_client")
    assert await ask(client["secret"], scope="alles") == (400, "invalid_scope")
    assert await ask(client["secret"], grant_type="password") == (400, "unsupported_grant_type")
    ok(await operator.delete(f"{path}/{client['id']}"))
    assert await ask(client["secret"], scope="vacancies:write") == (401, "invalid_client")


def _coded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
