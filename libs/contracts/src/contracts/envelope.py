"""What every event has in common: its topic, its envelope (CloudEvents 1.0, Kafka binding, binary mode) and its base class."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from contracts.prefixes import owner_of

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
TYPE_PREFIX = "nl.kandidatenbank"
PARAMETER = "{id}"
"""Stands for the receiver in the name of a family of topics."""

# Names of the record headers. All are UTF-8 text; the key of the record is the id of the aggregate.
HEADER_SPEC_VERSION = "ce_specversion"
HEADER_ID = "ce_id"
HEADER_SOURCE = "ce_source"
HEADER_TYPE = "ce_type"
HEADER_SUBJECT = "ce_subject"
HEADER_TIME = "ce_time"
HEADER_SEQUENCE = "ce_sequence"
HEADER_CONTENT_TYPE = "content-type"
HEADER_TRACE = "traceparent"

REQUIRED_HEADERS = (HEADER_SPEC_VERSION, HEADER_ID, HEADER_SOURCE, HEADER_TYPE, HEADER_SUBJECT, HEADER_TIME, HEADER_SEQUENCE)


class Kind(StrEnum):
    """How long a topic remembers, and so what a new consumer may conclude from reading it from its beginning."""

    STREAM = "stream"
    """State: compacted, the last event of each key stays; whoever reads it from the beginning has the world."""

    HAPPENING = "happening"
    """Something that happened once and is no state: gone after a term."""


STREAM = Kind.STREAM
HAPPENING = Kind.HAPPENING


def _milliseconds(term: timedelta) -> str:
    return str(int(term / timedelta(milliseconds=1)))


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic: its name, what its events say and to whom, and how the broker keeps it."""

    name: str = field(kw_only=False)
    kind: Kind
    key: str
    """What the record's key is, in words."""
    says: str
    """What an event says, in one sentence."""
    followed_by: tuple[str, ...]
    """The services that subscribe; a test compares it with what they really subscribe to."""
    tombstone: str = ""
    """What a consumer does when the key's value is taken away; every stream says so."""
    kept: timedelta | None = None
    """After this term events go; None keeps a stream's last events for ever."""
    partitions: int = 12
    family: str = ""
    """The name of the family, `organisation.{id}.v1`, that this topic is one of."""

    def __post_init__(self) -> None:
        """Refuse a topic that leaves a consumer guessing."""
        if self.name.count(".") != 2 or not self.name.rpartition(".v")[2].isdigit():
            raise ValueError(f"{self.name}: a topic is named <service>.<stream>.v<N>")
        if self.kind is STREAM and not self.tombstone:
            raise ValueError(f"{self.name}: a stream states what its tombstone means")
        if self.kind is HAPPENING and (self.tombstone or self.kept is None):
            raise ValueError(f"{self.name}: a happening has no tombstone and states how long it is kept")

    def of(self, receiver: str) -> Self:
        """Return the one topic of a family that is this receiver's; its id has no dot, or it would name another topic."""
        if PARAMETER not in self.name or not re.fullmatch(r"[A-Za-z0-9-]{1,100}", receiver):
            raise ValueError(f"{self.name}: no topic of {receiver!r}")
        return replace(self, name=self.name.replace(PARAMETER, receiver), family=self.name)

    @property
    def owner(self) -> str:
        """The one service that writes this topic."""
        return owner_of(self.name)

    @property
    def stream(self) -> str:
        """The middle of the name: what the topic is about. Of a family, whose middle is a receiver, the beginning."""
        name = self.family or self.name
        return name.split(".")[0 if PARAMETER in name else 1]

    @property
    def version(self) -> int:
        """The number at the end of the name; a breaking change is a new one."""
        return int(self.name.rpartition(".v")[2])

    @property
    def event_type(self) -> str:
        """The value of `ce_type`; the same for all topics of a family."""
        return f"{TYPE_PREFIX}.{(self.family or self.name).replace(f'{PARAMETER}.', '')}"

    @property
    def source(self) -> str:
        """The value of `ce_source`."""
        return f"/{self.owner}"

    @property
    def configs(self) -> dict[str, str]:
        """How the broker keeps it. Compaction has no lag, so that what was replaced or erased leaves the disk within a day."""
        if self.kind is HAPPENING:
            return {"cleanup.policy": "delete", **self._retention()}
        policy = "compact" if self.kept is None else "compact,delete"
        lag = {"min.compaction.lag.ms": "0", "max.compaction.lag.ms": _milliseconds(timedelta(days=1))}
        return {"cleanup.policy": policy, **lag, **self._retention()}

    def _retention(self) -> dict[str, str]:
        return {} if self.kept is None else {"retention.ms": _milliseconds(self.kept)}


class Body(BaseModel):
    """Part of an event: immutable, and read tolerantly, since a newer producer may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Event(Body):
    """An event's body: the whole state of its aggregate that other services may know."""

    topic: ClassVar[Topic]

    @property
    def key(self) -> str:
        """The record's key: the id of the aggregate."""
        raise NotImplementedError
