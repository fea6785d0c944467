"""The baselines that are processes: `python -m testkit.bench.bare <which> <port>`, each the least that does its work.

They run on the server of our processes, told as ours are. Each imports what it needs and nothing else, because its start and
its memory are baselines too.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

ANSWER = {"subject": "01890a5d-ac96-774b-bcce-b302099a8057", "role": "candidate", "items": [1, 2, 3], "more": False}


def empty(*routes: Any) -> Any:
    """Return a Litestar application with nothing but a health page, or with these routes."""
    from litestar import Litestar, get

    @get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return Litestar([ready, *routes], logging_config=None)


def route() -> Any:
    """Return an application that answers what the authenticated route answers, with nothing around its handler."""
    from litestar import get

    @get("/answer")
    async def answer() -> dict[str, Any]:
        return ANSWER

    return empty(answer)


def read() -> Any:
    """Return an application that finds a document and keeps a row of it, majority and journal, before it answers."""
    from chassis.clock import Clock
    from chassis.ids import new_id
    from chassis.mongo import Mongo
    from litestar import get

    clock = Clock()
    database = Mongo(os.environ["BENCH_MONGO_URL"], database=os.environ["BENCH_MONGO_DATABASE"], clock=clock).database

    @get("/profiles/{handle:str}")
    async def view(handle: str) -> dict[str, Any]:
        found = await database["plain"].find_one({"_id": handle}) or {}
        fields = [f"{group}.{name}" for group, values in found["profile"].items() for name in values]
        await database["plain_accesses"].insert_one({"_id": new_id(), "at": clock.machine(), "handle": handle, "fields": fields})
        return {"handle": handle, "profile": found["profile"]}

    return empty(view)


def consumer() -> Any:
    """Return FastStream's own ASGI application, with a consumer of a topic on which nothing comes and its health page."""
    from faststream.asgi import AsgiFastStream, make_ping_asgi
    from faststream.kafka import KafkaBroker, Topic
    from faststream.security import SASLScram512

    login = SASLScram512(os.environ["BENCH_KAFKA_USER"], os.environ["BENCH_KAFKA_PASSWORD"])
    broker = KafkaBroker(os.environ["BENCH_KAFKA"], security=login, logger=None)

    @broker.subscriber(Topic(os.environ["BENCH_TOPIC"], declare=False), group_id=os.environ["BENCH_TOPIC"])
    async def handle(message: dict[str, Any]) -> None:
        """Do nothing."""

    return AsgiFastStream(broker, asgi_routes=[("/health/ready", make_ping_asgi(broker, timeout=2))], logger=None)


APPLICATIONS = {"empty": empty, "route": route, "read": read, "consumer": consumer}


async def serve(application: Any, port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = Server(
        application,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
    )
    serving = asyncio.ensure_future(server.serve())
    await stop.wait()
    server.stop()  # type: ignore[no-untyped-call]  # granian carries no type for it
    await serving


async def _main() -> None:
    await serve(APPLICATIONS[sys.argv[1]](), int(sys.argv[2]))


if __name__ == "__main__":
    asyncio.run(_main())
