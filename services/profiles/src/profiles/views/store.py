"""The access log: rows are added and read, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

COLLECTION = "accesses"
INDEXES = {COLLECTION: [IndexModel([("shown.subject", ASCENDING), ("_id", DESCENDING)])]}
Kind = Literal["view", "search-page"]


@dataclass(frozen=True)
class Shown:
    """A person of whom something was shown: under which handle, and the paths of the fields, never their values."""

    subject: str
    handle: str
    fields: Sequence[str]


@dataclass(frozen=True)
class Access:
    """One row. Ids are UUIDv7, so they sort by the time at which they were made."""

    id: str
    at: datetime
    kind: Kind
    purpose: str
    account: str
    organisation: str
    organisation_name: str
    shown: tuple[Shown, ...]


def add(uow: UnitOfWork, access: Access) -> None:
    """Add a row."""
    row = dict(vars(access))  # not asdict, which copies every text: each look at a person comes by here
    uow.insert(COLLECTION, {"_id": row.pop("id"), **row, "shown": [dict(vars(one)) for one in access.shown]})


async def find_of(reads: Reads, subject: str, *, before: str | None, limit: int) -> list[Access]:
    """Return the rows in which something of this person was shown, the newest first."""
    where: dict[str, Any] = {"shown.subject": subject, **({"_id": {"$lt": before}} if before else {})}
    return [_from_document(row) for row in await reads.find(COLLECTION, where, sort=[("_id", DESCENDING)], limit=limit)]


def _from_document(row: Document) -> Access:
    same = {name: row[name] for name in ("at", "kind", "purpose", "account", "organisation", "organisation_name")}
    return Access(id=row["_id"], shown=tuple(Shown(**one) for one in row["shown"]), **same)
