"""Invitations in MongoDB."""

from dataclasses import asdict
from datetime import datetime

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from identity.accounts.model import Language
from identity.invitations.model import Invitation, InvitationState
from identity.organisations.model import MemberRole

INVITATIONS = "invitations"
INDEXES = {
    INVITATIONS: [
        IndexModel([("secret_hash", ASCENDING)], unique=True),
        IndexModel([("organisation", ASCENDING), ("address_hash", ASCENDING)]),
        IndexModel([("account", ASCENDING)]),
        IndexModel([("address_hash", ASCENDING)]),
        IndexModel([("erase_at", ASCENDING)]),
    ],
}


async def invitation(reads: Reads, secret_hash: str) -> Invitation | None:
    """Return the invitation that a link's secret belongs to."""
    row = await reads.find_one(INVITATIONS, {"secret_hash": secret_hash})
    return _invitation(row) if row else None


async def open_for(reads: Reads, organisation: str, address_hash: str) -> list[Invitation]:
    """Return the open invitations of one address into one organisation."""
    rows = await reads.find(INVITATIONS, {"organisation": organisation, "address_hash": address_hash})
    return [_invitation(row) for row in rows]


async def of_account(reads: Reads, account: str) -> list[Invitation]:
    """Return the invitations that made, or would have made, this account."""
    return [_invitation(row) for row in await reads.find(INVITATIONS, {"account": account})]


async def at_address(reads: Reads, address_hash: str) -> list[Invitation]:
    """Return the open invitations of one address."""
    return [_invitation(row) for row in await reads.find(INVITATIONS, {"address_hash": address_hash})]


async def to_erase(reads: Reads, now: datetime, limit: int) -> list[Invitation]:
    """Return invitations whose term is over."""
    return [_invitation(row) for row in await reads.find(INVITATIONS, {"erase_at": {"$lte": now}}, limit=limit)]


def put(uow: UnitOfWork, one: Invitation) -> None:
    """Keep an invitation as it is now."""
    row = {"_id": one.id, **asdict(one)}
    del row["id"]
    uow.replace(INVITATIONS, row, upsert=True)


def remove(uow: UnitOfWork, one: Invitation) -> None:
    """Drop an invitation."""
    uow.delete(INVITATIONS, {"_id": one.id})


def _invitation(row: Document) -> Invitation:
    values = {name: value for name, value in row.items() if name != "_id"}
    values |= {"roles": tuple(MemberRole(role) for role in row["roles"]), "language": Language(row["language"])}
    return Invitation(**{**values, "id": row["_id"], "state": InvitationState(row["state"])})
