"""What a consumer could not handle: evidence for operators, never the content."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from contracts.envelope import HAPPENING, Event, Topic
from contracts.kinds import Code, ErrorText, Id, Trace


class DeadLetterEvent(Event):
    """One record could not be handled by one consumer of this service.

    Happens once per (consumer, topic, partition, offset). An operator finds the record by its position; the content stays with
    the consumer, encrypted, because nobody knows what lies in a record that does not parse.
    """

    origin_topic: Id
    origin_partition: Annotated[int, Field(ge=0)]
    origin_offset: Annotated[int, Field(ge=0)]
    origin_key: Id | None = None
    """None when the original's key is no id: it might hold anything."""
    consumer: Code
    reason: Literal["malformed", "invalid", "failed"]
    """It did not parse; its fields are missing or wrong; the handler failed by itself."""
    attempts: Annotated[int, Field(ge=1)]
    error: ErrorText
    """Class and code of the error, shortened."""
    trace: Trace | None = None

    @property
    def key(self) -> str:
        """The original's key; its position when that is no id."""
        return self.origin_key or f"{self.origin_topic}:{self.origin_partition}:{self.origin_offset}"


def topic(service: str) -> Topic:
    """The topic of what this service's consumers could not handle."""
    return Topic(
        f"{service}.dead-letter.v1",
        kind=HAPPENING,
        key="the original's key",
        says="A record that a consumer of this service could not handle, with its position and the reason.",
        followed_by=(),
        kept=timedelta(days=30),
    )


def sample() -> dict[str, object]:
    """Values of a record whose handler failed five times."""
    return {
        "origin_topic": "identity.account.v1",
        "origin_partition": 3,
        "origin_offset": 41,
        "origin_key": "0198c0de-0000-7000-8000-000000000001",
        "consumer": "profiles",
        "reason": "failed",
        "attempts": 5,
        "error": "KeyError",
        "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
