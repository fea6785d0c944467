"""The process that stands between the services and their parts: proxies and a mail server, told what to do over a socket file.

What is asked for lasts as long as the connection that asked: a fault suite that dies takes its faults along.
Run by the local stack: `python -m testkit.faults.between faults kafka=8855:8805 …`
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from localstack.layout import Instance

from testkit.faults.peers import Peers
from testkit.faults.postoffice import Mood, PostOffice
from testkit.faults.proxy import CHUNK, Dial, Proxy, Rule

MAIL = "mail_smtp"


def control(instance: Instance) -> Path:
    """The socket file over which it is told."""
    return instance.folder / "between.sock"


def record(instance: Instance) -> Path:
    """Where the mail server writes down what it took."""
    return instance.folder / "post.jsonl"


@asynccontextmanager
async def asked(instance: Instance, wish: Rule | Mood | None) -> AsyncIterator[dict[str, Any]]:
    """Let a rule hold, or the mail server be in a mood; gives how many lines it met as `met`."""
    reader, writer = await asyncio.open_unix_connection(control(instance))
    try:
        writer.write(json.dumps({type(wish).__name__: asdict(wish) if wish else {}}).encode() + b"\n")
        yield json.loads(await reader.readline())
    finally:
        writer.close()


class Between:
    """What the process holds."""

    def __init__(self, instance: Instance) -> None:
        self.proxy = Proxy(Peers(instance).owner)
        self.post = PostOffice(record(instance), instance.port(MAIL))

    async def obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do what one connection asks for, until it ends."""
        wish: dict[str, dict[str, Any]] = json.loads(await reader.readline())
        with ExitStack() as held:
            met = [held.enter_context(self._begin(kind, told)) for kind, told in wish.items() if told]
            writer.write(json.dumps({"met": met[0] if met and isinstance(met[0], int) else 0}).encode() + b"\n")
            await reader.read()
        writer.close()

    def _begin(self, kind: str, told: dict[str, Any]) -> AbstractContextManager[object]:
        return self.proxy.ruled(Rule(**told)) if kind == "Rule" else self.post.in_mood(Mood(**told))


def dial(port: int) -> Dial:
    """How to reach a part."""
    return partial(asyncio.open_connection, "127.0.0.1", port, limit=CHUNK)


async def main(instance: Instance, routes: list[str]) -> None:
    """Stand between until the process is ended."""
    between = Between(instance)
    control(instance).unlink(missing_ok=True)
    await asyncio.start_unix_server(between.obey, control(instance))
    post = (await between.post.serve()).sockets[0].getsockname()[1]
    for route in routes:
        part, _, ports = route.partition("=")
        listened, _, target = ports.partition(":")
        await between.proxy.listen(part, int(listened), dial(post if part == MAIL else int(target)))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Instance(sys.argv[1]), sys.argv[2:]))
