"""Both processes of a service hear which keys others destroyed, and an API says when its key service is away."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from chassis.background import running
from chassis.keyring import KeyDestroyedError, Keyring
from chassis.process import tasks_of
from chassis.resources import connect
from consent.app import build_api, build_worker
from testkit.running import serving
from testkit.waiting import eventually


@asynccontextmanager
async def process(kind, settings, statements) -> AsyncIterator[Keyring]:
    """The keyring of a process that runs, whatever its roles."""
    made = connect(settings)
    if kind == "api":
        async with serving(build_api(settings, made=made, statements=statements)):
            yield made.keyring
    else:
        async with running(tasks_of(build_worker(settings, made=made), frozenset())):
            yield made.keyring
    await made.close()


@pytest.mark.parametrize("kind", ["api", "worker"])
async def test_a_process_forgets_within_seconds_what_another_destroyed(kind, settings, statements):
    elsewhere = connect(settings)
    async with process(kind, settings, statements) as keyring:
        await keyring.key("ann", "career")
        await elsewhere.keyring.destroy("ann", "career")

        async def forgotten() -> bool:
            try:
                await keyring.existing("ann", "career")
            except KeyDestroyedError:
                return True
            return False

        assert await eventually(forgotten)
    await elsewhere.close()


async def test_readiness_names_a_key_service_that_is_away(settings, statements):
    made = connect(settings)
    async with serving(build_api(settings, made=made, statements=statements)) as client:
        assert (await client.get("/health/ready")).json()["missing"] == []
        shutil.rmtree(settings.master_keys)
        assert (await client.get("/health/ready")).json()["missing"] == ["keys"]
    await made.close()
