"""What a person was shown, acknowledged, agreed to or withdrew, per purpose and controller."""

from datetime import date
from typing import ClassVar, Literal

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Id, Language

ConsentPurpose = Literal["candidate-search", "contact-candidate", "job-alert", "newsletter"]
"""The purposes that rest on consent."""

PORTAL = "portal"


class DecisionEvent(Event):
    """Where a person stands towards one purpose of one controller.

    Happens when the text was shown, acknowledged, consented to, when consent was withdrawn and when it expired. A consumer may
    act for the purpose while the state is `consented`, and in no other state; no event for a person means no consent.
    """

    topic: ClassVar[Topic] = Topic(
        "consent.decision.v1",
        kind=STREAM,
        key="<subject>:<purpose>:<controller>",
        says="A text was shown, acknowledged, consented to, withdrawn or expired; its version and language.",
        tombstone="The decision is forgotten: act as if there never was consent.",
        followed_by=("profiles", "notifications"),
    )

    subject: Id
    purpose: ConsentPurpose
    controller: Id
    """`portal`, or the id of the organisation that the consent is for."""
    state: Literal["shown", "acknowledged", "consented", "withdrawn", "expired"]
    statement_version: Id
    """Which version of the privacy statement the person saw."""
    language: Language
    """In which language they saw it."""
    decided_on: date
    """The domain day on which this state began."""

    @property
    def key(self) -> str:
        """Person, purpose and controller."""
        return f"{self.subject}:{self.purpose}:{self.controller}"


SAMPLES = (
    DecisionEvent(
        subject="0198c0de-0000-7000-8000-000000000001",
        purpose="candidate-search",
        controller=PORTAL,
        state="consented",
        statement_version="2026-01",
        language="nl",
        decided_on=date(2026, 3, 2),
    ),
    DecisionEvent(
        subject="0198c0de-0000-7000-8000-000000000001",
        purpose="candidate-search",
        controller=PORTAL,
        state="withdrawn",
        statement_version="2026-01",
        language="nl",
        decided_on=date(2026, 6, 15),
    ),
)
