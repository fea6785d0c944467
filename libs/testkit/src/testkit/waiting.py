"""Waiting in tests: a predicate is asked again until it holds. No test sleeps for a guessed time. And what runs meanwhile."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
def eventually(
    predicate: Callable[[], Awaitable[T | None]], timeout: float = 10, every: float = 0.05
) -> Coroutine[Any, Any, T]: ...


@overload
def eventually(predicate: Callable[[], T | None], timeout: float = 10, every: float = 0.05) -> Coroutine[Any, Any, T]: ...


async def eventually(predicate: Callable[[], Any], timeout: float = 10, every: float = 0.05) -> Any:  # noqa: ASYNC109 - the caller's limit, reported below
    """Return the predicate's first true answer; after the time-out, fail and show its last answer or exception.

    The predicate may be a plain or an async function. An `AssertionError` or a `LookupError` in it means "not yet".
    """
    deadline = time.monotonic() + timeout
    while True:
        last: object
        try:
            answer = predicate()
            found = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
            last = found
        except (AssertionError, LookupError) as not_yet:
            last = not_yet
        if time.monotonic() > deadline:
            raise AssertionError(f"still not after {timeout} s; the last answer was {last!r}")
        await asyncio.sleep(every)


@asynccontextmanager
async def beside(endless: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the block, and end it with it; how it failed before that is raised."""
    task = asyncio.create_task(endless)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
