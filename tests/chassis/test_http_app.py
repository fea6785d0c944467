"""What every API answers: problems, refusals, headers, documents."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from chassis.clock import Clock
from chassis.http.app import build_api, handlers_of
from chassis.http.bodies import Body
from chassis.http.etags import IfMatch, etag
from chassis.http.guards import member, public, purposes, roles, scope, signed_in
from chassis.http.language import Text
from chassis.http.pages import PAGE, page
from chassis.http.pagination import Page
from chassis.http.problems import ConflictProblem, Problem, invalid
from chassis.known import KEYS, Known
from chassis.mongo import BusyError
from chassis.settings import ServiceSettings
from chassis.tokens import Caller, Tokens, encode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar, Request, Response, get, post, put, route
from litestar.di import NamedDependency
from litestar.exceptions import ImproperlyConfiguredException
from litestar.params import FromPath, FromQuery, JSONBody
from localstack.figures import Page as Figures
from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

ISSUER = "http://127.0.0.1:8000"
SIGNER = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
HANDLED: list[str] = []


class SampleSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")


class FakeMongo:
    """Answers what the token check and the health pages ask for."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {KEYS: [key_row("k1", SIGNER)]}
        self.reads = 0

    async def find(self, collection: str, _where: object) -> list[dict[str, Any]]:
        self.reads += 1
        return self.rows.get(collection, [])

    async def ping(self) -> bool:
        return False


def key_row(kid: str, key: Ed25519PrivateKey, **other: Any) -> dict[str, Any]:
    x = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)["x"]
    now = Clock().machine()
    return {"_id": kid, "x": x, "not_before": now - timedelta(days=1), "not_after": now + timedelta(days=1), **other}


class Person(Body):
    name: str = Field(max_length=10)
    born: date
    languages: list[str] = Field(default_factory=list)
    purpose: str = ""

    @field_validator("languages")
    @classmethod
    def _known(cls, languages: list[str]) -> list[str]:
        if "xx" in languages:
            raise ValueError(f"there is no language {languages[0]}")
        return languages


class SleepingProblem(ConflictProblem):
    code, title = "sleeping", Text("Het slaapt", "It sleeps")


@get("/open", opt={"access": public()})
async def open_to_all(caller: NamedDependency[Caller]) -> dict[str, str]:
    return {"role": caller.role}


@get("/me", opt={"access": signed_in()})
async def me(caller: NamedDependency[Caller]) -> dict[str, Any]:
    return {"subject": caller.subject, "role": caller.role}


@get("/bank", opt={"access": roles("recruiter", bank=True), "purposes": purposes("candidate-search", "contact-candidate")})
async def bank(purpose: NamedDependency[str]) -> dict[str, str]:
    return {"purpose": purpose}


@get(
    "/application",
    opt={"access": roles("recruiter", "hiring-manager"), "purposes": purposes("application-assessment", "contact-candidate")},
)
async def application(purpose: NamedDependency[str]) -> dict[str, str]:
    return {"purpose": purpose}


@post(
    "/organisations/{organisation:str}/vacancies",
    opt={"access": member("recruiter", of="organisation") | scope("vacancies:write")},
)
async def publish(organisation: FromPath[str], data: JSONBody[Person]) -> dict[str, str]:
    HANDLED.append(organisation)
    return {"id": organisation}


@put("/profile", opt={"access": signed_in()})
async def change(data: JSONBody[Person], if_match: NamedDependency[IfMatch]) -> Response[None]:
    if_match.check(7)
    return Response(None, headers={"ETag": etag(8)})


@get("/numbers", opt={"access": public()})
async def numbers(page: NamedDependency[Page], even: FromQuery[bool] = False) -> dict[str, Any]:
    after = int(page.after[0]) if page.after else 0
    found = [n for n in range(1, 46) if n > after and (not even or n % 2 == 0)][: page.limit + 1]
    return page.answer(found, lambda n: (n,), found=found)


@get("/needs", opt={"access": public()})
async def needs(amount: FromQuery[int]) -> int:
    return amount


