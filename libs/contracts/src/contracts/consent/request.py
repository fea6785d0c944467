"""Requests of data subjects, as far as they are asked of every service (GDPR, chapter III)."""

from datetime import date
from typing import ClassVar, Literal

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Id
from contracts.shapes.request_part import Phase


class RequestEvent(Event):
    """A person's request, and which services' turn it is.

    Happens when the request is opened and each time its phase moves on. A consumer does what its own phases ask, once, and
    confirms with `<service>.request-part.v1`; an event of a later phase asks for the earlier ones too.
    """

    topic: ClassVar[Topic] = Topic(
        "consent.request.v1",
        kind=STREAM,
        key="request",
        says="A person asked to be erased; whose turn it is to do so.",
        tombstone="The request's term is over: nothing more is asked.",
        followed_by=("identity", "profiles", "notifications"),
    )

    request: Id
    subject: Id
    kind: Literal["erasure"]
    phase: Phase
    opened_on: date
    due_on: date
    """One month after it was opened (GDPR, article 12(3))."""

    @property
    def key(self) -> str:
        """The request."""
        return self.request


SAMPLES = (
    RequestEvent(
        request="0198c0de-0000-7000-8000-0000000000e1",
        subject="0198c0de-0000-7000-8000-000000000001",
        kind="erasure",
        phase="services",
        opened_on=date(2026, 7, 1),
        due_on=date(2026, 8, 1),
    ),
)
