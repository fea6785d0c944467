"""Runs a service's two kinds of process: they start while dependencies are down, say what they miss, and stop gracefully.

On SIGTERM or SIGINT an API finishes its running requests; a worker finishes its batch, commits, leaves the group and gives its
leases back. What takes longer than `stop_patience` is left to the next process: every effect is in a transaction.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from litestar import Litestar
from pymongo.errors import PyMongoError

from chassis import logs, readings
from chassis.background import Task, running
from chassis.http.health import Check, health_app
from chassis.kafka import ensure_topics, start_when_up
from chassis.memory import settle
from chassis.metrics import Reading
from chassis.resources import MasterKeysMissingError, check_master_keys
from chassis.settings import ServiceSettings
from chassis.tracing import exporting
from chassis.worker import Worker

log = structlog.get_logger()
ROLES = ("consume", "relay", "jobs")
"""The roles that every worker has; a service may add more by its `background`."""
RETRY = 1.0


class UnknownRoleError(Exception):
    """A worker was asked for a role that it does not have."""

    loggable = True


class ServerEndedError(Exception):
    """The HTTP server ended by itself: its port is taken, or the application failed to start."""

    loggable = True


def run_api(build: Callable[[], Litestar], settings: ServiceSettings) -> None:
    """Serve an API until SIGTERM or SIGINT. `build` is called inside the event loop."""
    logs.configure(settings.service(), "api", settings.log_level, json=settings.log_json)

    async def main(stop: asyncio.Event) -> None:
        with _exporting(settings, "api"):
            async with _serving(build(), settings.host, settings.port, stop) as served:
                await _until_keys_fit(settings, served)
                await served

    _run(main, settings.stop_patience)


def run_worker(build: Callable[[], Worker], settings: ServiceSettings, *, roles: Sequence[str] = ()) -> None:
    """Run a worker's roles (all, when none is named) and its health pages until SIGTERM or SIGINT.

    Raises:
        UnknownRoleError: A named role does not exist.
    """
    logs.configure(settings.service(), "worker", settings.log_level, json=settings.log_json)

    async def main(stop: asyncio.Event) -> None:
        with _exporting(settings, "worker"):
            await _work(build(), settings, roles, stop)

    _run(main, settings.stop_patience)


def _exporting(settings: ServiceSettings, process: str) -> AbstractContextManager[None]:
    return exporting(settings.service(), process, endpoint=settings.otlp_endpoint, ratio=settings.trace_ratio)


async def _work(worker: Worker, settings: ServiceSettings, roles: Sequence[str], stop: asyncio.Event) -> None:
    wanted = chosen(worker, roles)
    health = health_app(worker.mongo.clock, checks_of(worker, wanted), readings_of(worker, wanted))
    async with _serving(health, settings.host, settings.worker_port, stop) as served:
        await _until_keys_fit(settings, served)
        async with running(tasks_of(worker, wanted)):
            log.info("worker_started", roles=sorted(wanted))
            await served
            log.info("worker_stopping")
    await worker.close()


def chosen(worker: Worker, roles: Sequence[str]) -> frozenset[str]:
    """Return the roles to run: those named, or all that the worker has."""
    has = frozenset(ROLES) | {role for role, _ in worker.background}
    unknown = sorted(set(roles) - has)
    if unknown:
        raise UnknownRoleError(f"no such role: {', '.join(unknown)}; there are {', '.join(sorted(has))}")
    return frozenset(roles) or has


def tasks_of(worker: Worker, roles: frozenset[str]) -> dict[str, Task]:
    """Return what runs in the background for these roles, by name."""
    prepared = asyncio.Event()

    async def prepare() -> None:
        await _until_up("mongo", lambda: worker.mongo.ensure_indexes(*worker.indexes))
        if worker.before is not None:
            await _until_up("mongo", worker.before)
        prepared.set()

    async def consume() -> None:
        await prepared.wait()
        try:
            followed = {one.topic.name for one in worker.consumer.subscriptions}
            await start_when_up(worker.broker, worker.kafka, own=worker.topics, followed=followed)
            await asyncio.Event().wait()
        finally:
            await asyncio.shield(worker.broker.stop())

    async def relay() -> None:
        await prepared.wait()
        # A topic that the relay's producer met first would be made by the broker, with one partition and no compaction.
        await _until_up("kafka", lambda: ensure_topics(worker.kafka, worker.topics))
        await worker.relay.run()

    def after(run: Callable[[], Awaitable[None]]) -> Task:
        async def task() -> None:
            await prepared.wait()
            await run()

        return task

    own = {"consume": consume, "relay": relay, "jobs": after(worker.jobs.run)}
    more = {f"{role}:{i}": after(run) for i, (role, run) in enumerate(worker.background) if role in roles}
    return {"prepare": prepare, **worker.always, **{role: task for role, task in own.items() if role in roles}, **more}


def checks_of(worker: Worker, roles: frozenset[str]) -> dict[str, Check]:
    """Return what readiness looks at for these roles."""

    async def events_flow() -> bool:
        return worker.consumer.ready

    async def outbox_flows() -> bool:
        return not worker.relay.failing

    checks: dict[str, Check] = {"mongo": worker.mongo.ping}
    if "consume" in roles:
        checks["events"] = events_flow
    if "relay" in roles:
        checks["outbox"] = outbox_flows
    return checks


def readings_of(worker: Worker, roles: frozenset[str]) -> dict[str, Reading]:
    """Return what a scrape asks for these roles; what lies in the database is told by every worker alike."""
    found: dict[str, Reading] = {
        "outbox": partial(readings.read_outbox, worker.mongo),
        "set-aside": partial(readings.read_set_aside, worker.mongo),
        "freshness": partial(readings.read_freshness, worker.mongo),
        **worker.readings,
    }
    if "consume" in roles:
        found["events"] = partial(readings.read_consumer, worker.consumer, worker.mongo)
    if "relay" in roles:
        found["relay"] = partial(readings.read_relay, worker.relay)
    return found


async def serve(app: Litestar, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve an application until `stop` is set, then let running requests finish.

    Granian runs embedded: its own process manager can hang on a SIGTERM in the first second, and costs a process more.

    Raises:
        ServerEndedError: It ended without being told to.
    """
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,  # at each start it warns that embedding is experimental
        log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},  # our logging stays as it is
    )
    serving = asyncio.ensure_future(server.serve())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
            raise ServerEndedError(f"the HTTP server on port {port} ended by itself")
        server.stop()  # type: ignore[no-untyped-call]  # granian carries no type for it
        await serving
    finally:
        for task in (serving, stopping):
            task.cancel()


