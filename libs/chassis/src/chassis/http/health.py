"""Health: `live` says that the process answers and what its domain time is, `ready` which dependency is missing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler

from chassis.clock import Clock
from chassis.http.guards import public

log = structlog.get_logger()
Check = Callable[[], Awaitable[bool]]
PATIENCE = 2.0
_OPT = {"access": public(), "quiet": True}


def health_routes(clock: Clock, checks: Mapping[str, Check]) -> list[HTTPRouteHandler]:
    """Return the two routes. They lie outside `/api`, so the gateway does not show them to the world."""

    @get("/health/live", opt=_OPT, include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "alive", "domain_time": clock.now().isoformat()}

    @get("/health/ready", opt=_OPT, include_in_schema=False)
    async def ready() -> Response[dict[str, Any]]:
        missing = await missing_of(checks)
        if missing:
            return Response({"status": "waiting", "missing": missing}, status_code=503, headers={"Retry-After": "2"})
        return Response({"status": "ready", "missing": []})

    return [live, ready]


async def missing_of(checks: Mapping[str, Check]) -> list[str]:
    """Return the names of the dependencies that do not answer in time."""
    answers = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
    return [name for name, there in zip(checks, answers, strict=True) if not there]


def health_app(clock: Clock, checks: Mapping[str, Check]) -> Litestar:
    """Return the small application that a worker serves on its own port."""
    return Litestar(health_routes(clock, checks), openapi_config=None, logging_config=None)


async def _answers(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check()
    except Exception as error:
        log.warning("health_check_failed", check=name, exc_info=error)
        return False
