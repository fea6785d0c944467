"""Machine clients in MongoDB."""

from dataclasses import asdict

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from identity.clients.model import Client, Scope

CLIENTS = "clients"
INDEXES = {CLIENTS: [IndexModel([("organisation", ASCENDING), ("_id", ASCENDING)])]}


async def client(reads: Reads, client_id: str) -> Client | None:
    """Return a client."""
    row = await reads.find_one(CLIENTS, {"_id": client_id})
    return _client(row) if row else None


async def page(reads: Reads, organisation: str, *, after: str, limit: int) -> list[Client]:
    """Return an organisation's clients that follow an id, the oldest first."""
    where = {"organisation": organisation, "_id": {"$gt": after}}
    return [_client(row) for row in await reads.find(CLIENTS, where, sort=[("_id", 1)], limit=limit)]


def add(uow: UnitOfWork, new: Client) -> None:
    """Keep a new client."""
    uow.insert(CLIENTS, _row(new))


def save(uow: UnitOfWork, changed: Client) -> int:
    """Keep a changed client and return its new sequence."""
    return uow.save(CLIENTS, _row(changed))


def _row(one: Client) -> Document:
    row = {"_id": one.id, **asdict(one)}
    del row["id"]
    return row


def _client(row: Document) -> Client:
    values = {name: value for name, value in row.items() if name != "_id"}
    return Client(**{**values, "id": row["_id"], "scopes": tuple(Scope(scope) for scope in row["scopes"])})
