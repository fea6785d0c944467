"""Accounts and registrations in MongoDB. One address has one account: looked up first, and kept so by a unique index."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from identity.accounts.model import (
    Account,
    AccountRole,
    AccountState,
    Language,
    Registration,
    RegistrationState,
)

ACCOUNTS = "accounts"
REGISTRATIONS = "registrations"
TURNS = "registration_turns"
TURN_KEPT = timedelta(minutes=10)
"""Longer than any transaction; machine time and no domain term, so an index lets the rows go."""

INDEXES = {
    ACCOUNTS: [IndexModel([("address_hash", ASCENDING)], unique=True)],
    REGISTRATIONS: [
        IndexModel([("secret_hash", ASCENDING)], unique=True),
        IndexModel([("address_hash", ASCENDING)]),
        IndexModel([("account", ASCENDING)]),
        IndexModel([("erase_at", ASCENDING)]),
    ],
    TURNS: [IndexModel([("at", ASCENDING)], expireAfterSeconds=int(TURN_KEPT.total_seconds()))],
}


async def account(reads: Reads, account_id: str) -> Account | None:
    """Return an account."""
    row = await reads.find_one(ACCOUNTS, {"_id": account_id})
    return _account(row) if row else None


async def account_at(reads: Reads, address_hash: str) -> Account | None:
    """Return the account of an address."""
    row = await reads.find_one(ACCOUNTS, {"address_hash": address_hash})
    return _account(row) if row else None


def add_account(uow: UnitOfWork, new: Account) -> None:
    """Keep a new account; the caller has looked whether its address is free, in this unit of work."""
    uow.insert(ACCOUNTS, _account_row(new))


def save_account(uow: UnitOfWork, changed: Account) -> int:
    """Keep a changed account and return its new sequence."""
    return uow.save(ACCOUNTS, _account_row(changed))


async def registration(reads: Reads, secret_hash: str) -> Registration | None:
    """Return the registration that a link's secret belongs to."""
    row = await reads.find_one(REGISTRATIONS, {"secret_hash": secret_hash})
    return _registration(row) if row else None


async def registrations_at(reads: Reads, address_hash: str) -> list[Registration]:
    """Return the open registrations of an address."""
    return [_registration(row) for row in await reads.find(REGISTRATIONS, {"address_hash": address_hash})]


async def registrations_to_erase(reads: Reads, now: datetime, limit: int) -> list[Registration]:
    """Return registrations whose term is over."""
    return [_registration(row) for row in await reads.find(REGISTRATIONS, {"erase_at": {"$lte": now}}, limit=limit)]


async def registrations_of(reads: Reads, account_id: str) -> list[Registration]:
    """Return the registrations that made, or would have made, this account."""
    return [_registration(row) for row in await reads.find(REGISTRATIONS, {"account": account_id})]


def remove_account(uow: UnitOfWork, account_id: str) -> None:
    """Drop an account. Its id is never used again."""
    uow.delete(ACCOUNTS, {"_id": account_id})


def take_turn(uow: UnitOfWork, address_hash: str) -> None:
    """Let registrations of one address at once conflict, so that each counts those before it; known or unknown alike.

    Without the count two turns in one millisecond would write the same, which is no write and conflicts with nothing.
    """
    uow.update(TURNS, {"_id": address_hash}, {"$set": {"at": uow.clock.machine()}, "$inc": {"turns": 1}}, upsert=True)


def put_registration(uow: UnitOfWork, one: Registration) -> None:
    """Keep a registration as it is now."""
    row = {"_id": one.id, **asdict(one)}
    del row["id"]
    uow.replace(REGISTRATIONS, row, upsert=True)


def remove_registration(uow: UnitOfWork, one: Registration) -> None:
    """Drop a registration."""
    uow.delete(REGISTRATIONS, {"_id": one.id})


def _account_row(one: Account) -> Document:
    row: dict[str, Any] = {"_id": one.id, **asdict(one), "confirmed_on": one.confirmed_on.isoformat()}
    del row["id"]
    return row


def _account(row: Document) -> Account:
    return Account(
        id=row["_id"],
        sequence=row["sequence"],
        state=AccountState(row["state"]),
        language=Language(row["language"]),
        roles=tuple(AccountRole(role) for role in row["roles"]),
        confirmed_on=date.fromisoformat(row["confirmed_on"]),
        address_hash=row["address_hash"],
        address=row["address"],
        password=row["password"],
        erasure=row.get("erasure"),
    )


def _registration(row: Document) -> Registration:
    return Registration(
        id=row["_id"],
        account=row["account"],
        language=Language(row["language"]),
        address_hash=row["address_hash"],
        secret_hash=row["secret_hash"],
        made_at=row["made_at"],
        valid_until=row["valid_until"],
        erase_at=row["erase_at"],
        state=RegistrationState(row["state"]),
        address=row["address"],
        password=row["password"],
    )