@get("/fails/{how:str}", opt={"access": public()})
async def fails(how: FromPath[str]) -> None:
    raise {
        "sleeping": SleepingProblem(),
        "field": invalid("place", "unknown-place"),
        "bug": KeyError("jan@example.nl"),
        "away": ServerSelectionTimeoutError("no servers"),
        "busy": BusyError("busy"),
        "conflict": OperationFailure("conflict", 112, {"errorLabels": ["TransientTransactionError"]}),
        "duplicate": OperationFailure("E11000 jan@example.nl", 11000),
    }[how]


@route("/pages/renew/{secret:str}", http_method=["GET", "HEAD"], opt=PAGE)
async def renew_page(request: Request[Any, Any, Any], secret: FromPath[str]) -> Response[str]:
    if secret == "away":
        raise ServerSelectionTimeoutError("no servers")
    return page(
        "nl", title=Text("Verleng <nu>", "Renew <now>"), text=[Text("Nog een jaar", "Another year")], button=Text("Ja", "Yes")
    )


@post("/pages/renew/{secret:str}", opt=PAGE, status_code=200)
async def renew(secret: FromPath[str]) -> Response[str]:
    HANDLED.append(secret)
    return page("en", title=Text("Verlengd", "Renewed"))


ROUTES = [open_to_all, me, bank, application, publish, change, numbers, needs, fails, renew_page, renew]


@pytest.fixture
def settings() -> SampleSettings:
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    return SampleSettings(production=False, mongo_url="x", keyring_url="x", master_keys=Path(), hash_key=key)


@pytest.fixture
def mongo() -> FakeMongo:
    return FakeMongo()


@pytest.fixture
def app(settings: SampleSettings, mongo: FakeMongo) -> Litestar:
    HANDLED.clear()
    tokens = Tokens(Known(mongo, poll=timedelta(0)), Clock(), issuer=ISSUER)
    return build_api(settings=settings, version="1.0.0", routes=ROUTES, mongo=mongo, clock=Clock(), tokens=tokens)


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as made:
        yield made


def token(
    caller: Caller | None = None, *, key: Ed25519PrivateKey = SIGNER, kid: str = "k1", minutes: float = 10, issuer: str = ISSUER
) -> str:
    now = Clock().machine()
    caller = caller or Caller("person-1", "candidate", session="s1")
    return encode(caller, kid=kid, key=key, issuer=issuer, token_id="t1", issued=now, expires=now + timedelta(minutes=minutes))


def bearer(*args: Any, **kwargs: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(*args, **kwargs)}"}


RECRUITER = Caller("person-2", "recruiter", org="org-1", bank=True, session="s2")
PERSON = {"name": "Jan", "born": "1990-02-28"}


def test_every_route_states_a_rule(app: Litestar) -> None:
    assert all(handler.opt.get("access") for handler in handlers_of(app))


