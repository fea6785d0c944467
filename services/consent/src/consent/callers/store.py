"""Which accounts may not decide any more. An account that is not here may: its event may still be on its way."""

from chassis.uow import Reads, UnitOfWork
from pymongo import IndexModel

ACCOUNTS = "closed_accounts"
INDEXES: dict[str, list[IndexModel]] = {ACCOUNTS: []}


async def is_closed(reads: Reads, account: str) -> bool:
    """Tell whether the account was closed or its person erased."""
    return await reads.find_one(ACCOUNTS, {"_id": account}) is not None


def close(uow: UnitOfWork, account: str) -> None:
    """Take no decision from this account."""
    uow.replace(ACCOUNTS, {"_id": account}, upsert=True)


def reopen(uow: UnitOfWork, account: str) -> None:
    """Take decisions from this account (again)."""
    uow.delete(ACCOUNTS, {"_id": account})
