"""Tells the story: a line for each step, what happened and how long it took."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.terminal import say


@asynccontextmanager
async def step(number: int, title: str) -> AsyncIterator[None]:
    """Head a step, and say at its end how long it took."""
    say(f"\n{number}. {title}")
    began = time.monotonic()
    yield
    say(f"   {time.monotonic() - began:.1f} s")


def tell(text: str) -> None:
    """Say one thing that happened."""
    say(f"   - {text}")
