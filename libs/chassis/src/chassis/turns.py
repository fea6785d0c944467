"""Turns within one process: what would only conflict in the database lines up before its transaction begins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

from chassis.mongo import BusyError


class Turns:
    """One at a time for each key. Between processes the transactions themselves decide; this only spares them most conflicts."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, key: str, *, patience: timedelta) -> AsyncIterator[None]:
        """Wait for the turn of a key, and keep it.

        Raises:
            BusyError: The turn did not come in time.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await lock.acquire()
        except TimeoutError:
            raise BusyError("the turn did not come in time") from None
        try:
            yield
        finally:
            lock.release()
