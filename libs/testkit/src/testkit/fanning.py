"""Alerts without a running worker: every share is served until nothing is under way, and what is due is asked for."""

from contextlib import AsyncExitStack

from chassis.mongo import Mongo
from notifications.fanout.service import FanOut
from notifications.follower import Follower
from notifications.matching.index.engine import Engine
from notifications.news.service import ask_digests, ask_now

from testkit.waiting import beside, eventually


async def fan_out(mongo: Mongo, fanout: FanOut) -> None:
    """Fan out what is under way, and ask for the mails that are due."""
    follower = Follower(mongo, fanout, Engine)

    async def ended() -> bool:
        return not await mongo.find("fanouts", {}, limit=1)

    if not await ended():
        async with AsyncExitStack() as stack:
            for share in range(fanout.shares):
                await stack.enter_async_context(beside(follower.serve(share)))
            await eventually(ended)
    await ask_now(mongo)
    await ask_digests(mongo)
