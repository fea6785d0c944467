"""R38: operators see what happens, on each process's own port; nobody sees it through the gateway, and it names nobody."""

import re

import httpx
import pytest
from contracts.topics import EVENTS
from localstack.figures import Page
from localstack.layout import services
from notifications.templates import TEMPLATES
from testkit.cast import Candidate, Cast
from testkit.portal import Portal
from testkit.stack import Stack
from testkit.waiting import eventually

PROCESSES = [(service, process) for service in services() for process in ("api", "worker")]
TOPICS = {event.topic.name for event in EVENTS}
VALUES = {
    "method": re.compile("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"),
    "status": re.compile("[1-5]xx"),
    "scope": re.compile("recruiter|organisation"),
    "topic": re.compile("|".join(map(re.escape, TOPICS))),
    "template": re.compile("|".join(map(re.escape, TEMPLATES))),
    "route": re.compile(r"(/[a-z0-9._-]+|/\{[a-z_]+\})+"),
    **dict.fromkeys(("outcome", "reason", "dependency", "source", "name"), re.compile("[a-z_-]+")),
    "task": re.compile("[a-z-]+(:[0-9])?"),
    "le": re.compile(r"[0-9.]+|\+Inf"),
}
"""What each label may be; everything else could be somebody's."""


async def page_of(stack: Stack, service: str, process: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{stack.instance.service_port(service, process)}/metrics", timeout=20)
    return answer.raise_for_status().text


@pytest.mark.parametrize(("service", "process"), PROCESSES, ids=["-".join(one) for one in PROCESSES])
async def test_r38_every_label_of_a_process_is_from_its_closed_set(
    stack: Stack, candidate: Candidate, service: str, process: str
) -> None:
    text = await page_of(stack, service, process)
    labels = {found for line in text.splitlines() if not line.startswith("#") for found in re.findall(r'(\w+)="([^"]*)"', line)}
    assert labels
    assert [(label, value) for label, value in labels if not VALUES[label].fullmatch(value)] == []
    assert candidate.email not in text


async def test_r38_the_story_of_a_candidate_is_seen_in_the_numbers(stack: Stack, cast: Cast) -> None:
    """Of one who comes now: a process that was started again has counted nothing of what was before."""
    await cast.active()
    registered = Page.read(await page_of(stack, "identity", "api")).all("http_request_seconds_count")
    assert registered["POST", "/api/identity/v1/registrations", "2xx"] >= 1
    assert Page.read(await page_of(stack, "identity", "api")).get("sign_ins_total", "signed-in")
    worker = Page.read(await page_of(stack, "notifications", "worker"))
    assert worker.get("mails_total", "accepted", "taken", "confirm-address")
    profiles = Page.read(await page_of(stack, "profiles", "worker"))
    assert profiles.get("consumer_events_total", "applied", "consent.decision.v1")
    assert profiles.get("relay_events_total")
    assert (profiles.get("consumer_flooded"), profiles.get("missing", "mongo")) == (0, 0)


async def test_r38_nothing_is_left_behind_and_everything_is_read(stack: Stack, candidate: Candidate) -> None:
    async def quiet() -> bool:
        pages = [Page.read(await page_of(stack, service, "worker")) for service in services()]
        return all(
            page.get("outbox_rows") == 0
            and not any(page.all("consumer_lag_events").values())
            and not any(page.all("unread").values())
            for page in pages
        )

    assert await eventually(quiet, timeout=60)


@pytest.mark.parametrize("path", ["/metrics", "/api/{}/metrics", "/api/{}/../metrics", "/api/{}/%2e%2e/%2e%2e/metrics"])
@pytest.mark.parametrize("service", services())
async def test_r38_the_gateway_shows_no_metrics(portal: Portal, service: str, path: str) -> None:
    answer = await portal.http.get(path.format(service))
    assert answer.status_code == 404
    assert "kandidatenbank_" not in answer.text
