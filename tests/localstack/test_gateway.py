"""The gateway in front of services that the test plays: what it lets through, what it refuses, and in which words."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from localstack import instance, supervise
from localstack.instance import ensure, stop
from localstack.layout import Instance, stack
from localstack.services import public_url

pytestmark = pytest.mark.integration
GATEWAY = Instance("gateway")
PROBLEM = "application/problem+json"


class PlayedService(BaseHTTPRequestHandler):
    """Answers with the status that the path's end asks for, and tells what arrived."""

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers.get('X-Request-Id')} {self.headers.get('traceparent')}".encode()
        self.send_response(int(self.path.rsplit("/", 1)[1]))
        self.send_header("Content-Type", "text/x-own")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[httpx.Client]:
    """A client of the running gateway; identity is played, no other service is there."""
    ensure(GATEWAY)
    played = ThreadingHTTPServer(("127.0.0.1", GATEWAY.service_port("identity", "api")), PlayedService)
    Thread(target=played.serve_forever, daemon=True).start()
    with httpx.Client(base_url=public_url(GATEWAY), headers={"Accept-Language": "en"}, trust_env=False) as client:
        yield client
    played.shutdown()
    played.server_close()
    stop(GATEWAY)


def test_a_service_gets_the_full_path(gateway: httpx.Client) -> None:
    assert gateway.get("/api/identity/v1/200").text.startswith("/api/identity/v1/200 ")


def test_a_caller_does_not_choose_its_request_id_and_every_request_has_a_trace(gateway: httpx.Client) -> None:
    _path, request_id, trace = gateway.get("/api/identity/v1/200", headers={"X-Request-Id": "mine-mine"}).text.split(" ")
    assert request_id == "None"
    assert trace.startswith("00-")


@pytest.mark.parametrize("status", [400, 401, 404, 409, 412, 422, 429, 500, 503])
def test_what_a_service_says_arrives_unchanged(gateway: httpx.Client, status: int) -> None:
    answer = gateway.get(f"/api/identity/v1/{status}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/x-own")
    assert answer.text.startswith(f"/api/identity/v1/{status} ")


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/health/live", "/metrics", "/api/identity", "/api/nobody/v1/x", "/api/identity/%2e%2e/%2e%2e/health/live"],
)
def test_what_no_service_has_is_a_problem_document(gateway: httpx.Client, path: str) -> None:
    answer = gateway.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, PROBLEM)
    assert answer.json()["instance"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_a_service_that_is_away_is_a_problem_document(gateway: httpx.Client, method: str) -> None:
    answer = gateway.request(method, "/api/profiles/v1/x")
    assert (answer.status_code, answer.headers["Content-Type"], answer.headers["Retry-After"]) == (502, PROBLEM, "2")


def test_a_body_that_is_too_large_does_not_reach_the_service(gateway: httpx.Client) -> None:
    limit = stack()["gateway"]["body_bytes"]
    assert gateway.post("/api/identity/v1/200", content=b"x" * limit).status_code == 200
    answer = gateway.post("/api/identity/v1/200", content=b"x" * (limit + 1))
    assert (answer.status_code, answer.headers["Content-Type"], answer.json()["title"]) == (
        413,
        PROBLEM,
        "The request is too large",
    )


def test_every_answer_has_the_headers_that_close_it(gateway: httpx.Client) -> None:
    for path in ("/", "/api/identity/v1/200", "/api/profiles/v1/x", "/nothing"):
        headers = gateway.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in headers


def test_the_documentation_needs_nothing_from_elsewhere(gateway: httpx.Client) -> None:
    page = gateway.get("/docs")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.text
    for script in ("/docs/ui/swagger-ui-bundle.js", "/docs/ui/swagger-ui.css", "/assets/docs.js"):
        assert script in page.text
        assert gateway.get(script).is_success
    assert [document["name"] for document in gateway.get("/docs/services.json").json()] == list(stack()["services"])


def test_only_what_runs_older_code_is_stopped(gateway: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "ROOT", tmp_path)
    source = tmp_path / "libs" / "chassis" / "src" / "page.html.j2"
    source.parent.mkdir(parents=True)
    source.touch()
    before, moment = supervise.states(GATEWAY), source.stat().st_mtime
    os.utime(source, (moment, before["pages"]["start"] - 5))
    instance.renew(GATEWAY)
    assert supervise.states(GATEWAY)["pages"]["pid"] == before["pages"]["pid"]
    os.utime(source, (moment, moment))
    instance.renew(GATEWAY)
    after = supervise.states(GATEWAY)
    assert (after["pages"]["statename"], after["gateway"]["pid"]) == ("STOPPED", before["gateway"]["pid"])
    ensure(GATEWAY)
    assert gateway.get("/").is_success


def test_too_many_requests_are_told_so_by_a_problem_document(gateway: httpx.Client) -> None:
    """Last in this file: afterwards the caller has used up its rate."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: gateway.get("/api/identity/v1/200"), range(1200)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {(answer.status_code, answer.headers["Content-Type"]) for answer in refused} == {(429, PROBLEM)}
    assert refused[0].json()["title"] == "Too many requests"
