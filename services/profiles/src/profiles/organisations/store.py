"""The projection of organisations, one document each."""

from dataclasses import dataclass
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork

COLLECTION = "organisations"
INDEXES: dict[str, list[Any]] = {COLLECTION: []}


@dataclass(frozen=True)
class Organisation:
    """An organisation. `held`: its last event could not be applied, so nobody acts for it until an operator resolves that."""

    id: str
    name: str
    active: bool
    bank_access: bool
    members: dict[str, frozenset[str]]
    held: bool = False

    @property
    def administrators(self) -> list[str]:
        """Return the accounts of its administrators."""
        return sorted(account for account, roles in self.members.items() if "administrator" in roles)


async def find(reads: Reads, organisation: str) -> Organisation | None:
    """Return an organisation."""
    found = await reads.find_one(COLLECTION, {"_id": organisation})
    return _from_document(found) if found else None


def keep(uow: UnitOfWork, organisation: Organisation) -> None:
    """Write an organisation as its last event tells it."""
    uow.replace(COLLECTION, _to_document(organisation), upsert=True)


def forget(uow: UnitOfWork, organisation: str) -> None:
    """Remove an organisation."""
    uow.delete(COLLECTION, {"_id": organisation})


def _to_document(organisation: Organisation) -> Document:
    return {
        "_id": organisation.id,
        "name": organisation.name,
        "active": organisation.active,
        "bank_access": organisation.bank_access,
        "members": [{"account": account, "roles": sorted(roles)} for account, roles in sorted(organisation.members.items())],
        "held": organisation.held,
    }


def _from_document(document: Document) -> Organisation:
    members = {row["account"]: frozenset(row["roles"]) for row in document["members"]}
    same = {name: document[name] for name in ("name", "active", "bank_access", "held")}
    return Organisation(id=document["_id"], members=members, **same)
