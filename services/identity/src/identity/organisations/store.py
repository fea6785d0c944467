"""Organisations in MongoDB, with their members inside: they change together and are few."""

from dataclasses import asdict

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from identity.organisations.model import Member, MemberRole, Organisation, PublicFacts, State

ORGANISATIONS = "organisations"
INDEXES = {ORGANISATIONS: [IndexModel([("members.account", ASCENDING)]), IndexModel([("state", ASCENDING), ("_id", ASCENDING)])]}


async def organisation(reads: Reads, organisation_id: str) -> Organisation | None:
    """Return an organisation."""
    row = await reads.find_one(ORGANISATIONS, {"_id": organisation_id})
    return _organisation(row) if row else None


async def of_member(reads: Reads, account: str) -> list[Organisation]:
    """Return the organisations that an account acts for."""
    return [_organisation(row) for row in await reads.find(ORGANISATIONS, {"members.account": account}, sort=[("_id", 1)])]


async def page(reads: Reads, *, after: str, limit: int, suspended_too: bool) -> list[Organisation]:
    """Return the organisations that follow an id, the oldest first."""
    where: dict[str, object] = {"_id": {"$gt": after}}
    if not suspended_too:
        where["state"] = State.ACTIVE.value
    return [_organisation(row) for row in await reads.find(ORGANISATIONS, where, sort=[("_id", 1)], limit=limit)]


def add(uow: UnitOfWork, new: Organisation) -> None:
    """Keep a new organisation."""
    uow.insert(ORGANISATIONS, _row(new))


def save(uow: UnitOfWork, changed: Organisation) -> int:
    """Keep a changed organisation and return its new sequence."""
    return uow.save(ORGANISATIONS, _row(changed))


def _row(one: Organisation) -> Document:
    row = {"_id": one.id, **asdict(one)}
    del row["id"]
    return row


def _organisation(row: Document) -> Organisation:
    members = (Member(member["account"], tuple(MemberRole(role) for role in member["roles"])) for member in row["members"])
    return Organisation(
        id=row["_id"],
        sequence=row["sequence"],
        facts=PublicFacts(**row["facts"]),
        bank_access=row["bank_access"],
        state=State(row["state"]),
        members=tuple(members),
    )
