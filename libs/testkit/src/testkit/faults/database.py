"""Faults of MongoDB: the primary dies, steps down or loses sight of the others, and commands fail by mongod's own fail points."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from localstack import mongo
from localstack.layout import Instance, services
from localstack.secretfiles import secret
from pymongo.errors import PyMongoError

from testkit.faults.between import asked
from testkit.faults.fault import Fault
from testkit.faults.proxy import Rule
from testkit.faults.site import Site
from testkit.waiting import eventually

WRITE_CONFLICT, SHUTDOWN, NO_SUCH_TRANSACTION = 112, 91, 251
IN_TRANSACTIONS = ["find", "insert", "update", "delete", "bulkWrite"]


def direct(instance: Instance, node: str) -> mongo.Client:
    """A connection to one node as its administrator, past everything that stands between."""
    return mongo.direct(instance, node, username="root", password=secret(instance, "mongo-root"), authSource="admin")


def _primary(instance: Instance) -> str | None:
    for node in mongo.nodes(instance):
        try:
            with mongo.direct(instance, node) as client:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return node
        except PyMongoError:
            continue  # just away
    return None


async def primary(site: Site) -> str:
    """The node that is primary now, as soon as there is one."""
    return await eventually(lambda: asyncio.to_thread(_primary, site.instance), timeout=30)


async def primary_killed(site: Site, _: Random) -> str:
    """Kill the primary; the supervisor brings it back as a secondary."""
    node = await primary(site)
    os.kill(await site.pid(node), signal.SIGKILL)
    successor = await primary(site)
    return f"killed the primary {node}; {successor} followed"


async def stepped_down(site: Site, dice: Random) -> str:
    """Let the primary step down and stay out of the next election."""
    node, seconds = await primary(site), dice.randint(5, 15)
    await asyncio.to_thread(_step_down, site.instance, node, seconds)
    return f"{node} stepped down for {seconds} s"


def _step_down(instance: Instance, node: str, seconds: int) -> None:
    with direct(instance, node) as client:
        client.admin.command("replSetStepDown", seconds, secondaryCatchUpPeriodSecs=2)


@asynccontextmanager
async def alone(site: Site, node: str) -> AsyncIterator[None]:
    """Cut a node off from the other nodes; clients still reach it."""
    from_others, to_others = Rule("cut", node, "mongod*"), Rule("cut", "mongod*", node)
    async with asked(site.instance, from_others), asked(site.instance, to_others):
        yield


async def primary_alone(site: Site, dice: Random) -> str:
    """Let the primary lose sight of the others while clients still write to it: what it takes then is rolled back."""
    node, seconds = await primary(site), dice.uniform(3, 7)
    async with alone(site, node):
        await asyncio.sleep(seconds)
    return f"the primary {node} was alone for {seconds:.1f} s"


@asynccontextmanager
async def failing(site: Site, commands: Sequence[str], *, times: int | None = None, **data: Any) -> AsyncIterator[str]:
    """Let commands fail at the node that is primary now."""
    node = await primary(site)
    await asyncio.to_thread(
        _fail, site.instance, node, {"times": times} if times else "alwaysOn", {"failCommands": list(commands), **data}
    )
    try:
        yield node
    finally:
        await eventually(lambda: asyncio.to_thread(_heal, site.instance, node), timeout=30)


def _fail(instance: Instance, node: str, mode: Any, data: dict[str, Any]) -> None:
    with direct(instance, node) as client:
        client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)


def _heal(instance: Instance, node: str) -> bool:
    try:
        with direct(instance, node) as client:
            client.admin.command("configureFailPoint", "failCommand", mode="off")
    except PyMongoError:
        return False  # killed meanwhile: when it is back it has forgotten, and is told again
    return True


async def _struck(site: Site, dice: Random, what: str, commands: Sequence[str], **data: Any) -> str:
    who = dice.choice([*services(), "everybody"])
    only = {} if who == "everybody" else {"appName": who}
    times = dice.randint(2, 12)
    async with failing(site, commands, times=times, **only, **data) as node:
        await asyncio.sleep(dice.uniform(1, 3))
    return f"{what}, {times} times at {node}, for {who}"


async def transient(site: Site, dice: Random) -> str:
    """Let operations fail so that the transaction has to run again."""
    code = dice.choice([WRITE_CONFLICT, NO_SUCH_TRANSACTION])
    labels = {"errorCode": code, "errorLabels": ["TransientTransactionError"]}
    return await _struck(site, dice, f"transient errors ({code})", IN_TRANSACTIONS, **labels)


async def commit_not_tried(site: Site, dice: Random) -> str:
    """Close the connection on which a commit was sent, before it is done."""
    return await _struck(site, dice, "connections closed before the commit", ["commitTransaction"], closeConnection=True)


async def commit_refused(site: Site, dice: Random) -> str:
    """Answer a commit, which was not done, with an error that leaves it open."""
    error = {"errorCode": SHUTDOWN, "errorLabels": ["UnknownTransactionCommitResult", "RetryableWriteError"]}
    return await _struck(site, dice, "commits of unknown result, not done", ["commitTransaction"], **error)


async def commit_done(site: Site, dice: Random) -> str:
    """Do a commit and answer with an error that leaves it open."""
    error = {"code": SHUTDOWN, "errmsg": "shutting down"}
    return await _struck(site, dice, "commits of unknown result, done", ["commitTransaction"], writeConcernError=error)


async def commit_slow(site: Site, dice: Random) -> str:
    """Let commits take longer than callers are patient."""
    block = {"blockConnection": True, "blockTimeMS": dice.randint(500, 5500)}
    return await _struck(site, dice, f"commits took {block['blockTimeMS']} ms", ["commitTransaction"], **block)


PRIMARY = (
    Fault("database-primary-killed", primary_killed, heavy=True),
    Fault("database-stepped-down", stepped_down, heavy=True),
    Fault("database-primary-alone", primary_alone, heavy=True),
)
COMMANDS = (
    Fault("database-transient-errors", transient),
    Fault("database-commit-not-tried", commit_not_tried),
    Fault("database-commit-refused", commit_refused),
    Fault("database-commit-done", commit_done),
    Fault("database-commit-slow", commit_slow),
)
