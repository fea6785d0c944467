"""Where something of a person could still stand after they were erased."""

from typing import Any

from pymongo import MongoClient

PLACES = (
    ("identity", "accounts", "_id"),
    ("identity", "registrations", "account"),
    ("identity", "sessions", "account"),
    ("profiles", "profiles", "_id"),
    ("profiles", "bank", "_id"),
    ("profiles", "renewals", "subject"),
    ("profiles", "waiting_events", "subject"),
    ("notifications", "contacts", "_id"),
    ("notifications", "accounts", "_id"),
    ("notifications", "searches", "subject"),
    ("notifications", "mails", "subject"),
    ("notifications", "outward_people", "_id"),
)
"""Database, collection, and the field that names the person."""
SERVICES = ("identity", "profiles", "consent", "notifications")


def left_of(client: MongoClient[dict[str, Any]], subject: str) -> dict[str, int]:
    """Return what is left of somebody: how many documents by place, keys that still open something, consents that still hold."""
    found = {f"{name}.{collection}": _count(client, name, collection, {field: subject}) for name, collection, field in PLACES}
    for name in SERVICES:
        found[f"{name} keys"] = _count(client, f"{name}_keyring", "data_keys", {"subject": subject, "wrapped": {"$exists": True}})
    found["consent decisions"] = _count(client, "consent", "decisions", {"subject": subject, "state": {"$ne": "erased"}})
    return {place: count for place, count in found.items() if count}


def _count(client: MongoClient[dict[str, Any]], name: str, collection: str, where: dict[str, Any]) -> int:
    return client[name][collection].count_documents(where)
