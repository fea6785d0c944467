"""Puts a service's API together: the same errors, guards, dependencies, headers and documents everywhere."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import HeaderParameter
from litestar.types import ControllerRouterHandler
from pymongo.errors import PyMongoError

from chassis import outbox
from chassis.background import Task, running
from chassis.clock import Clock
from chassis.erasure import INDEXES as ERASURE_INDEXES
from chassis.erasure import Erasure
from chassis.http import idempotency
from chassis.http.bodies import MAX_BYTES, ReadableRequest, check_media_type
from chassis.http.context import RequestContext, add_headers
from chassis.http.documentation import openapi, stamp
from chassis.http.errors import answer
from chassis.http.etags import provide_if_match
from chassis.http.guards import Connection, authorize, caller_of, flaw, is_litestars_own
from chassis.http.health import Check, health_routes
from chassis.http.pagination import provide_page
from chassis.http.problems import BusyProblem
from chassis.keyring import Keyring
from chassis.known import INDEXES as KNOWN_INDEXES
from chassis.known import Known
from chassis.mongo import Indexes, Mongo
from chassis.settings import ServiceSettings
from chassis.tokens import Caller, Tokens

AnyRequest = Request[Any, Any, Any]
_PURPOSE = "What the data is read for; only what the route permits is accepted."
Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def build_api(
    *,
    settings: ServiceSettings,
    version: str,
    routes: Sequence[ControllerRouterHandler],
    mongo: Mongo,
    clock: Clock,
    indexes: Sequence[Indexes] = (),
    erasure: Erasure | None = None,
    dependencies: Mapping[str, Any] | None = None,
    background: Mapping[str, Task] | None = None,
    tokens: Tokens | None = None,
    keyring: Keyring | None = None,
) -> Litestar:
    """Return a service's API.

    Routes may take the dependencies `caller`, `purpose`, `if_match`, `attempt` and `page`, and those given here: values, or
    `Provide`. Nothing is connected before the lifespan, and nothing in it waits for a dependency that is down; until `erasure`
    has caught up, each request but those for health is answered 503.

    Raises:
        ImproperlyConfiguredException: A route has no rule (`opt={"access": …}`), or purposes that its callers may not state.
    """
    known, prepared = Known(mongo, poll=settings.known_poll), asyncio.Event()
    every = [outbox.INDEXES, KNOWN_INDEXES, ERASURE_INDEXES, idempotency.INDEXES, *indexes]
    tasks = {
        "prepare": _preparing(mongo, every, erasure, prepared),
        "known": known.run,
        **(background or {}),
    }

    async def is_prepared() -> bool:
        return prepared.is_set()

    checks: dict[str, Check] = {"mongo": mongo.ping, "prepared": is_prepared}
    if keyring is not None:
        checks["keys"] = keyring.is_served
        tasks["forget-keys"] = lambda: keyring.follow(settings.known_poll)
    app = Litestar(
        [*routes, *health_routes(clock, checks)],
        guards=[admit],
        dependencies={**_shared(settings, clock), **{name: _provided(value) for name, value in (dependencies or {}).items()}},
        exception_handlers={Exception: answer},
        middleware=[RequestContext(recorded_per_second=settings.trace_requests)],
        before_send=[add_headers],
        request_class=ReadableRequest,
        request_max_body_size=MAX_BYTES,
        openapi_config=openapi(settings.service(), version),
        state=State({"tokens": tokens or Tokens(known, clock, issuer=settings.public_url), "prepared": prepared}),
        lifespan=[_background(tasks)],
        logging_config=None,
    )
    for handler in handlers_of(app):
        _check_rule(handler)
        stamp(handler)
    return app


def handlers_of(app: Litestar) -> list[HTTPRouteHandler]:
    """Return all handlers that answer requests, save Litestar's own for OPTIONS: what a test walks through."""
    handlers = {id(h): h for route in app.routes for h in getattr(route, "route_handlers", ())}
    return [handler for handler in handlers.values() if not is_litestars_own(handler)]


async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
    """Check caller and media type: one guard, because Litestar copies the whole handler for each that it asks.

    Raises:
        BusyProblem: The service has only begun to run.
    """
    if not connection.app.state.prepared.is_set() and not handler.opt.get("quiet"):
        raise BusyProblem(retry_after=2)
    await authorize(connection, handler)
    await check_media_type(connection, handler)


async def provide_caller(request: AnyRequest) -> Caller:
    """Return who calls; a visitor on a public route."""
    return caller_of(request)


async def provide_purpose(stated: Annotated[str, HeaderParameter(name="Purpose", description=_PURPOSE)] = "") -> str:
    """Return the stated purpose, which the guard has checked where the route permits any."""
    return stated


def _check_rule(handler: HTTPRouteHandler) -> None:
    wrong = flaw(handler.opt)
    if wrong is not None:
        raise ImproperlyConfiguredException(f"{sorted(handler.paths)}: {handler.handler_name} {wrong}")


def _shared(settings: ServiceSettings, clock: Clock) -> dict[str, Provide]:
    key = b64decode(settings.hash_key.get_secret_value())
    return {
        "caller": Provide(provide_caller),
        "purpose": Provide(provide_purpose),
        "if_match": Provide(provide_if_match),
        "attempt": Provide(idempotency.provide_attempt(key, clock)),
        "page": Provide(provide_page(key)),
    }


def _provided(value: Any) -> Provide:
    return value if isinstance(value, Provide) else Provide(lambda: value, sync_to_thread=False)


def _background(tasks: Mapping[str, Task]) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with running(tasks):
            yield

    return lifespan


def _preparing(mongo: Mongo, indexes: Sequence[Indexes], erasure: Erasure | None, prepared: asyncio.Event) -> Task:
    if erasure is None:
        prepared.set()

    async def prepare() -> None:
        while True:
            try:
                await mongo.ensure_indexes(*indexes)
                if erasure is not None:
                    await erasure.catch_up(mongo)
                return prepared.set()
            except PyMongoError:
                await asyncio.sleep(1)

    return prepare
