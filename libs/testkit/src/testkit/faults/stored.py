"""Looks into the services' databases as root, past every rule that the services keep."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chassis.clock import Clock, day_of
from pymongo import MongoClient

from testkit.faults.world import QueuedMail

SERVICES = ("identity", "profiles", "consent", "notifications")
STATES = {
    "identity.account.v1": ("identity", "accounts"),
    "profiles.profile.v1": ("profiles", "profiles"),
    "profiles.vacancy.v1": ("profiles", "vacancies"),
    "consent.decision.v1": ("consent", "decisions"),
    "outward.bank.v1": ("notifications", "outward_handles"),
}
"""Where the state lies that a topic tells of; `_id` is the key, `sequence` its version."""
GAPLESS = frozenset({"profiles.profile.v1", "profiles.vacancy.v1", "consent.decision.v1", "outward.bank.v1"})
"""Of these every step is told; an account's sequence also counts steps that are nobody else's business."""
ASIDE = ("dead_letters", "parked")
TERM = timedelta(hours=72)
"""In which organisations have to forget; then nothing tells of a handle any more."""


@dataclass
class Stored:
    """The databases of one instance. `begin` notes what is there before a round."""

    url: str
    clock: Clock
    aside: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    client: MongoClient[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Connect at the first use."""
        self.client = MongoClient(self.url, tz_aware=True, serverSelectionTimeoutMS=15_000, readConcernLevel="majority")

    def close(self) -> None:
        """End the connection."""
        self.client.close()

    def begin(self) -> None:
        """Note what does not belong to the round."""
        self.aside = set(self._aside())
        self.ended = {mail.cause for mail in self.queue() if mail.state != "queued"}

    def outbox(self) -> dict[str, int]:
        """How many rows wait in each outbox."""
        return {service: self.client[service]["outbox"].count_documents({}) for service in SERVICES}

    def set_aside(self) -> dict[str, str]:
        """What was set aside since the beginning: a description, and where the record lay."""
        return {what: position for what, position in self._aside().items() if what not in self.aside}

    def _aside(self) -> dict[str, str]:
        return {
            f"{service} {kind} {row['_id']} ({row['reason']}, {row['error']})": _position(row)
            for service in SERVICES
            for kind in ASIDE
            for row in self.client[service][kind].find()
        }

    def inbox(self, keys: dict[str, set[str]]) -> dict[tuple[str, str, str], int]:
        """How far each service has applied these keys, by topic."""
        names = [f"{topic}|{key}" for topic, several in keys.items() for key in several]
        return {
            (service, *row["_id"].split("|", 1)): row["sequence"]
            for service in SERVICES
            for row in self.client[service]["inbox"].find({"_id": {"$in": names}})
        }

    def sequences(self, keys: dict[str, set[str]]) -> dict[tuple[str, str], int]:
        """The version of the state of these keys, by topic."""
        found: dict[tuple[str, str], int] = {}
        for topic, several in keys.items():
            service, collection, before = _state_of(topic)
            where = {"_id": {"$in": [before + key for key in sorted(several)]}}
            rows = self.client[service][collection].find(where, {"sequence": 1}) if service else ()
            found |= {(topic, row["_id"].removeprefix(before)): row["sequence"] for row in rows}
        return found

    def queue(self) -> list[QueuedMail]:
        """All mails."""
        rows = self.client["notifications"]["mails"].find({}, ("subject", "template", "state", "reason"))
        return [
            QueuedMail(row["_id"], row["subject"], row["template"], row["state"], row["reason"], row["_id"] in self.ended)
            for row in rows
        ]

    def requests(self, subjects: Iterable[str]) -> dict[str, str]:
        """The request of each of these people."""
        rows = self.client["consent"]["requests"].find({"subject": {"$in": list(subjects)}}, {"subject": 1})
        return {row["subject"]: row["_id"] for row in rows}

    def due(self) -> dict[str, int]:
        """What jobs have left to do."""
        now = self.clock.now()
        keys = {f"{name}: keys to destroy": self.client[name]["pending_destruction"].count_documents({}) for name in SERVICES}
        sweep = {"due_on": {"$type": "string", "$lte": day_of(now).isoformat()}}
        erasing = {
            f"{name}: erasures": self.client[name]["erasures"].count_documents({"begun": {"$type": "string"}})
            for name in SERVICES
        }
        requests = self.client["consent"]["requests"].count_documents({"phase": {"$ne": "closed"}})
        return {
            **keys,
            **erasing,
            "consent: open requests": requests,
            "profiles: steps of the year": self.client["profiles"]["profiles"].count_documents(sweep),
            "notifications: vacancies to fan out": self.client["notifications"]["fanouts"].count_documents({}),
            "notifications: news to tell": self.client["notifications"]["news"].count_documents(
                {"$or": [{"state": "now"}, {"state": "collected", "due": {"$lte": now}}]}
            ),
            "notifications: organisations to ask again": self._forgets({"next_at": {"$lte": now}}),
            "notifications: handles to end": self.client["notifications"]["outward_handles"].count_documents(
                {"state": "gone", "gone_at": {"$lte": now - TERM}}
            ),
        }

    def _forgets(self, where: dict[str, Any]) -> int:
        return self.client["notifications"]["forgets"].count_documents({"state": "open", **where})

    def reported(self, organisation: str) -> frozenset[str]:
        """The handles with which operators see an organisation late."""
        where = {"organisation": organisation, "state": "open", "late": True}
        return frozenset(row["handle"] for row in self.client["notifications"]["forgets"].find(where, {"handle": 1}))

    def followers(self) -> list[str]:
        """The organisations whose systems were let in."""
        return [row["_id"] for row in self.client["notifications"]["followers"].find()]

    def in_bank(self) -> dict[str, str]:
        """Whose handles lie in the projection that recruiters search."""
        return {row["handle"]: row["_id"] for row in self.client["profiles"]["bank"].find({}, {"handle": 1})}


def _state_of(topic: str) -> tuple[str, str, str]:
    """Return database and collection of the state that a topic tells of, and what stands there before the key."""
    if topic.startswith("organisation."):
        return "notifications", "forgets", f"{topic.split('.')[1]}:"
    return (*STATES.get(topic, ("", "")), "")


def _position(row: dict[str, Any]) -> str:
    return f"{row['topic']}/{row['partition']}/{row['offset']}"