@asynccontextmanager
async def _serving(app: Litestar, host: str, port: int, stop: asyncio.Event) -> AsyncIterator[asyncio.Future[None]]:
    """Serve beside the block, which waits for the end of it."""
    served = asyncio.ensure_future(serve(app, host, port, stop))
    try:
        yield served
    finally:
        served.cancel()


async def _until_keys_fit(settings: ServiceSettings, served: asyncio.Future[None]) -> None:
    """Wait until the master keys were compared with what the keyring needs, or until the process is to end.

    Raises:
        MasterKeysMissingError: Some that are needed are not there.
    """
    checking = asyncio.ensure_future(_until_up("keyring", lambda: check_master_keys(settings)))
    try:
        await asyncio.wait({checking, served}, return_when=asyncio.FIRST_COMPLETED)
        if checking.done():
            checking.result()
    finally:
        checking.cancel()


async def _until_up(what: str, work: Callable[[], Awaitable[object]]) -> None:
    """Repeat until it succeeds; said once, because the dependency may be away for long."""
    told = False
    while True:
        try:
            await work()
        except (PyMongoError, KafkaError, OSError) as error:
            if not told:
                log.warning("waits_for_dependency", dependency=what, error=type(error).__name__)
            told = True
        else:
            return
        await asyncio.sleep(RETRY)


def _run(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]], patience: timedelta) -> None:
    """Run the process, and end it with one log line and status 1 when it fails."""
    settle()
    try:
        asyncio.run(_until_stopped(main, patience))
    except MasterKeysMissingError as error:
        log.critical("master_keys_missing", epochs=error.epochs)
        raise SystemExit(1) from None
    except Exception as error:  # the process ends here, and what ended it must be in the log
        log.critical("process_failed", exc_info=error)
        raise SystemExit(1) from None


async def _until_stopped(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]], patience: timedelta) -> None:
    """Run `main` with an event that signals set, and end the process when it does not end in time after that."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running_main = asyncio.ensure_future(main(stop))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({running_main, stopping}, return_when=asyncio.FIRST_COMPLETED)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(running_main), patience.total_seconds() if stop.is_set() else None)
    if not running_main.done():
        log.error("stopped_impatiently", after=patience.total_seconds())
        os._exit(1)  # asyncio.run would wait for what does not end
    stopping.cancel()
    running_main.result()
