"""Contacts and what is known of accounts, in MongoDB. An address is stored only encrypted."""

from typing import Any

from chassis.uow import Document, Reads, UnitOfWork

CONTACTS = "contacts"
ACCOUNTS = "accounts"


async def contact(reads: Reads, subject: str) -> Document | None:
    """Return where a person can be mailed: `address` (encrypted, or None while it is dark) and `language`."""
    return await reads.find_one(CONTACTS, {"_id": subject})


async def account_state(reads: Reads, subject: str) -> str | None:
    """Return the last known state of an account; None when nothing was heard of it yet."""
    found = await reads.find_one(ACCOUNTS, {"_id": subject})
    return None if found is None else str(found["state"])


def put_contact(uow: UnitOfWork, subject: str, fields: dict[str, Any]) -> None:
    """Write a person's contact as it is now."""
    uow.replace(CONTACTS, {"_id": subject, **fields}, upsert=True)


def put_account(uow: UnitOfWork, subject: str, *, state: str) -> None:
    """Write an account's state as it is now."""
    uow.replace(ACCOUNTS, {"_id": subject, "state": state}, upsert=True)


def remove_account(uow: UnitOfWork, subject: str) -> None:
    """Forget an account."""
    uow.delete(ACCOUNTS, {"_id": subject})


def remove_contact(uow: UnitOfWork, subject: str) -> None:
    """Forget where a person can be mailed."""
    uow.delete(CONTACTS, {"_id": subject})