def test_a_route_without_a_rule_builds_no_app(settings: SampleSettings, mongo: FakeMongo) -> None:
    @get("/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(ImproperlyConfiguredException, match="forgotten"):
        build_api(settings=settings, version="1", routes=[forgotten], mongo=mongo, clock=Clock())


def test_a_route_whose_callers_may_not_state_its_purpose_builds_no_app(settings: SampleSettings, mongo: FakeMongo) -> None:
    @get("/looks", opt={"access": roles("recruiter"), "purposes": purposes("candidate-search")})
    async def looks() -> None: ...

    with pytest.raises(ImproperlyConfiguredException, match="recruiter without access to the bank may state none"):
        build_api(settings=settings, version="1", routes=[looks], mongo=mongo, clock=Clock())


async def test_a_visitor_is_welcome_only_where_everybody_is(client: httpx.AsyncClient) -> None:
    assert (await client.get("/open")).json() == {"role": "visitor"}
    refused = await client.get("/me")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_good_token_names_its_caller(client: httpx.AsyncClient) -> None:
    assert (await client.get("/me", headers=bearer())).json() == {"subject": "person-1", "role": "candidate"}


async def test_the_rule_is_kept(client: httpx.AsyncClient) -> None:
    purpose = {"Purpose": "candidate-search"}
    without_bank = Caller("person-2", "recruiter", org="org-1", session="s2")
    assert (await client.get("/bank", headers=bearer(RECRUITER) | purpose)).json() == {"purpose": "candidate-search"}
    assert (await client.get("/bank", headers=bearer(without_bank) | purpose)).status_code == 403
    assert (await client.get("/bank", headers=bearer() | purpose)).status_code == 403


@pytest.mark.parametrize("sent", [{}, {"Purpose": "own-data"}, {"Purpose": "curiosity"}])
async def test_a_purpose_that_is_not_permitted_is_refused_and_named(client: httpx.AsyncClient, sent: dict[str, str]) -> None:
    refused = await client.get("/bank", headers=bearer(RECRUITER) | sent)
    assert refused.status_code == 403
    assert refused.json()["header"] == "Purpose"
    assert refused.json()["permitted"] == ["candidate-search", "contact-candidate"]
    assert "curiosity" not in refused.text


async def test_a_purpose_that_the_route_permits_to_others_is_refused(client: httpx.AsyncClient) -> None:
    manager = Caller("person-3", "hiring-manager", org="org-1", session="s3")
    for caller, stated, status in (
        (RECRUITER, "contact-candidate", 200),
        (manager, "application-assessment", 200),
        (manager, "contact-candidate", 403),
    ):
        answer = await client.get("/application", headers=bearer(caller) | {"Purpose": stated})
        assert answer.status_code == status, (caller.role, stated)


async def test_another_organisations_id_is_refused(client: httpx.AsyncClient) -> None:
    own = await client.post("/organisations/org-1/vacancies", json=PERSON, headers=bearer(RECRUITER))
    other = await client.post("/organisations/org-2/vacancies", json=PERSON, headers=bearer(RECRUITER))
    assert (own.status_code, other.status_code, HANDLED) == (201, 403, ["org-1"])


async def test_a_system_client_needs_the_scope(client: httpx.AsyncClient) -> None:
    for scopes, status in (({"vacancies:write"}, 201), ({"vacancies:read"}, 403)):
        system = Caller("client-1", "system", org="org-1", scopes=frozenset(scopes), session="c1")
        answer = await client.post("/organisations/org-1/vacancies", json=PERSON, headers=bearer(system))
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"born": "1990-02-28"}, {("name", "required")}),
        ({**PERSON, "shoe_size": 43}, {("shoe_size", "unknown")}),
        ({**PERSON, "born": "2023-02-30"}, {("born", "date_from_datetime_parsing")}),
        ({**PERSON, "name": "a name that is too long"}, {("name", "string_too_long")}),
        ({**PERSON, "languages": ["secretive", "xx"]}, {("languages", "value_error")}),
        ({**PERSON, "purpose": 7}, {("purpose", "string_type")}),  # the name of a dependency, for which Litestar answers 500
        ([], {("body", "model_type")}),
        (None, {("body", "required")}),
    ],
)
async def test_an_invalid_body_names_field_and_rule_and_echoes_nothing(
    client: httpx.AsyncClient, body: Any, errors: set[Any]
) -> None:
    answer = await client.post("/organisations/org-1/vacancies", json=body, headers=bearer(RECRUITER))
    problem = answer.json()
    assert answer.status_code == 422, problem
    assert {(e["field"], e["rule"]) for e in problem["errors"]} == errors
    assert "too long" not in answer.text.replace("characters", "")
    assert "2023" not in answer.text
    assert "secretive" not in answer.text
    assert HANDLED == []


async def test_a_body_that_does_not_parse_is_unreadable(client: httpx.AsyncClient) -> None:
    sent = {"Content-Type": "application/json"} | bearer(RECRUITER)
    for content in (
        b'{"name": ',
        b"\xff\xfe",
        b"Jan",
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
    ):
        answer = await client.post("/organisations/org-1/vacancies", content=content, headers=sent)
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:kandidatenbank:problem:unreadable")
        assert "Jan" not in answer.text


