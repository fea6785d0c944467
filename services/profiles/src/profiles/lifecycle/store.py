"""The links in the mails that ask for renewal: only a hash of each is kept, with whom and which year it is for."""

from dataclasses import dataclass

from chassis.uow import Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

COLLECTION = "renewals"
INDEXES = {COLLECTION: [IndexModel([("subject", ASCENDING), ("cycle", ASCENDING)])]}


@dataclass(frozen=True)
class Link:
    """Whose year a link renews."""

    subject: str
    cycle: int


async def remember(uow: UnitOfWork, *, hashed: str, link: Link) -> None:
    """Keep a link's hash. Those of the last year stay, so that an old mail's page still explains itself; older ones go."""
    old = await uow.find(COLLECTION, {"subject": link.subject, "cycle": {"$lt": link.cycle - 1}})
    for row in old:
        uow.delete(COLLECTION, {"_id": row["_id"]})
    uow.insert(COLLECTION, {"_id": hashed, "subject": link.subject, "cycle": link.cycle})


async def forget(uow: UnitOfWork, subject: str) -> int:
    """Drop all links of a person and return how many there were."""
    found = await uow.find(COLLECTION, {"subject": subject})
    for row in found:
        uow.delete(COLLECTION, {"_id": row["_id"]})
    return len(found)


async def find_link(reads: Reads, hashed: str) -> Link | None:
    """Return what a link is for."""
    found = await reads.find_one(COLLECTION, {"_id": hashed})
    return Link(found["subject"], found["cycle"]) if found else None
