"""'Send the sealed details again': how a service asks for details that it can no longer open."""

from datetime import date, timedelta
from typing import Literal

from contracts.envelope import HAPPENING, Event, Topic
from contracts.kinds import Id


class ResealEvent(Event):
    """The sealed details of this person are wanted once more.

    Happens when a box arrives whose key is destroyed, or when the asker lost its store. The details' owner answers by writing
    its stream's state again under a new sequence, sealed to a living key; an owner that knows nothing of the person does nothing.
    """

    subject: Id
    reason: Literal["dark", "rebuilt"]
    asked_on: date

    @property
    def key(self) -> str:
        """The person."""
        return self.subject


def topic(service: str, *, followed_by: tuple[str, ...]) -> Topic:
    """The topic on which this service asks for details again."""
    return Topic(
        f"{service}.reseal.v1",
        kind=HAPPENING,
        key="subject",
        says="Send the sealed details of this person again: the box is dark, or the store was rebuilt.",
        followed_by=followed_by,
        kept=timedelta(days=30),
    )


def sample() -> dict[str, object]:
    """Values of a request because a box is dark."""
    return {"subject": "0198c0de-0000-7000-8000-000000000001", "reason": "dark", "asked_on": "2026-04-01"}
