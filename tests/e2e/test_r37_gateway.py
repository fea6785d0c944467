"""R37: everything is reached through one gateway, which refuses what it must in the same words as the services."""

import httpx
import pytest
from testkit.cast import Candidate, Cast
from testkit.portal import Portal, ok
from testkit.refusals import expect_refused
from testkit.stack import Stack

SERVICES = ("identity", "profiles", "consent", "notifications")
INTERNAL = ("/health/ready", "/metrics", "/api/{service}/../health/ready", "/api/{service}/%2e%2e/health/ready")
LARGE = ("identity/v1/registrations", "identity/v1/sessions")
FIVE_MEGABYTES = 5_000_000


async def test_r37_one_page_documents_all_services(portal: Portal) -> None:
    page = ok(await portal.http.get("/docs"))
    assert page.headers["content-type"].startswith("text/html")
    documented = ok(await portal.http.get("/docs/services.json")).json()
    assert {one["name"] for one in documented} == set(SERVICES)
    for one in documented:
        document = ok(await portal.http.get(one["url"])).json()
        assert document["openapi"].startswith("3.1")
        assert document["paths"]
        assert all(path.startswith(f"/api/{one['name']}/v1/") for path in document["paths"])


@pytest.mark.parametrize("path", ["/docs", "/api/identity/v1/organisations", "/api/consent/v1/statements", "/nergens"])
async def test_r37_every_answer_has_the_security_headers_and_an_id(portal: Portal, path: str) -> None:
    headers = (await portal.http.get(path, headers={"X-Request-Id": "van-mij"})).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers
    assert headers["x-request-id"] != "van-mij"
    assert len(headers["x-request-id"]) == 36


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "path", ["/health/ready", "/metrics", "/api/{service}/../health/ready", "/api/{service}/%2e%2e/health/ready"]
)
async def test_r37_what_a_service_keeps_to_itself_is_not_reached(stack: Stack, service: str, path: str) -> None:
    """The path goes out as it stands: the client must not tidy it up first."""
    raw = path.format(service=service).encode()
    async with httpx.AsyncClient(base_url=stack.gateway, trust_env=False) as client:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=raw)
        answer = await client.send(request)
    assert answer.status_code in {400, 404}, answer.text
    assert "mongo" not in answer.text


@pytest.mark.parametrize("path", ["/nergens", "/api/geen-dienst/v1/x", *[f"/api/{service}/v1/nergens" for service in SERVICES]])
async def test_r37_a_path_that_is_not_there_gets_404(portal: Portal, path: str) -> None:
    expect_refused(await portal.http.get(path), 404, "not-found")


@pytest.mark.parametrize("path", ["identity/v1/registrations", "consent/v1/decisions/history", "notifications/v1/searches"])
async def test_r37_a_method_that_is_not_there_gets_405_and_says_which_are(portal: Portal, path: str) -> None:
    answer = await portal.visitor.call("PATCH", path, json={})
    expect_refused(answer, 405, "method-not-allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("path", LARGE)
async def test_r37_a_body_of_five_megabytes_gets_413(cast: Cast, portal: Portal, path: str) -> None:
    """The answer reaches also a client that sends everything before it reads."""
    answer = await portal.visitor.post(path, {"email": cast.mark * (FIVE_MEGABYTES // len(cast.mark))})
    expect_refused(answer, 413, "too-large")
    assert cast.mark not in answer.text


@pytest.mark.parametrize("body", ["", "{", '{"email": "{mark}', "[1,", "\x00", '{"email": NaN}', '"text"', "[]", "null"])
async def test_r37_a_body_that_is_no_json_object_is_refused(cast: Cast, portal: Portal, body: str) -> None:
    content = body.replace("{mark}", cast.mark)
    headers = {"Content-Type": "application/json"}
    answer = await portal.http.post("/api/identity/v1/registrations", content=content, headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    expect_refused(answer, answer.status_code)
    assert cast.mark not in answer.text


async def test_r37_a_body_of_another_kind_gets_415(cast: Cast, portal: Portal) -> None:
    answer = await portal.http.post("/api/identity/v1/registrations", data={"email": cast.email("formulier")})
    expect_refused(answer, 415, "media-type")


async def test_r37_an_impossible_date_is_named(cast: Cast, candidate: Candidate) -> None:
    expect_refused(await candidate.actor.get("consent/v1/decisions", params={"on": "2027-02-30"}), 422, "invalid")
    before = ok(await candidate.actor.get("profiles/v1/me/profile"))
    profile = {"identity": {"birth_date": "1990-02-30", "given_name": cast.marked("Onmogelijk")}}
    answer = await candidate.actor.put("profiles/v1/me/profile", profile)
    document = expect_refused(answer, 422, "invalid")
    assert [error["field"] for error in document["errors"]] == ["identity.birth_date"]
    assert ok(await candidate.actor.get("profiles/v1/me/profile")).text == before.text


async def test_r37_problems_are_told_in_the_callers_language(portal: Portal) -> None:
    for language, title in (("nl", "Niet gevonden"), ("en", "Not found"), ("de, en;q=0.5", "Not found")):
        answer = await portal.http.get("/api/profiles/v1/nergens", headers={"Accept-Language": language})
        assert expect_refused(answer, 404)["title"] == title
