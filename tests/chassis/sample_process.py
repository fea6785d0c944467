"""A small service for the tests of `chassis.process`: `python sample_process.py api | worker`, told by SAMPLE_… what to use."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from chassis import inbox, outbox, parking
from chassis.clock import Clock
from chassis.http.app import build_api
from chassis.http.bodies import Body
from chassis.http.guards import public
from chassis.http.language import Text
from chassis.http.pages import PAGE, page
from chassis.ids import new_id
from chassis.jobs import Jobs
from chassis.kafka import Kafka, make_broker
from chassis.leases import Leases
from chassis.mongo import Mongo
from chassis.process import run_api, run_worker
from chassis.settings import ServiceSettings, load
from chassis.uow import UnitOfWork
from chassis.worker import Worker
from litestar import Litestar, Response, get, post, route
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic_settings import SettingsConfigDict
from testkit.counters import fresh_stream, make_consumer, make_relay
from testkit.waiting import eventually


class SampleSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")


class Thing(Body):
    text: str


@get("/things", opt={"access": public()})
async def things(mongo: NamedDependency[Mongo]) -> dict[str, int]:
    return {"things": len(await mongo.find("things", {}))}


@post("/things", opt={"access": public()})
async def make(data: JSONBody[Thing]) -> dict[str, str]:
    return {"id": new_id()}


STARTED, RELEASE = Path(os.environ["STARTED"]), Path(os.environ["RELEASE"])


async def hold() -> None:
    """Say that it runs, and go on when the test allows it."""
    await asyncio.to_thread(STARTED.touch)
    await eventually(RELEASE.exists)


@get("/slow", opt={"access": public()})
async def slow() -> dict[str, str]:
    await hold()
    return {"finished": "yes"}


@get("/bug", opt={"access": public()})
async def bug() -> dict[str, str]:
    return {}["Janneke"]


@route("/page", http_method=["GET", "HEAD"], opt=PAGE)
async def shown() -> Response[str]:
    return page("nl", title=Text("Dag", "Hello"))


def database(settings: SampleSettings) -> Mongo:
    url = settings.mongo_url.get_secret_value()
    return Mongo(url, database=settings.mongo_database, clock=Clock(settings.clock_file), patience=timedelta(seconds=1))


def api(settings: SampleSettings) -> Litestar:
    mongo = database(settings)
    return build_api(
        settings=settings,
        version="1",
        routes=[things, make, slow, bug, shown],
        mongo=mongo,
        clock=mongo.clock,
        dependencies={"mongo": mongo},
    )


def worker(settings: SampleSettings) -> Worker:
    mongo, stream = database(settings), fresh_stream(name=os.environ["STREAM"])

    async def project(incoming: inbox.Incoming[Any], uow: UnitOfWork) -> None:
        await hold()
        uow.update("seen", {"_id": incoming.key}, {"$inc": {"applied": 1}}, upsert=True)

    kafka = Kafka.told(settings)
    consumer, broker = make_consumer(mongo, stream, project), make_broker(kafka, client_id="sample")
    consumer.attach(broker, batch=10, session_ms=6000, heartbeat_ms=500)
    return Worker(
        service=stream.name,
        kafka=kafka,
        mongo=mongo,
        broker=broker,
        consumer=consumer,
        relay=make_relay(mongo, stream, kafka, owner=new_id()),
        jobs=Jobs([], Leases(mongo, owner=new_id(), term=timedelta(seconds=2))),
        topics=[stream.topic, stream.dead_letter.topic],
        indexes=[outbox.INDEXES, parking.INDEXES],
        close=mongo.close,
    )


if __name__ == "__main__":
    settings = load(SampleSettings)
    if sys.argv[1] == "api":
        run_api(lambda: api(settings), settings)
    else:
        run_worker(lambda: worker(settings), settings, roles=sys.argv[2:])
