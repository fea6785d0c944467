"""`sign-in`: what is left of Argon2id's own rate when whole sign-ins are made of it, and what other routes feel of it."""

import asyncio
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from chassis import outbox
from chassis.ids import new_id
from chassis.mongo import transact
from chassis.uow import UnitOfWork
from identity.accounts.model import Account, AccountRole, AccountState, Language
from identity.accounts.service import open_account
from identity.app import INDEXES, parts
from identity.settings import IdentitySettings

from testkit.bench.figures import Figure, Round, alternate
from testkit.bench.ground import Ground
from testkit.bench.load import Load, drip, hammer, request
from testkit.bench.processes import environment, running, variables
from testkit.ports import free_port

API = "/api/identity/v1"
PASSWORD = "pas fiets brug"  # noqa: S105 - invented people's
PEOPLE, SIGN_INS = 40, 240
THREADS = 1
"""On two cores: the other one is left to the event loop, the database and whoever measures."""


async def sign_in(ground: Ground) -> list[Figure]:
    """Measure sign-ins per second, and meanwhile the public keys' route."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = await stack.enter_async_context(ground.database_name())
        port = free_port()
        told: dict[str, Any] = variables(ground, database, port) | {"argon2_threads": str(THREADS)}
        settings = IdentitySettings(**told)
        sent = [_sign_in(number, await _account(settings, number)) for number in range(PEOPLE)]
        await stack.enter_async_context(
            running("identity", "api", told=environment("IDENTITY", told), port=port, log=folder / "identity.log")
        )
        busy: list[Load] = []

        async def rate() -> float:
            over = asyncio.Event()
            neighbour = asyncio.create_task(_neighbour(port, over))
            load = await hammer(port, sent, SIGN_INS, at_once=PEOPLE, status=201)
            over.set()
            busy.append(await neighbour)
            return load.rate

        rounds = await alternate(rate, lambda: _bare(settings))
        over = asyncio.Event()
        idle = asyncio.create_task(_neighbour(port, over))
        await asyncio.sleep(5)
        over.set()
        calm = await idle
    p99 = tuple(Round(load.p99, calm.p99) for load in busy[1:])
    return [
        Figure("sign-in", "sign-ins/s", f"bare argon2id in as many threads ({THREADS})", rounds, goal=0.8),
        Figure("sign-in-neighbours", "ms (p99)", "ms, of the same route without sign-ins", p99, better="lower"),
    ]


async def _account(settings: IdentitySettings, number: int) -> str:
    """Open an account and return its address."""
    made, account_id = parts(settings), new_id()
    await made.mongo.ensure_indexes(outbox.INDEXES, *INDEXES)
    address = f"mens.{number}@voorbeeld.example"
    account = Account(
        id=account_id,
        sequence=1,
        state=AccountState.CONFIRMED,
        language=Language.NL,
        roles=(AccountRole.CANDIDATE,),
        confirmed_on=made.clock.today(),
        address_hash=made.addresses.hash(address),
        address=await made.addresses.seal(account_id, address),
        password=await made.passwords.hash(PASSWORD),
    )

    async def work(uow: UnitOfWork) -> None:
        await open_account(uow, account, address=address, post=made.post)

    await transact(made.mongo, work)
    await made.close()
    return address


def _sign_in(number: int, address: str) -> bytes:
    return request(
        "POST", f"{API}/sessions", {"X-Forwarded-For": f"10.0.0.{number + 1}"}, {"email": address, "password": PASSWORD}
    )


async def _neighbour(port: int, over: asyncio.Event) -> Load:
    return await drip(port, request("GET", f"{API}/jwks"), over, every=0.01)


async def _bare(settings: IdentitySettings) -> float:
    hasher = PasswordHasher(time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory, parallelism=1)
    hashed = hasher.hash(PASSWORD)
    with ThreadPoolExecutor(THREADS) as pool:
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, hasher.verify, hashed, PASSWORD) for _ in range(SIGN_INS)))
        return SIGN_INS / (time.perf_counter() - begun)
