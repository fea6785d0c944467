"""Counts tries before the password is compared, so that many at once cannot slip past; a success takes the count back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chassis.hashing import keyed_hash
from chassis.http.language import Text
from chassis.http.problems import Problem
from chassis.uow import UnitOfWork
from litestar import Request

from identity.settings import IdentitySettings
from identity.throttling import store
from identity.throttling.model import ADDRESS, CALLER, PAIR, Policy, remaining, wait_after


class ThrottledProblem(Problem):
    """Too many tries."""

    status, code = 429, "too-many-tries"
    title = Text("Te vaak geprobeerd; wacht even", "Tried too often; wait a moment")


class ThrottledError(Exception):
    """Somebody has to wait before the next try."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many tries")
        self.wait = wait


@dataclass(frozen=True)
class Try:
    """What is counted together: keyed hashes, so that neither addresses nor callers can be read from the counters."""

    counters: tuple[tuple[Policy, str], ...]

    @classmethod
    def of(cls, *, key: bytes, account: str, caller: str) -> "Try":
        """Return the counters of a try: `account` is the address's hash (or a client's id), `caller` a network address."""
        parts = ((PAIR, f"{account}|{caller}"), (CALLER, caller), (ADDRESS, account))
        return cls(tuple((policy, keyed_hash(key, f"throttle-{policy.name}", text)) for policy, text in parts))


async def begin(uow: UnitOfWork, attempt: Try, *, now: datetime) -> None:
    """Count the try as a failure until it turns out to be none.

    Raises:
        ThrottledError: One of its counters has to wait; nothing is counted then.
    """
    counters = await store.counters(uow, [one for _, one in attempt.counters])
    wait = max(remaining(counter.blocked_until, now) for counter in counters.values())
    if wait:
        raise ThrottledError(wait)
    for policy, one in attempt.counters:
        failures = counters[one].failures + 1
        wait = wait_after(policy, failures)
        # A free try blocks nobody: a moment in the past for one is the future for another who looked at the clock before.
        store.put(uow, store.Counter(one, failures, now + wait if wait else None), now)


async def succeeded(uow: UnitOfWork, attempt: Try, *, now: datetime) -> None:
    """Take the try back: this address from this caller starts anew, the wider counters lose only this one."""
    counters = await store.counters(uow, [one for _, one in attempt.counters])
    for policy, one in attempt.counters:
        failures = counters[one].failures - 1
        if policy is PAIR or failures <= 0:
            store.clear(uow, one)
        else:
            store.put(uow, store.Counter(one, failures), now)


def caller_address(*, forwarded: str, peer: str, proxies: int) -> str:
    """Return the network address that a request came from, as the outermost proxy that we trust saw it.

    Each proxy adds the address that it saw at the end of X-Forwarded-For, so what stands further to the front may be invented.
    """
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    return hops[-min(proxies, len(hops))] if proxies and hops else peer


def came_from(request: Request[Any, Any, Any], settings: IdentitySettings) -> str:
    """Return the network address of the caller, which is only ever counted under a keyed hash."""
    peer = request.client.host if request.client else ""
    return caller_address(forwarded=request.headers.get("x-forwarded-for", ""), peer=peer, proxies=settings.trusted_proxies)


def throttled(error: ThrottledError) -> ThrottledProblem:
    """Return the refusal with the seconds to wait, rounded up."""
    return ThrottledProblem(headers={"Retry-After": str(int(error.wait.total_seconds()) + 1)})


@asynccontextmanager
async def no_sooner_than(floor: timedelta) -> AsyncIterator[None]:
    """Let the block take at least so long, refusals included, so that its time does not tell which way it went."""
    loop = asyncio.get_running_loop()
    ready_at = loop.time() + floor.total_seconds()
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, ready_at - loop.time()))
