"""Looks into the services' databases as root, past every rule that the services keep."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient

from testkit.faults.world import QueuedMail

SERVICES = ("identity", "profiles", "consent", "notifications")
STATES = {
    "identity.account.v1": ("identity", "accounts"),
    "profiles.profile.v1": ("profiles", "profiles"),
    "profiles.vacancy.v1": ("profiles", "vacancies"),
    "consent.decision.v1": ("consent", "decisions"),
}
"""Where the state lies that a topic tells of; `_id` is the key, `sequence` its version."""
GAPLESS = frozenset({"profiles.profile.v1", "profiles.vacancy.v1", "consent.decision.v1"})
"""Of these every step is told; an account's sequence also counts steps that are nobody else's business."""
ASIDE = ("dead_letters", "parked")


@dataclass
class Stored:
    """The databases of one instance. `begin` notes what is there before a round."""

    url: str
    aside: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    client: MongoClient[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Connect at the first use."""
        self.client = MongoClient(self.url, tz_aware=True, serverSelectionTimeoutMS=15_000, readConcernLevel="majority")

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
        return {
            (topic, row["_id"]): row["sequence"]
            for topic, (service, collection) in STATES.items()
            for row in self.client[service][collection].find({"_id": {"$in": sorted(keys.get(topic, ()))}}, {"sequence": 1})
        }

    def queue(self) -> list[QueuedMail]:
        """All mails."""
        rows = self.client["notifications"]["mails"].find({}, {"template": 1, "state": 1, "reason": 1})
        return [QueuedMail(row["_id"], row["template"], row["state"], row["reason"], row["_id"] in self.ended) for row in rows]

    def requests(self, subjects: Iterable[str]) -> dict[str, str]:
        """The request of each of these people."""
        rows = self.client["consent"]["requests"].find({"subject": {"$in": list(subjects)}}, {"subject": 1})
        return {row["subject"]: row["_id"] for row in rows}

    def due(self, today: str) -> dict[str, int]:
        """What jobs have left to do."""
        keys = {f"{name}: keys to destroy": self.client[name]["pending_destruction"].count_documents({}) for name in SERVICES}
        sweep = self.client["profiles"]["profiles"].count_documents({"due_on": {"$type": "string", "$lte": today}})
        erasing = {
            f"{name}: erasures": self.client[name]["erasures"].count_documents({"begun": {"$type": "string"}})
            for name in SERVICES
        }
        requests = self.client["consent"]["requests"].count_documents({"phase": {"$ne": "closed"}})
        return {**keys, **erasing, "consent: open requests": requests, "profiles: steps of the year": sweep}

    def found(self, subjects: Iterable[str]) -> set[str]:
        """Who of these lies in the projection that recruiters search."""
        return {row["_id"] for row in self.client["profiles"]["bank"].find({"_id": {"$in": list(subjects)}}, {"_id": 1})}


def _position(row: dict[str, Any]) -> str:
    return f"{row['topic']}/{row['partition']}/{row['offset']}"
