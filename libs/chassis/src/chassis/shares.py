"""Numbered shares of one kind of work, of which each worker that is there serves a fair part, by leases.

A lease only saves work: for a moment two workers may serve one share, and what each does has to bear that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from pymongo.errors import PyMongoError

from chassis.consume import is_trouble
from chassis.ids import jitter
from chassis.leases import Leases

log = structlog.get_logger()


class Shares:
    """One worker's part. `serve` does the work of one share until it is cancelled; when it fails it is begun again."""

    def __init__(self, leases: Leases, *, name: str, count: int, serve: Callable[[int], Awaitable[None]]) -> None:
        self._leases, self._name, self._count, self._serve = leases, name, count, serve
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def held(self) -> frozenset[int]:
        """Return the shares that this worker serves now."""
        return frozenset(self._tasks)

    async def run(self) -> None:
        """Serve until cancelled, then give everything back."""
        try:
            while True:
                try:
                    await self._look()
                except PyMongoError as error:
                    log.warning("shares_wait", work=self._name, error=type(error).__name__)
                await asyncio.sleep(jitter(self._leases.term.total_seconds() / 3))
        finally:
            await asyncio.shield(self._stop())

    async def _look(self) -> None:
        """Renew what is held, give back what was lost or is above a fair part, take what is free up to it."""
        await self._leases.take(f"{self._name}-worker:{self._leases.owner}")
        fair = -(-self._count // max(1, len(await self._leases.holders(f"{self._name}-worker:"))))
        kept = [share for share in sorted(self.held) if await self._leases.take(self._lease(share))]
        await self._give_back(self.held - set(kept[:fair]))
        for share in range(self._count):
            if len(self._tasks) < fair and share not in self._tasks and await self._leases.take(self._lease(share)):
                self._tasks[share] = asyncio.create_task(self._keep(share), name=f"{self._name}:{share}")

    async def _keep(self, share: int) -> None:
        while True:
            try:
                await self._serve(share)
            except Exception as error:  # whatever it was, the share must not stay unserved; it is told each time
                log.error(
                    "share_failed", work=self._name, share=share, error=type(error).__name__, exc_info=not is_trouble(error)
                )
            await asyncio.sleep(jitter(1.0))

    async def _give_back(self, shares: frozenset[int]) -> None:
        tasks = [self._tasks.pop(share) for share in shares]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for share in shares:
            await self._leases.release(self._lease(share))

    async def _stop(self) -> None:
        with suppress(PyMongoError):  # leases that cannot be given back end by themselves
            await self._give_back(self.held)
            await self._leases.release(f"{self._name}-worker:{self._leases.owner}")

    def _lease(self, share: int) -> str:
        return f"{self._name}:{share}"
