"""Removing what is over, however much it is, in transactions of bounded size."""

from collections.abc import Awaitable, Callable
from typing import Final

from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork

BATCH: Final = 200

Removal = Callable[[UnitOfWork, int], Awaitable[int]]
"""Removes at most so many and returns how many it were."""


async def in_batches(mongo: Mongo, remove: Removal) -> int:
    """Remove until nothing is left and return how much that was."""
    done, count = 0, BATCH
    while count == BATCH:
        count = await transact(mongo, lambda uow: remove(uow, BATCH))
        done += count
    return done
