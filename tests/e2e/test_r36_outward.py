"""R36, R14, R31: systems of two organisations follow the bank, and forget who goes anonymous, is erased or not theirs to see.

What Kafka refuses to another organisation's credential is held by tests/notifications/test_provision.py.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiokafka.errors import TopicAuthorizationFailedError
from chassis.kafka import Kafka
from localstack.subscriber import BANK, EVERY_HANDLE, Subscriber, Told
from testkit.cast import Candidate, Cast, Organisation
from testkit.letting import admitted, let_out, provision
from testkit.portal import PASSWORD, SEARCHING, Actor, ok
from testkit.probe import read_topic
from testkit.refusals import expect_refused
from testkit.stack import Stack
from testkit.waiting import eventually

WITHIN = 30


@dataclass
class System:
    """An organisation's system: the sample, and the client with which it comes to the API."""

    organisation: Organisation
    sample: Subscriber
    client: Actor
    kafka: Kafka

    @property
    def held(self) -> dict[str, dict[str, Any]]:
        """What it holds."""
        return self.sample.held

    @property
    def path(self) -> str:
        """Where the API lists what it has to forget."""
        return f"notifications/v1/organisations/{self.organisation.id}/forgets"

    async def asked(self) -> set[str]:
        """What it has to forget and did not acknowledge."""
        return {one["handle"] for one in ok(await self.client.get(self.path, params={"limit": "100"})).json()["items"]}


def _silent(request: httpx.Request) -> httpx.Response:
    """Take every acknowledgement and pass none on."""
    return httpx.Response(200, json={"access_token": "nobody's"})


@asynccontextmanager
async def following(cast: Cast, operator: Actor, name: str, transport: httpx.AsyncBaseTransport | None) -> AsyncIterator[System]:
    """Let a new organisation's system follow beside the block."""
    made, stack = await cast.organisation(operator, name, bank=True), cast.stack
    wanted = {"name": "Kandidatensysteem", "scopes": ["bank:follow"]}
    client = ok(await operator.post(f"identity/v1/organisations/{made.id}/clients", wanted)).json()
    password = await admitted(stack, made.id)
    login = replace(stack.kafka, user=f"organisation.{made.id}", password=password)
    told = Told(
        organisation=made.id, kafka=stack.kafka.servers, kafka_password=password,
        portal=stack.gateway, client=client["id"], client_secret=client["secret"],
    )  # fmt: skip
    actor = await cast.portal.system(client["id"], client["secret"], scope="bank:follow")
    async with httpx.AsyncClient(base_url=stack.gateway, trust_env=False, transport=transport) as portal:
        system = System(made, Subscriber(told, portal), actor, login)
        running = asyncio.create_task(system.sample.run())
        yield system
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)  # Kafka ends it when it may not read the bank any more
    await asyncio.to_thread(let_out, stack, made.id)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prompt(cast: Cast, operator: Actor) -> AsyncIterator[System]:
    """The system of an organisation that acknowledges what it forgot."""
    async with following(cast, operator, "Vlot Vergeten", None) as system:
        yield system


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def silent(cast: Cast, operator: Actor) -> AsyncIterator[System]:
    """The system of one that acknowledges nothing by itself."""
    async with following(cast, operator, "Zwijgend Vergeten", httpx.MockTransport(_silent)) as system:
        yield system


async def seen_by(handle: str, *systems: System) -> None:
    await eventually(lambda: all(handle in one.held for one in systems), timeout=WITHIN)


async def forgotten_by(handle: str, *systems: System) -> None:
    await eventually(lambda: all(handle not in one.held for one in systems), timeout=WITHIN)


async def asked(handle: str, system: System) -> None:
    async def listed() -> bool:
        return handle in await system.asked()

    await eventually(listed, timeout=WITHIN)


async def acknowledged(handle: str, system: System) -> None:
    async def done() -> bool:
        return handle not in await system.asked()

    await eventually(done, timeout=WITHIN)


async def test_r36_both_hear_of_who_is_in_the_bank_and_read_the_rest_through_the_api(
    candidate: Candidate, prompt: System, silent: System
) -> None:
    handle = await candidate.handle()
    await seen_by(handle, prompt, silent)
    for system in (prompt, silent):
        said = system.held[handle]
        assert candidate.actor.subject not in str(said)
        opened = await system.organisation.recruiter.get(said["link"].removeprefix("/api/"), headers=SEARCHING)
        assert ok(opened).json()["handle"] == handle


async def test_r14_who_goes_anonymous_is_forgotten_by_both_and_appears_under_another_handle(
    cast: Cast, prompt: System, silent: System
) -> None:
    made = await cast.active()
    before = await made.handle()
    await seen_by(before, prompt, silent)
    after = ok(await made.actor.post("profiles/v1/me/anonymity")).json()["handle"]
    await seen_by(after, prompt, silent)
    await forgotten_by(before, prompt, silent)
    await asked(before, silent)
    await acknowledged(before, prompt)
    assert after not in await silent.asked()


async def test_r36_an_acknowledgement_counts_for_the_organisation_that_gives_it(
    cast: Cast, prompt: System, silent: System
) -> None:
    made = await cast.active()
    handle = await made.handle()
    await seen_by(handle, prompt, silent)
    ok(await made.actor.post("profiles/v1/me/deactivation"))
    await asked(handle, silent)
    await acknowledged(handle, prompt)
    expect_refused(await prompt.client.post(f"{silent.path}/{handle}/acknowledgement"), 403)
    assert handle in await silent.asked()
    ok(await silent.client.post(f"{silent.path}/{handle}/acknowledgement"))
    assert handle not in await silent.asked()


async def test_r31_who_is_erased_is_gone_for_both(cast: Cast, prompt: System, silent: System) -> None:
    made = await cast.active()
    handle = await made.handle()
    await seen_by(handle, prompt, silent)
    ok(await made.actor.post("identity/v1/me/account/erasure", {"password": PASSWORD}))
    await forgotten_by(handle, prompt, silent)
    await asked(handle, silent)
    await acknowledged(handle, prompt)
    records = [one for one in await read_topic(silent.kafka, BANK) if one.key == handle.encode()]
    assert made.actor.subject not in str(records)


async def test_r36_who_loses_access_forgets_everybody_and_kafka_lets_it_read_only_that(
    cast: Cast, operator: Actor, stack: Stack, candidate: Candidate, prompt: System, silent: System
) -> None:
    handle = await candidate.handle()
    await seen_by(handle, prompt, silent)
    path = f"identity/v1/organisations/{silent.organisation.id}"
    ok(await operator.get(f"{path}/details"))
    headers = {"If-Match": operator.etags[f"{path}/details"]}
    ok(await operator.call("PATCH", path, json={"bank_access": False}, headers=headers))
    await eventually(lambda: not silent.held, timeout=WITHIN)
    await asked(EVERY_HANDLE, silent)
    said = await asyncio.to_thread(provision, stack, "--reconcile")
    assert f"{silent.organisation.id} reads only its own topic" in said
    with pytest.raises(TopicAuthorizationFailedError):
        await read_topic(silent.kafka, BANK)
    own = await read_topic(silent.kafka, f"organisation.{silent.organisation.id}.v1")
    assert EVERY_HANDLE.encode() in {one.key for one in own}
    newcomer = await cast.active()
    await seen_by(await newcomer.handle(), prompt)
    assert handle in prompt.held
    assert not silent.held
