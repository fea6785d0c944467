"""The story of one registration is one trace, from the gateway to the mail and every follower, and names no person."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from chassis.ids import random_bytes
from testkit.cast import Cast
from testkit.portal import PASSWORD, Portal, ok
from testkit.spans import Collected, Collector, collecting
from testkit.stack import Stack
from testkit.waiting import eventually

FOLLOWERS = ("profiles", "consent", "notifications")


@pytest.fixture
def collector(stack: Stack) -> Iterator[Collector]:
    """Where all processes of the instance send their spans; nobody listens there otherwise."""
    with collecting(stack.instance.port("otlp")) as (made, _):
        yield made


async def test_the_story_of_one_registration_is_one_tree_without_the_person(
    cast: Cast, portal: Portal, collector: Collector
) -> None:
    trace, root = random_bytes(16).hex(), random_bytes(8).hex()
    traced = {"traceparent": f"00-{trace}-{root}-01"}
    email = cast.email("spoor")
    body = {"email": email, "password": PASSWORD, "language": "nl"}
    ok(await portal.visitor.post("identity/v1/registrations", body, headers=traced))
    link = (await portal.mailbox.wait(email, link="/pages/confirm/")).link("/pages/confirm/")
    ok(await portal.http.post(link, headers=traced))

    def told() -> bool:  # spans come in the order in which processes send them, not in that of the story
        found = collector.of(trace)
        assert not missing(found), names(found)
        assert not orphans(found, root)
        return True

    await eventually(told, timeout=60)
    spans = collector.of(trace)
    assert len({span.id for span in spans}) == len(spans)
    assert not [(span.service, span.name, span.fields) for span in spans if span.failed]
    secret = urlsplit(link).path.rpartition("/")[2]
    personal = (email, email.partition("@")[0], cast.mark, PASSWORD, secret, "@post.example")
    assert not [(span.name, word) for span in collector.spans for word in personal if word.lower() in span.text.lower()]


def missing(spans: list[Collected]) -> list[tuple[str, str]]:
    """The steps of the story that have not been told, each below the one before it."""
    return [step for step in STEPS if not reached(spans, *step)]


def orphans(spans: list[Collected], root: str) -> list[str]:
    """The spans whose parent is not there."""
    ids = {span.id for span in spans} | {root}
    return [f"{span.service}:{span.name}" for span in spans if span.parent not in ids]


STEPS = [
    ("identity:POST /api/identity/v1/registrations", "gateway:GET|POST"),
    ("identity:insert|update", "identity:POST /api/identity/v1/registrations"),
    ("identity:commitTransaction", "identity:POST /api/identity/v1/registrations"),
    ("identity:send identity.mail-request.v1", "identity:POST /api/identity/v1/registrations"),
    ("notifications:process identity.mail-request.v1", "identity:send identity.mail-request.v1"),
    ("notifications:send mail", "notifications:process identity.mail-request.v1"),
    ("notifications:SMTP", "notifications:send mail"),
    ("notifications:send notifications.delivery.v1", "notifications:send mail"),
    ("profiles:process notifications.delivery.v1", "notifications:send notifications.delivery.v1"),
    *((f"{one}:process identity.account.v1", "identity:send identity.account.v1") for one in FOLLOWERS),
    ("identity:send identity.account.v1", "identity:POST /api/identity/v1/pages/confirm"),
]


def reached(spans: list[Collected], below: str, above: str) -> bool:
    """Whether some span of the one name lies below one of the other, however many lie between them."""
    parents = {span.id: span for span in spans}
    for span in (span for span in spans if named(span, below)):
        while span.parent in parents:
            span = parents[span.parent]
            if named(span, above):
                return True
    return False


def named(span: Collected, name: str) -> bool:
    service, _, beginnings = name.partition(":")
    return span.service == service and span.name.startswith(tuple(beginnings.split("|")))


def names(spans: list[Collected]) -> Counter[str]:
    return Counter(f"{span.service}:{span.name}" for span in spans)
