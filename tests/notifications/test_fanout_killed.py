"""R22: a worker that is killed in the middle of a hundred thousand alerts loses nobody and tells nobody twice."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import pytest
from chassis.ids import new_id
from chassis.mongo import transact
from contracts.profiles.vacancy import SAMPLES
from notifications.criteria import Criteria
from notifications.searches.model import bucket_of, comparable
from testkit.ports import free_port
from testkit.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
MANY, CHUNK = 100_000, 10_000
KILLS = (20_000, 60_000)
PLAIN = ("production", "clock_file", "mongo_database", "keyring_database", "master_keys", "match_shares")
SECRET = ("mongo_url", "keyring_url", "hash_key")


@pytest.fixture
async def searches(world):
    """A hundred thousand people who look for work in Amersfoort, written as the service writes them."""
    compared = comparable(Criteria(place="Amersfoort", radius_km=25), number=lambda _: 0)
    today = world.clock.today().isoformat()
    ids = [new_id() for _ in range(MANY)]
    for at in range(0, MANY, CHUNK):
        rows = [
            {
                "_id": name,
                "sequence": 1,
                "subject": f"somebody-{at + number}",
                "bucket": bucket_of(name),
                "state": "active",
                "frequency": "daily",
                "hour": 8,
                "weekday": 1,
                "since": today,
                "compared": compared,
            }
            for number, name in enumerate(ids[at : at + CHUNK])
        ]
        await world.mongo.database["searches"].insert_many(rows, ordered=False)
    return ids


def told(settings, port: int) -> dict[str, str]:
    """The environment of a worker that matches in the test's database."""
    values = settings.model_dump(mode="json", include=set(PLAIN))
    secret = {name: getattr(settings, name).get_secret_value() for name in SECRET}
    more = {"worker_port": port, "relay_lease": "PT1S"}
    return os.environ | {f"NOTIFICATIONS_{name}".upper(): str(value) for name, value in (values | secret | more).items()}


@asynccontextmanager
async def worker(settings):
    """A process that matches, and nothing else."""
    command = (sys.executable, "-m", "notifications", "worker", "--roles", "match")
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, env=told(settings, free_port()), stdout=nowhere)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_r22_a_worker_killed_in_the_middle_of_100_000_alerts_loses_nobody_and_tells_nobody_twice(world, settings, searches):
    vacancy = SAMPLES[0].model_copy(update={"vacancy": new_id(), "published_on": world.clock.today(), "valid_through": None})
    await transact(world.mongo, lambda uow: world.parts.fanout.take(uow, vacancy))

    async def count() -> int:
        return await world.mongo.count("news", {}, limit=MANY * 2)

    for enough in KILLS:

        async def so_many(least=enough) -> bool:
            return await count() >= least

        async with worker(settings) as process:
            await eventually(so_many, timeout=100)
            process.kill()
            await process.wait()
        assert await count() < MANY, "it was too quick to be killed in the middle"

    async def ended() -> bool:
        return not await world.mongo.find("fanouts", {}, limit=1)

    async with worker(settings):
        await eventually(ended, timeout=100)
    found = await world.mongo.database["news"].find({}, {"search": 1}).to_list(None)
    assert len(found) == MANY
    assert {row["search"] for row in found} == set(searches)
