"""`route`: what guard, token, trace, log line and headers cost, on a route that does nothing."""

import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from chassis import known
from chassis.ids import new_id
from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork

from testkit.bench.figures import Figure, alternate, worst
from testkit.bench.ground import Ground
from testkit.bench.load import hammer, request
from testkit.bench.processes import environment, running, variables
from testkit.keys import Signer
from testkit.ports import free_port

REQUESTS, AT_ONCE = 6_000, 16
ALONE = 1_500


async def route(ground: Ground) -> list[Figure]:
    """Measure the rate of many clients, and the median time of one that is alone."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mongo = await stack.enter_async_context(ground.database(known.INDEXES))
        ours, bare = free_port(), free_port()
        told = variables(ground, mongo.database.name, ours)
        signer = Signer("http://127.0.0.1:8000")
        await announce(mongo, signer)
        sent = [request("GET", "/answer", signer.headers(new_id())) for _ in range(50)]
        await stack.enter_async_context(
            running("testkit.bench.authenticated", told=environment("BENCH", told), port=ours, log=folder / "ours.log")
        )
        await stack.enter_async_context(
            running("testkit.bench.bare", "route", str(bare), told={}, port=bare, log=folder / "bare.log")
        )

        async def rate(port: int) -> float:
            return (await hammer(port, sent, REQUESTS, at_once=AT_ONCE)).rate

        async def p50(port: int) -> float:
            return (await hammer(port, sent, ALONE, at_once=1)).p50

        rates = await alternate(lambda: rate(ours), lambda: rate(bare))
        medians = await alternate(lambda: p50(ours), lambda: p50(bare))
    told_apart = [
        Figure("route-rate", "requests/s", "bare Litestar route", rates, goal=0.7),
        Figure("route-p50", "ms (p50)", "bare Litestar route", medians, goal=0.7, inverted=True),
    ]
    return [worst(told_apart, name="route", goal=0.7), *(replace(one, goal=None) for one in told_apart)]


async def announce(mongo: Mongo, signer: Signer) -> None:
    """Let an API know the key that signs the tokens."""
    key = signer.announcement()

    async def work(uow: UnitOfWork) -> None:
        known.store_signing_key(uow, kid=key.kid, x=key.x, not_before=key.not_before, not_after=key.not_after)

    await transact(mongo, work)