async def test_a_body_of_another_kind_or_size_is_refused(client: httpx.AsyncClient) -> None:
    url = "/organisations/org-1/vacancies"
    form = await client.post(url, content=b"name=Jan", headers=bearer(RECRUITER) | {"Content-Type": "text/plain"})
    large = await client.post(url, json={**PERSON, "name": "x" * 5_000_000}, headers=bearer(RECRUITER))
    linked = await client.post(url, json=PERSON, headers=bearer(RECRUITER) | {"Content-Type": "application/ld+json"})
    assert (form.status_code, large.status_code, linked.status_code) == (415, 413, 201)
    assert large.json()["title"]


async def test_parameters_are_named_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/needs")).json()["errors"] == [{"field": "amount", "rule": "required"}]
    wrong = await client.get("/needs?amount=jan")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "amount")
    assert "jan" not in wrong.text


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("sleeping", 409, "sleeping"),
        ("field", 422, "invalid"),
        ("bug", 500, "unexpected"),
        ("away", 503, "unavailable"),
        ("busy", 503, "unavailable"),
        ("conflict", 503, "unavailable"),
        ("duplicate", 500, "unexpected"),
    ],
)
async def test_whatever_is_raised_becomes_a_problem(client: httpx.AsyncClient, how: str, status: int, code: str) -> None:
    answer = await client.get(f"/fails/{how}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:kandidatenbank:problem:{code}")
    assert "example.nl" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_unknown_paths_and_methods_are_problems_with_an_id(client: httpx.AsyncClient) -> None:
    lost = await client.get("/nowhere", headers={"X-Request-Id": "from-the-gateway"})
    wrong = await client.delete("/open")
    assert (lost.status_code, wrong.status_code, wrong.headers["allow"]) == (404, 405, "GET, OPTIONS")
    assert lost.json()["instance"] == lost.headers["x-request-id"] == "from-the-gateway"
    assert lost.headers["x-content-type-options"] == "nosniff"
    forged = await client.get("/nowhere", headers={"X-Request-Id": "<b>no</b>"})
    assert len(forged.json()["instance"]) == 36


@pytest.mark.parametrize(
    ("liked", "title"), [("", "Niet gevonden"), ("en-GB,nl;q=0.5", "Not found"), ("en;q=0.3, nl", "Niet gevonden")]
)
async def test_problems_speak_the_callers_language(client: httpx.AsyncClient, liked: str, title: str) -> None:
    assert (await client.get("/nowhere", headers={"Accept-Language": liked})).json()["title"] == title


@pytest.mark.parametrize(
    ("sent", "status"), [(None, 428), ('"6"', 412), ('"7"', 200), ('W/"7"', 412), ("*", 412), ('"6", "7"', 200)]
)
async def test_an_update_says_what_it_changes(client: httpx.AsyncClient, sent: str | None, status: int) -> None:
    answer = await client.put("/profile", json=PERSON, headers=bearer() | ({"If-Match": sent} if sent else {}))
    assert answer.status_code == status
    assert answer.headers.get("etag") == {412: '"7"', 200: '"8"'}.get(status)


async def test_pages_follow_each_other_without_gap_or_double(client: httpx.AsyncClient) -> None:
    url: str | None = "/numbers?limit=10&even=true"
    seen: list[int] = []
    while url:
        answer = (await client.get(url)).json()
        seen, url = seen + answer["items"], answer["next"]
    assert seen == list(range(2, 46, 2))


async def test_a_cursor_serves_only_its_own_query(client: httpx.AsyncClient) -> None:
    following = (await client.get("/numbers?even=true")).json()["next"]
    for url in (
        following.replace("even=true", "even=false"),
        following[:-2] + "xx",
        "/numbers?after=%C3%A9",
        "/numbers?limit=0",
        "/numbers?limit=101",
    ):
        answer = await client.get(url)
        assert (answer.status_code, answer.json()["errors"][0]["field"] in {"after", "limit"}) == (422, True), url


