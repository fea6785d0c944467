"""Hashes and compares passwords with Argon2id, in threads of its own and never on the event loop.

A hash costs some 20 MB and 30 ms by design, so the number that runs at once is bounded: who waits, waits in the queue.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from identity.passwords.model import normalised

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Passwords:
    """The one place that knows Argon2. `verify` costs the same whether there is a hash to compare with or not."""

    def __init__(self, *, memory_kib: int, passes: int, threads: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash("the hash of nobody's password")

    async def hash(self, password: str) -> str:
        """Return the hash with its parameters and salt, as text."""
        return await self._run(self._hasher.hash, normalised(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether the password fits; without a stored hash the answer is no, after the same work."""
        fits = await self._run(self._fits, stored or self._nobody, normalised(password))
        return fits and stored is not None

    def outdated(self, stored: str) -> bool:
        """Tell whether the hash was made with other parameters than today's, and should be made anew at this sign-in."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, call: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)
