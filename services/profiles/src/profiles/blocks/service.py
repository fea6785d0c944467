"""Seals the rows of the access log into blocks, and removes them block by block when their term is over.

Each block is one transaction: the block, its rows' word that they lie in it. So a worker that is killed has sealed a row or not,
two at once conflict, and a row that was committed late is simply in a later block: what counts is that no block holds it.
"""

from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from chassis.mongo import Mongo, transact
from chassis.uow import Reads, UnitOfWork

from profiles.blocks import store
from profiles.blocks.model import NOTHING, Block, Head, Line, Removal, hash_of_lines, removal_statement
from profiles.signatures.service import Signatures, Signer
from profiles.views import service as views
from profiles.views.model import hash_of

MOST: Final = 1_000
"""Rows in one block."""
BATCH: Final = 100
log = structlog.get_logger()


async def seal(mongo: Mongo, signatures: Signatures) -> int:
    """Seal all rows that no block holds yet and return how many."""
    if not await views.unsealed(mongo, limit=1):
        return 0
    signer, done = await signatures.signer(), 0
    while head := await transact(mongo, partial(_seal_next, signer)):
        log.info("access_block_sealed", head=head.note, rows=head.count)  # whoever keeps it finds later that the end was cut off
        done += head.count
        if head.count < MOST:
            break
    return done


async def end(mongo: Mongo, signatures: Signatures, term: timedelta) -> int:
    """Remove the rows of blocks that were sealed so long ago (domain time), and return how many."""
    due = await store.find_due(mongo, mongo.clock.today() - term, limit=BATCH)
    if not due:
        return 0
    signer = await signatures.signer()
    return sum([await transact(mongo, partial(_end_one, signer, block.head.number)) for block in due])


async def _seal_next(signer: Signer, uow: UnitOfWork) -> Head | None:
    rows = await views.unsealed(uow, limit=MOST)
    if not rows:
        return None
    last = await store.newest(uow)
    lines = tuple(Line(row["_id"], hash_of(row)) for row in rows)
    times = [row["at"] for row in rows]
    head = Head(
        number=last.number + 1 if last else 1,
        previous=last.hash if last else NOTHING,
        lines=hash_of_lines(lines),
        count=len(lines),
        first=min(times),
        last=max(times),
        sealed_on=uow.clock.today(),
        key=signer.id,
    )
    store.add(uow, Block(head, signer.sign(head.statement), lines))
    views.name_block(uow, [line.id for line in lines], head.number)
    return head


async def _end_one(signer: Signer, number: int, uow: UnitOfWork) -> int:
    block = await store.find(uow, number)
    if block is None or block.removal is not None or block.lines is None:
        return 0
    on = uow.clock.today()
    store.end(uow, number, Removal(on, signer.id, signer.sign(removal_statement(block.head, on))))
    views.remove(uow, [line.id for line in block.lines])
    return len(block.lines)


async def last_number(reads: Reads) -> int:
    """Return the number of the last block, 0 before there is one."""
    return await store.last_number(reads)


async def numbered(reads: Reads, number: int) -> Block | None:
    """Return a block; None when there is none that can be read."""
    found = await store.find_from(reads, number, limit=1)
    return found[0][1] if found and found[0][0] == number else None


async def blocks_from(reads: Reads, number: int, *, limit: int) -> list[tuple[int, Block | None]]:
    """Return the blocks from a number on, with their numbers; None for what cannot be read as one."""
    return await store.find_from(reads, number, limit=limit)
