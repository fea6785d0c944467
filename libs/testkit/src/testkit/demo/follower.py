"""An organisation's own system in the story: let in by a command, it follows the bank, and forgets when it is told to (R36)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from localstack.kafka import bootstrap
from localstack.subscriber import Subscriber, Told

from testkit.demo.story import Story, the
from testkit.demo.telling import tell
from testkit.letting import let_in
from testkit.portal import ok
from testkit.waiting import beside


@asynccontextmanager
async def following(story: Story) -> AsyncIterator[Subscriber]:
    """Let the sample of a system follow beside the block."""
    wanted = {"name": "Kandidatensysteem", "scopes": ["bank:follow"]}
    client = ok(await the(story.operator).post(f"identity/v1/organisations/{story.organisation}/clients", wanted)).json()
    told = Told(
        organisation=story.organisation,
        kafka=bootstrap(story.stack.instance),
        kafka_password=await asyncio.to_thread(let_in, story.stack, story.organisation),
        portal=story.stack.gateway,
        client=client["id"],
        client_secret=client["secret"],
    )
    story.follower = await story.portal.system(client["id"], client["secret"], scope="bank:follow")
    tell("an administrator of Kafka let the organisation's system in, with a user that reads its own topics and no others")
    async with httpx.AsyncClient(base_url=told.portal) as portal:
        system = Subscriber(told, portal)
        async with beside(system.run()):
            yield system
