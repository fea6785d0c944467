"""Turns the epochs of the master key: one begins each week, what lives is wrapped anew under it, the old ones are destroyed.

Rewrapping goes in batches and by a compare and set on what was read, so that it may be broken off, run twice, or meet a key that
is being destroyed. An epoch goes 14 days after its first day, the oldest first, and never while a row lies under it: then it
stays, and so do all after it, and an alert tells.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import structlog
from pymongo import UpdateOne

from chassis import metrics
from chassis.keyring import Keyring
from chassis.keyservice import DESTROYED_AFTER, Epoch, Secret, week_of
from chassis.uow import Document
from chassis.wrapped import OWNERS, missing, unwrap

EVERY: Final = timedelta(seconds=10)
BATCH: Final = 500
SETTLED: Final = timedelta(seconds=15)
"""Machine time, longer than one call to the database may take: what was wrapped before the newest epoch was made is written."""
MOST: Final = 100_000
"""Where counting stops."""
log = structlog.get_logger()


class Epochs:
    """The job that turns the epochs of one service's keyring."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring, self._mongo, self._masters = keyring, keyring.mongo, keyring.masters
        self._moved_at: datetime | None = None
        self._kept: Epoch | None = None

    async def turn(self) -> int:
        """Do what is due and return how many keys were wrapped anew."""
        begun = await self._begin_week()
        held = await self._masters.held()
        if not held:
            return 0
        moved = await self._move_to(held[-1])
        now = self._mongo.clock.machine()
        if begun or moved or self._moved_at is None:
            self._moved_at = now
        elif now >= self._moved_at + SETTLED:
            await self._destroy_old(held[:-1])
        return moved

    async def read(self) -> None:
        """Hold, for a scrape, how many keys wait to be moved and how many epochs are overdue."""
        held = await self._masters.held()
        waiting = [await self._mongo.count(name, _not_under(held[-1]), limit=MOST) for name in OWNERS] if held else []
        metrics.KEYS_TO_MOVE.hold(sum(waiting))
        metrics.EPOCHS_KEPT.hold(sum(self._is_overdue(epoch, days=1) for epoch in held[:-1]))

    async def _begin_week(self) -> bool:
        """Make the epoch of this week; not while all that are needed are missing: a folder that was not mounted looks empty."""
        monday = week_of(self._mongo.clock.today())
        held = await self._masters.held()
        if held and held[-1].first_day >= monday:
            return False
        if not held and (lacking := await missing(self._mongo, self._masters)):
            log.error("master_keys_missing", epochs=lacking)
            return False
        await self._masters.make(monday)
        log.info("master_key_made", first_day=monday.isoformat())
        return True

    async def _move_to(self, newest: Epoch) -> int:
        moved = 0
        for collection in OWNERS:
            async for rows in self._batches(collection, newest):
                moved += await self._rewrap(collection, rows)
                log.info("keys_rewrapped", collection=collection, epoch=newest.name, moved=moved)
        return moved

    async def _batches(self, collection: str, newest: Epoch) -> AsyncIterator[list[Document]]:
        """Give the rows under older epochs, in the order of ids, so that one that does not open is passed by."""
        rows = await self._mongo.find(collection, _not_under(newest), sort=[("_id", 1)], limit=BATCH)
        while rows:
            yield rows
            after = {**_not_under(newest), "_id": {"$gt": rows[-1]["_id"]}}
            rows = await self._mongo.find(collection, after, sort=[("_id", 1)], limit=BATCH)

    async def _rewrap(self, collection: str, rows: list[Document]) -> int:
        opened = await unwrap(self._masters, collection, rows)
        usable = [(row, plain) for row, plain in zip(rows, opened, strict=True) if isinstance(plain, bytes)]
        if not usable:
            return 0
        wrapped = await self._masters.wrap([Secret(OWNERS[collection](row), plain) for row, plain in usable])
        changes = [
            UpdateOne(
                {"_id": row["_id"], "epoch": row["epoch"], "wrapped": row["wrapped"]},
                {"$set": {"wrapped": to.box, "epoch": to.epoch}},
            )
            for (row, _), to in zip(usable, wrapped, strict=True)
        ]
        result = await self._mongo.database[collection].bulk_write(changes, ordered=False)
        return int(result.modified_count)

    async def _destroy_old(self, old: list[Epoch]) -> None:
        for epoch in old:
            if not self._is_overdue(epoch):
                return
            living = sum([await self._mongo.count(name, {"epoch": epoch.name}, limit=MOST) for name in OWNERS])
            if living:
                self._keep(epoch, living)
                return
            await self._masters.destroy(epoch.name)
            log.info("master_key_destroyed", epoch=epoch.name, first_day=epoch.first_day.isoformat())

    def _is_overdue(self, epoch: Epoch, *, days: int = 0) -> bool:
        return self._mongo.clock.today() >= epoch.first_day + DESTROYED_AFTER + timedelta(days=days)

    def _keep(self, epoch: Epoch, living: int) -> None:
        if self._kept != epoch:
            log.error("master_key_kept", epoch=epoch.name, living=living)
        self._kept = epoch


def _not_under(epoch: Epoch) -> dict[str, object]:
    return {"epoch": {"$gt": "", "$ne": epoch.name}}
