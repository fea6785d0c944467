"""The inbox: which event of each aggregate was applied last, moved forward in the transaction of its effect.

A lower or equal sequence is a no-op, so redelivery, a relay's second copy and a replay of everything are harmless. Rows are
never removed: they outlive the aggregate, or an old event would bring it back.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from chassis.outbox import EventTopic
from chassis.uow import UnitOfWork

COLLECTION = "inbox"
MAX_SEQUENCE = 2**63 - 1
"""What the database can hold; a higher one could neither be applied nor set aside."""
E = TypeVar("E")
P = TypeVar("P")
Record: TypeAlias = "ConsumerRecord[bytes, bytes]"


@dataclass(frozen=True, slots=True)
class Incoming(Generic[E]):
    """One event as it arrived. `event` is None for a tombstone: the aggregate is gone."""

    record: Record
    topic: str
    key: str
    id: str
    type: str
    sequence: int
    time: datetime
    trace: str | None
    event: E | None

    @property
    def row_id(self) -> str:
        """Return the name of its inbox row: a key means something within its topic only."""
        return f"{self.topic}|{self.key}"


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that no handler can get: `malformed` (does not parse) or `invalid` (not what its type promises)."""

    record: Record
    reason: str
    error: str

    @property
    def trace(self) -> str | None:
        """Return the `traceparent` that came with it, as far as it can be read."""
        found = (value for name, value in self.record.headers if name == "traceparent" and value)
        return next((value.decode("ascii", "replace") for value in found), None)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record of a type that is unknown here: a newer producer may say more."""

    record: Record
    type: str


Handler = Callable[[Incoming[Any], UnitOfWork], Awaitable[None]]


@dataclass(frozen=True)
class Subscription:
    """One line in a service's list: which event, and who handles it.

    `when_parked` runs instead of the handler when a failing handler parks the key: what a person relies on for protection
    (withdrawn, anonymised, closed) hides them there until an operator resolves it.
    """

    event: Any
    handler: Handler
    when_parked: Handler | None = None

    @property
    def topic(self) -> EventTopic:
        """Return the event's topic."""
        topic: EventTopic = self.event.topic
        return topic


@dataclass(frozen=True)
class Listens(Generic[P]):
    """One line of what a service listens to, as its composition root states it: handlers are made from its parts."""

    event: Any
    handler: Callable[[P], Handler]
    when_parked: Callable[[P], Handler] | None = None

    @property
    def topic(self) -> EventTopic:
        """Return the event's topic."""
        topic: EventTopic = self.event.topic
        return topic

    def bound(self, made: P) -> Subscription:
        """Return the subscription with its handlers made."""
        return Subscription(self.event, self.handler(made), self.when_parked(made) if self.when_parked else None)


def decode(record: Record, subscriptions: Mapping[tuple[str, str], Subscription]) -> Incoming[Any] | Poison | Skipped:
    """Read one record (CloudEvents 1.0, Kafka binding, binary mode). Never raises: what it cannot read is the answer."""
    try:
        headers = {name: (value or b"").decode() for name, value in record.headers}
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        return Poison(record, "malformed", "headers or key are not UTF-8")
    missing = [name for name in ("ce_id", "ce_source", "ce_type", "ce_time", "ce_sequence") if not headers.get(name)]
    if headers.get("ce_specversion") != "1.0" or missing or not key:
        return Poison(record, "malformed", f"missing: {', '.join([*missing, *([] if key else ['key'])]) or 'ce_specversion 1.0'}")
    subscription = subscriptions.get((record.topic, headers["ce_type"]))
    if subscription is None:
        return Skipped(record, headers["ce_type"])
    try:
        sequence, time = int(headers["ce_sequence"]), datetime.fromisoformat(headers["ce_time"])
        event = None if record.value is None else subscription.event.model_validate_json(record.value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Poison(record, "malformed" if first["type"] == "json_invalid" else "invalid", f"{where}: {first['type']}")
    except ValueError:
        return Poison(record, "malformed", "ce_sequence or ce_time cannot be read")
    if not 0 < sequence <= MAX_SEQUENCE:
        return Poison(record, "malformed", "ce_sequence counts nothing")
    if event is not None and event.key != key:
        return Poison(record, "invalid", "key: is not the body's")
    return Incoming(
        record, record.topic, key, headers["ce_id"], headers["ce_type"], sequence, time, headers.get("traceparent"), event
    )


async def applied(uow: UnitOfWork, items: Iterable[Incoming[Any]]) -> dict[str, int]:
    """Return the last applied sequence of each item's aggregate, read in the running transaction."""
    rows = await uow.find(COLLECTION, {"_id": {"$in": sorted({item.row_id for item in items})}})
    return {row["_id"]: row["sequence"] for row in rows}


def move(uow: UnitOfWork, sequences: Mapping[str, int]) -> None:
    """Move the rows forward."""
    for row_id, sequence in sequences.items():
        uow.replace(COLLECTION, {"_id": row_id, "sequence": sequence}, upsert=True)
