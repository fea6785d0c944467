"""An organisation's own system in the story: let in by a command, it follows the bank, and forgets when it is told to (R36)."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from localstack.kafka import ADMINISTRATOR, bootstrap, secret_name
from localstack.secretfiles import secret_file
from localstack.subscriber import Subscriber, Told

from testkit.demo.story import Story, the
from testkit.demo.telling import tell
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
        kafka_password=await asyncio.to_thread(_provision, story),
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


def _provision(story: Story) -> str:
    """Run the command as whoever administers Kafka would, and return the password that it hands over."""
    credential = {
        "KAFKA_ADMIN_USER": ADMINISTRATOR,
        "KAFKA_ADMIN_PASSWORD_FILE": str(secret_file(story.stack.instance, secret_name(ADMINISTRATOR))),
    }
    environment = {**os.environ, **story.stack.process_environment("notifications"), **credential}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "password"
        asked = ["provision", "--organisation", story.organisation, "--password-to", str(file)]
        subprocess.run([sys.executable, "-m", "notifications", *asked], env=environment, check=True, capture_output=True)  # noqa: S603 - our own interpreter
        return file.read_text().strip()
