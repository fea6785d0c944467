"""What was found after a round, as plain values: what the APIs answer, what stands in databases and topics, what was mailed.

`observing.py` fills it in from the site, tests forge one by hand, and `checker.py` compares it with the ledger.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from testkit.faults.ledger import Thing


@dataclass(frozen=True)
class Seen:
    """A thing as it is now. `count` is how often an effect is there; with `exact` unset, fewer are right as well."""

    value: Hashable = None
    count: int | None = None
    exact: bool = True


@dataclass(frozen=True)
class Life:
    """Where a candidate stands, by their own word and by what others see."""

    state: str
    reason: str | None = None
    answer_before: str | None = None
    in_bank: bool = False
    opened: bool = False
    """A recruiter who has the handle can open the profile."""
    found: bool = False
    """It lies in the projection that is searched."""


@dataclass(frozen=True)
class Fact:
    """One event on a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    sequence: int
    id: str

    @property
    def position(self) -> str:
        """Where it lies."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True)
class QueuedMail:
    """One mail of the queue, as its log keeps it."""

    cause: str
    subject: str
    template: str
    state: str
    reason: str | None = None
    old: bool = False
    """It had ended before the round began."""


@dataclass(frozen=True)
class Copy:
    """A line of the mail server's record: it took a copy, or it knows that the sender heard so."""

    message_id: str
    to: str
    heard: bool = False
    old: bool = False
    """Written before the round began."""


@dataclass(frozen=True)
class Word:
    """What an organisation's system was told by one record."""

    topic: str
    key: str
    sequence: int
    body: dict[str, Any] | None
    raw: str = ""
    """The whole record as text, headers included."""


@dataclass(frozen=True)
class Asked:
    """What an organisation has to forget, as the API lists it."""

    reminders: int
    fewest: int
    """How often it had to be asked again by now."""
    most: int
    """How often at most: a process's clock may have been wrong."""
    late_on: date
    """The day on which the term is over."""


@dataclass(frozen=True)
class Outside:
    """One organisation's system: what it was told in this round, what it holds and what it is asked to forget."""

    organisation: str
    prompt: bool
    """It acknowledges at once what it forgot; otherwise only what it is late with, before a round begins."""
    words: list[Word]
    held: frozenset[str]
    """The handles that it holds, as it followed."""
    replayed: frozenset[str]
    """Those that it would hold had it read both topics from their beginning now."""
    asked: dict[str, int]
    """Handle -> how often it had been asked before, by the last words of its own topic."""
    listed: dict[str, Asked]
    reported: frozenset[str] = frozenset()
    """The handles with which operators see it late."""


@dataclass
class World:
    """One look at everything."""

    today: date
    answers: dict[Thing, Seen] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    left: dict[str, dict[str, int]] = field(default_factory=dict)
    """Subject of somebody who asked to be erased -> what is left of them, by place."""
    requests: dict[str, str] = field(default_factory=dict)
    """Subject -> the request to erase them."""
    opened: set[str] = field(default_factory=set)
    """Subjects of those whose last handle still opens a profile."""
    ended: dict[str, int] = field(default_factory=dict)
    """Subject -> how many sessions still work that an acknowledged sign-out ended."""
    unready: dict[str, str] = field(default_factory=dict)
    """Processes that do not run, and what the supervisor says of them."""
    outbox: dict[str, int] = field(default_factory=dict)
    highest_outbox: int = 0
    facts: list[Fact] = field(default_factory=list)
    """Events, apart from what a fault put there."""
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    """(topic, partition) -> the last record's offset."""
    followers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Topic -> services that follow it."""
    gapless: frozenset[str] = frozenset()
    """Topics whose aggregates tell of each of their steps."""
    committed: dict[tuple[str, str, int], int] = field(default_factory=dict)
    """(service, topic, partition) -> the next offset."""
    inbox: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """(service, topic, key) -> the last sequence applied."""
    aggregates: dict[tuple[str, str], int] = field(default_factory=dict)
    """(topic, key) -> the sequence of the state."""
    away: list[tuple[float, float]] = field(default_factory=list)
    """From when to when Kafka was away."""
    set_aside: dict[str, str] = field(default_factory=dict)
    """New dead letters and parked keys: what it is -> `topic/partition/offset` or key."""
    poisoned: frozenset[str] = frozenset()
    """Positions of records that a fault had poisoned."""
    queue: list[QueuedMail] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    due: dict[str, int] = field(default_factory=dict)
    """What jobs have left undone, by name."""
    personal: list[str] = field(default_factory=list)
    """Lines of logs with something personal in them."""
    outside: list[Outside] = field(default_factory=list)
    in_bank: dict[str, str] = field(default_factory=dict)
    """Handle -> subject of everybody who lies in the projection that is searched, of whatever round."""
    leavers: dict[str, str] = field(default_factory=dict)
    """Subject -> last handle of those whose wish to be erased was acknowledged."""
    too_much: list[str] = field(default_factory=list)
    """Records for systems outside that say who somebody is."""
