"""`read`: a recruiter opens a profile, decrypted, checked, noted in the access log, against one find and one insert."""

import json
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from profiles.settings import ProfilesSettings

from testkit.bench.bank import API, Bank, filled
from testkit.bench.figures import Figure, alternate
from testkit.bench.ground import Ground
from testkit.bench.load import hammer, request
from testkit.bench.processes import environment, running, variables
from testkit.ports import free_port

PEOPLE, REQUESTS, AT_ONCE = 40, 2_000, 8
UNBOUNDED = {"views_per_recruiter": "1000000", "views_per_organisation": "1000000"}
"""Nobody looks so often: a budget would end the measurement."""


async def read(ground: Ground) -> list[Figure]:
    """Measure the rate of views by recruiters of many organisations: those of one would wait for each other's count."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = await stack.enter_async_context(ground.database_name())
        ours, bare = free_port(), free_port()
        told: dict[str, Any] = variables(ground, database, ours) | UNBOUNDED
        bank = await stack.enter_async_context(filled(ProfilesSettings(**told), with_people=PEOPLE, with_recruiters=PEOPLE))
        await stack.enter_async_context(
            running("profiles", "api", told=environment("PROFILES", told), port=ours, log=folder / "ours.log")
        )
        where = {"BENCH_MONGO_URL": ground.mongo_url, "BENCH_MONGO_DATABASE": database}
        await stack.enter_async_context(
            running("testkit.bench.bare", "read", str(bare), told=where, port=bare, log=folder / "bare.log")
        )
        await _keep_plain(bank, ours)
        views = [
            request("GET", f"{API}/bank/profiles/{handle}", recruiter)
            for handle, recruiter in zip(bank.handles, bank.recruiters, strict=True)
        ]
        plain = [request("GET", f"/profiles/{handle}") for handle in bank.handles]

        async def rate(port: int, sent: list[bytes]) -> float:
            return (await hammer(port, sent, REQUESTS, at_once=AT_ONCE)).rate

        rounds = await alternate(lambda: rate(ours, views), lambda: rate(bare, plain))
    return [Figure("read", "views/s", "bare Litestar with one find and one majority insert", rounds, goal=0.7)]


async def _keep_plain(bank: Bank, port: int) -> None:
    """Give the baseline the same answers, unencrypted, so that both sides send the same bytes."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=bank.recruiters[0]) as client:
        for handle in bank.handles:
            answer = json.loads((await client.get(f"{API}/bank/profiles/{handle}")).raise_for_status().text)
            await bank.made.mongo.database["plain"].insert_one({"_id": handle, "profile": answer["profile"]})
