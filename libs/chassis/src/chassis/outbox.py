"""The outbox: events stand in the service's own database, written in the transaction of the change that they tell of.

One row is one event. The relay (`relay.py`) publishes it and deletes what the broker acknowledged.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Protocol

from pymongo import ASCENDING, IndexModel

COLLECTION = "outbox"
SLOTS = 8
MAX_BYTES = 512 * 1024
"""The largest body; the topics take 1 MB. What is not refused here, at the write, would block its partition in the relay."""

INDEXES = {
    COLLECTION: [
        IndexModel([("slot", ASCENDING), ("topic", ASCENDING), ("key", ASCENDING), ("sequence", ASCENDING)], unique=True),
    ],
}


class EventTopic(Protocol):
    """A topic, as far as the chassis must know it: the contracts' topics fit."""

    @property
    def name(self) -> str:
        """Full name, `<service>.<stream>.v<N>`."""
        ...

    @property
    def event_type(self) -> str:
        """The CloudEvents type of its events."""
        ...

    @property
    def partitions(self) -> int:
        """How many; never raised in place."""
        ...

    @property
    def configs(self) -> Mapping[str, str]:
        """How the broker keeps it."""
        ...


class OutEvent(Protocol):
    """An event, as far as the chassis must know it: the contracts' models fit."""

    topic: ClassVar[Any]

    @property
    def key(self) -> str:
        """The id of the aggregate that it tells of."""
        ...

    def model_dump_json(self) -> str:
        """Return the JSON body."""
        ...


class EventTooLargeError(Exception):
    """An event is larger than its topic takes; the change is refused."""


def slot_of(key: str) -> int:
    """Return the slot of an aggregate: always the same, so that one relay publishes all its events in order."""
    return zlib.crc32(key.encode()) % SLOTS


def row(
    *, event_id: str, topic: EventTopic, key: str, sequence: int, body: bytes | None, at: datetime, traceparent: str
) -> dict[str, Any]:
    """Return the outbox row of one event; a body of None is a tombstone.

    Raises:
        EventTooLargeError: The body is over `MAX_BYTES`.
    """
    if body is not None and len(body) > MAX_BYTES:
        raise EventTooLargeError(f"{topic.name}: {len(body)} bytes, at most {MAX_BYTES}")
    return {
        "_id": event_id,
        "slot": slot_of(key),
        "topic": topic.name,
        "key": key,
        "sequence": sequence,
        "type": topic.event_type,
        "body": body,
        "time": at,
        "traceparent": traceparent,
    }