async def test_a_mailed_page_shows_on_get_and_head_and_acts_on_post(client: httpx.AsyncClient) -> None:
    shown, head = await client.get("/pages/renew/s3cret"), await client.head("/pages/renew/s3cret")
    assert HANDLED == []
    acted = await client.post("/pages/renew/s3cret", data={"List-Unsubscribe": "One-Click"})
    assert (shown.status_code, head.status_code, acted.status_code, HANDLED) == (200, 200, 200, ["s3cret"])
    assert "Verleng &lt;nu&gt;" in shown.text
    assert '<form method="post">' in shown.text
    assert "<form" not in acted.text
    assert "<script" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert (shown.headers["cache-control"], shown.headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_a_page_fails_as_a_page(client: httpx.AsyncClient) -> None:
    failed = await client.get("/pages/renew/away?lang=en")
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "2")
    assert "<h1>Try again in a moment</h1>" in failed.text


async def test_health_tells_what_is_missing(client: httpx.AsyncClient) -> None:
    live, ready = await client.get("/health/live"), await client.get("/health/ready")
    assert (live.status_code, live.json()["status"]) == (200, "alive")
    assert datetime.fromisoformat(live.json()["domain_time"]).tzinfo is not None
    assert (ready.status_code, ready.json()) == (503, {"status": "waiting", "missing": ["mongo"]})


async def test_beside_the_document_of_the_api_unknown_paths_are_problems_too(client: httpx.AsyncClient) -> None:
    for path in ("/api/sample/v1/nowhere", "/api/sample/v1"):
        lost = await client.get(path)
        assert (lost.status_code, lost.json()["type"]) == (404, "urn:kandidatenbank:problem:not-found")


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/sample/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["paths"]["/me"]["get"]["security"] == [{"token": []}]
    assert "security" not in document["paths"]["/open"]["get"]
    problem = document["paths"]["/me"]["get"]["responses"]["422"]["content"]["application/problem+json"]["schema"]
    assert "ProblemDocument" in str(problem)
    named = {
        path: {p["name"] for op in item.values() for p in op.get("parameters", ())} for path, item in document["paths"].items()
    }
    assert named["/profile"] == {"If-Match"}
    assert named["/bank"] == {"Purpose"}
    assert named["/numbers"] == {"limit", "after", "even"}
    assert not any(path.startswith("/health") for path in document["paths"])


def test_a_problem_can_be_raised_with_its_own_words() -> None:
    problem = Problem("No", status=418, code="teapot", more="x")
    assert (problem.status, problem.code, problem.more) == (418, "teapot", {"more": "x"})


async def measured(client: httpx.AsyncClient) -> Figures:
    return Figures.read((await client.get("/metrics")).text)


async def test_requests_are_measured_by_template_and_a_strange_path_or_method_makes_no_series(
    app: Litestar, client: httpx.AsyncClient
) -> None:
    before = (await measured(client)).values.get("kandidatenbank_http_request_seconds_count", {}).keys()
    await client.get("/fails/sleeping")
    await client.get("/health/live")
    for strange in ("/fails/a/b", "/nothing/%00"):
        await client.get(strange)
    await client.request("BREW", "/open")
    await client.request("BREW", "/fails/field")
    page = await measured(client)
    seen = page.values["kandidatenbank_http_request_seconds_count"]
    assert seen["GET", "/fails/{how}", "4xx"] >= 1
    made = seen.keys() - before  # other applications of this process have series too
    assert {method for method, _, _ in made} <= {"GET", "HEAD", "POST", "PUT", "OPTIONS"}
    assert {route for _, route, _ in made} <= {route.path_format for route in app.routes} - {"/metrics", "/health/live"}


async def test_refusals_are_counted_by_their_reason(client: httpx.AsyncClient) -> None:
    before = await measured(client)
    await client.get("/me", headers={"Authorization": "Bearer nonsense"})
    await client.get("/bank", headers=bearer(RECRUITER))
    await client.get("/bank", headers=bearer())
    after = await measured(client)
    refusals = [
        (page.get("http_refusals_total", reason) or 0) for reason in ("token", "purpose", "access") for page in (before, after)
    ]
    assert [refusals[1] - refusals[0], refusals[3] - refusals[2], refusals[5] - refusals[4]] == [1, 1, 1]


async def test_the_page_of_metrics_names_what_readiness_misses(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert Figures.read(answer.text).get("missing", "mongo") == 1
