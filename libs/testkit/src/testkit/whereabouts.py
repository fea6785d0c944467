"""Where a person's id stands in the databases of all services, and where it may still stand after they were erased."""

from collections.abc import Iterable
from typing import Any

import bson
from contracts.topics import SERVICES
from pymongo import MongoClient

Client = MongoClient[dict[str, Any]]
Place = tuple[str, str]
"""A database and a collection."""

DATABASES = tuple(name for service in SERVICES for name in (service, f"{service}_keyring"))
BY_JOBS = ("block", "wrapped", "epoch")
"""What jobs write of everybody's rows as time passes: the block of an access, the master key under which a data key lies."""
STAYS = {
    "identity": {"erasures", "inbox"},
    "profiles": {"erasures", "inbox", "accesses"},
    "consent": {"erasures", "inbox", "closed_accounts", "presentations", "decisions", "decision_history", "requests"},
    "notifications": {"erasures", "inbox"},
}
"""Where an erased person's id may still stand: what refuses them, what proves what they agreed to, and who looked at them.

What is to be destroyed, and whose tombstone is on its way, is told by id too.
"""


def documents_of(
    client: Client, subject: str, databases: Iterable[str] = DATABASES, *, without: Iterable[str] = ("block",)
) -> dict[Place, list[bytes]]:
    """Return every document that names a person, as stored; rows of the access log without their block's number."""
    shown = dict.fromkeys(without, 0)
    found: dict[Place, list[bytes]] = {}
    for database in databases:
        for collection in client[database].list_collection_names():
            rows = [bson.encode(row) for row in client[database][collection].find({}, shown, sort=[("_id", 1)])]
            mine = [row for row in rows if subject.encode() in row]
            if mine:
                found[database, collection] = mine
    return found


def left_of(client: Client, subject: str, databases: Iterable[str] = DATABASES) -> dict[Place, list[dict[str, Any]]]:
    """Return what stands of an erased person where nothing of them may: keys that open something too, and consents that hold."""
    return {
        place: rows
        for place, documents in documents_of(client, subject, databases).items()
        if (rows := [row for row in map(bson.decode, documents) if not _may_stay(place, row)])
    }


def _may_stay(place: Place, row: dict[str, Any]) -> bool:
    database, collection = place
    if database.endswith("_keyring"):
        return collection == "erased_subjects" or "wrapped" not in row
    if collection == "decisions":
        return bool(row["state"] == "erased")
    if collection == "outbox":
        return row["body"] is None
    return collection == "pending_destruction" or collection in STAYS[database]
