"""System clients: made by who administers, told their secret once, and given tokens by RFC 6749's rules."""

from base64 import b64encode
from datetime import timedelta

import jwt
import pytest

BASE = "/api/identity/v1"


async def made(identity, scopes=("vacancies:write",)) -> tuple:
    """An operator, an organisation, and its new client."""
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    body = {"name": "Vacaturesysteem", "scopes": list(scopes)}
    answer = await operator.call("POST", f"/organisations/{organisation}/clients", json=body)
    assert answer.status_code == 201, answer.text
    return operator, organisation, answer.json()


async def ask(identity, client: dict, headers: dict | None = None, **form: str):
    body = {"grant_type": "client_credentials", "client_id": client["id"], "client_secret": client["secret"], **form}
    return await identity.client.post(f"{BASE}/oauth/token", data=body, headers=headers)


def basic(user: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{secret}".encode()).decode()}


async def test_a_client_gets_a_token_of_its_organisation_and_scopes(identity) -> None:
    _, organisation, client = await made(identity)
    answer = await ask(identity, client)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "vacancies:write")
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    wanted = {"sub": client["id"], "role": "system", "org": organisation, "scope": "vacancies:write", "bank": True}
    assert {name: claims[name] for name in wanted} == wanted


async def test_the_client_may_stand_in_the_header(identity) -> None:
    _, _, client = await made(identity)
    form = {"grant_type": "client_credentials"}
    headers = basic(client["id"], client["secret"])
    assert (await identity.client.post(f"{BASE}/oauth/token", data=form, headers=headers)).status_code == 200
    wrong = await identity.client.post(f"{BASE}/oauth/token", data=form, headers=basic(client["id"], "geraden"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")


async def test_the_secret_is_told_once_and_only_its_hash_is_stored(identity) -> None:
    operator, organisation, client = await made(identity)
    assert client["secret"] not in str(await identity.mongo.find("clients", {}))
    listed = (await operator.call("GET", f"/organisations/{organisation}/clients")).json()
    assert [one["id"] for one in listed["items"]] == [client["id"]]
    assert "secret" not in str(listed)
    body, headers = {"name": "Tweede", "scopes": ["vacancies:read"]}, {"Idempotency-Key": "eenmaal"}
    path = f"/organisations/{organisation}/clients"
    first = await operator.call("POST", path, json=body, headers=headers)
    again = await operator.call("POST", path, json=body, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert set(again.json()) == {"id"}
    assert (await ask(identity, first.json())).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "geraden"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "onbekend"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "vacancies:read"}, 400, "invalid_scope"),
        ({"scope": "vacancies:write operator"}, 400, "invalid_scope"),
    ],
)
async def test_a_refusal_has_the_code_of_the_standard(identity, form, status, error) -> None:
    _, _, client = await made(identity)
    answer = await ask(identity, client, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert "geraden" not in answer.text


async def test_a_request_that_the_standard_forbids_is_refused(identity) -> None:
    _, _, client = await made(identity)
    url = f"{BASE}/oauth/token"
    form = {"grant_type": "client_credentials", "client_id": client["id"], "client_secret": client["secret"]}
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [
        await identity.client.post(url, json=form),
        await identity.client.post(url, content=twice, headers=urlencoded),
        await identity.client.post(url, content=b"", headers=urlencoded),
        await identity.client.post(url, data=form, headers=basic(client["id"], client["secret"])),
    ]
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(400, "invalid_request")] * 4
    odd = await identity.client.post(url, data={"grant_type": "client_credentials"}, headers={"Authorization": "Bearer x"})
    assert (odd.status_code, odd.json()["error"]) == (401, "invalid_client")


async def test_a_revoked_client_gets_nothing_and_its_tokens_are_refused_everywhere(identity) -> None:
    operator, organisation, client = await made(identity)
    token = (await ask(identity, client)).json()["access_token"]
    session = jwt.decode(token, options={"verify_signature": False})["sid"]
    path = f"/organisations/{organisation}/clients/{client['id']}"
    for _ in range(2):
        assert (await operator.call("DELETE", path)).status_code == 204
    assert (await ask(identity, client)).json()["error"] == "invalid_client"
    assert [event["session"] for event in await identity.events("identity.session.v1")] == [session]
    assert (await operator.call("DELETE", f"/organisations/{organisation}/clients/onbekend")).status_code == 404


async def test_another_organisations_client_is_not_found(identity) -> None:
    operator, _, client = await made(identity)
    other = await identity.organisation(operator, name="Anderen")
    administrator = await identity.member(operator, other, "administrator")
    assert (await administrator.call("DELETE", f"/organisations/{other}/clients/{client['id']}")).status_code == 404
    assert (await ask(identity, client)).status_code == 200


async def test_a_suspended_organisations_systems_get_and_keep_nothing(identity) -> None:
    operator, organisation, client = await made(identity)
    await ask(identity, client)
    tag = (await operator.call("GET", f"/organisations/{organisation}/details")).headers["etag"]
    path = f"/organisations/{organisation}"
    await operator.call("PATCH", path, json={"state": "suspended"}, headers={"If-Match": tag})
    assert (await ask(identity, client)).json()["error"] == "invalid_client"
    assert [event["reason"] for event in await identity.events("identity.session.v1")] == ["role-lost"]


@pytest.mark.parametrize("body", [{"scopes": []}, {"scopes": ["alles"]}, {"name": ""}, {"secret": "eigen keuze"}])
async def test_an_impossible_client_is_refused(identity, body) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    wanted = {"name": "Systeem", "scopes": ["vacancies:write"], **body}
    assert (await operator.call("POST", f"/organisations/{organisation}/clients", json=wanted)).status_code == 422


async def test_a_client_cannot_do_what_people_do(identity) -> None:
    _, organisation, client = await made(identity)
    headers = {"Authorization": f"Bearer {(await ask(identity, client)).json()['access_token']}"}
    for path in ("/me/account", "/me/sessions", f"/organisations/{organisation}/clients"):
        assert (await identity.get(path, headers=headers)).status_code == 403


async def test_the_token_lives_no_longer_than_its_session(identity) -> None:
    _, _, client = await made(identity)
    await ask(identity, client)
    [row] = await identity.mongo.find("sessions", {"role": "system"})
    assert row["over_at"] - row["started_at"] == timedelta(minutes=10)
    assert row["token_hash"] == ""
