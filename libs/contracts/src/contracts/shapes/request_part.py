"""'My part of this request is done': how a service confirms to consent what it did for a person's request."""

from datetime import date
from typing import Literal

from pydantic import Field

from contracts.envelope import STREAM, Body, Event, Topic
from contracts.kinds import Code, Id

Phase = Literal["services", "identity", "contact", "closed"]
"""How far an erasure is: every service; then identity; then, once the last mail has gone, where it went to; then it is over."""


class Kept(Body):
    """What a service keeps although somebody is erased, because the law asks for it."""

    what: Code
    ground: Code
    """Which rule asks for it."""
    until: date


class RequestPartEvent(Event):
    """What a service has done for a request, up to and including a phase.

    Happens when the service has looked again and found nothing left of what the phase erases. A consumer may conclude that
    nothing of it comes back: the service refuses whatever arrives for that person later.
    """

    request: Id
    subject: Id
    done: Phase
    done_on: date
    counts: dict[Code, int] = Field(default_factory=dict)
    """How many documents went, by what they held."""
    kept: tuple[Kept, ...] = ()
    receipt: Id
    """SHA-256 of what is confirmed, kept by the service too: with it the confirmation can be shown to be this one."""

    @property
    def key(self) -> str:
        """The request."""
        return self.request


def topic(service: str) -> Topic:
    """The topic on which this service confirms its parts."""
    return Topic(
        f"{service}.request-part.v1",
        kind=STREAM,
        key="request",
        says="This service's part of a person's request is done, with counts and a receipt.",
        tombstone="The request's term is over: forget what was confirmed for it.",
        followed_by=("consent",),
    )


def sample() -> dict[str, object]:
    """Values of a confirmed part."""
    return {
        "request": "0198c0de-0000-7000-8000-0000000000e1",
        "subject": "0198c0de-0000-7000-8000-000000000001",
        "done": "services",
        "done_on": "2026-07-01",
        "counts": {"profiles": 1, "renewal-links": 2},
        "kept": [{"what": "access-log", "ground": "gdpr-5-2", "until": "2028-07-01"}],
        "receipt": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }
