"""Blocks in MongoDB; their number is their id, so that two workers cannot both seal the next one."""

from datetime import date

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

from profiles.blocks.model import Block, Head, Line, Removal

COLLECTION = "access_blocks"
INDEXES = {COLLECTION: [IndexModel([("removal", ASCENDING), ("sealed_on", ASCENDING)])]}


async def newest(reads: Reads) -> Head | None:
    """Return the head of the last block."""
    found = await _last(reads)
    return _head(found[0]) if found else None


async def last_number(reads: Reads) -> int:
    """Return the number of the last block, whatever else can be read of it; 0 before there is one."""
    found = await _last(reads)
    return int(found[0]["_id"]) if found else 0


async def find(reads: Reads, number: int) -> Block | None:
    """Return a block."""
    found = await reads.find_one(COLLECTION, {"_id": number})
    return block_of(found) if found else None


async def find_from(reads: Reads, number: int, *, limit: int) -> list[tuple[int, Block | None]]:
    """Return the blocks from a number on, with their numbers; None for what cannot be read as one."""
    rows = await reads.find(COLLECTION, {"_id": {"$gte": number}}, sort=[("_id", ASCENDING)], limit=limit)
    return [(row["_id"], _readable(row)) for row in rows]


async def find_due(reads: Reads, until: date, *, limit: int) -> list[Block]:
    """Return blocks that were sealed on this day or before and still have their rows, the oldest first."""
    where = {"removal": None, "sealed_on": {"$lte": until.isoformat()}}
    return [block_of(row) for row in await reads.find(COLLECTION, where, sort=[("sealed_on", ASCENDING)], limit=limit)]


def add(uow: UnitOfWork, block: Block) -> None:
    """Add a block."""
    head = dict(vars(block.head))
    uow.insert(
        COLLECTION,
        {
            "_id": head.pop("number"),
            **head,
            "sealed_on": block.head.sealed_on.isoformat(),
            "signature": block.signature,
            "rows": [dict(vars(line)) for line in block.lines or ()],
            "removal": None,
        },
    )


def end(uow: UnitOfWork, number: int, removal: Removal) -> None:
    """Keep of a block its signed head and the word that its rows went."""
    told = {**vars(removal), "on": removal.on.isoformat()}
    uow.update(COLLECTION, {"_id": number, "removal": None}, {"$set": {"removal": told}, "$unset": {"rows": ""}})


def block_of(row: Document) -> Block:
    """Return what a document says."""
    rows, removal = row.get("rows"), row["removal"]
    return Block(
        head=_head(row),
        signature=row["signature"],
        lines=None if rows is None else tuple(Line(**line) for line in rows),
        removal=None if removal is None else Removal(date.fromisoformat(removal["on"]), removal["key"], removal["signature"]),
    )


async def _last(reads: Reads) -> list[Document]:
    return await reads.find(COLLECTION, {"_id": {"$gte": 1}}, sort=[("_id", DESCENDING)], limit=1)


def _head(row: Document) -> Head:
    same = {name: row[name] for name in ("previous", "lines", "count", "first", "last", "key")}
    return Head(number=row["_id"], sealed_on=date.fromisoformat(row["sealed_on"]), **same)


def _readable(row: Document) -> Block | None:
    """Somebody who changed a block may have left anything there."""
    try:
        block = block_of(row)
        return block if _has_its_types(block) and block.head.hash else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _has_its_types(block: Block) -> bool:
    head, lines, removals = block.head, block.lines or (), [block.removal] if block.removal else []
    hashes = [head.previous, head.lines, block.signature, *(line.hash for line in lines), *(one.signature for one in removals)]
    texts = [head.key, *(line.id for line in lines), *(one.key for one in removals)]
    return all(isinstance(one, bytes) for one in hashes) and all(isinstance(one, str) for one in texts)
