"""Health: `live` says that the process answers and what its domain time is, `ready` which dependency is missing; and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler

from chassis import metrics
from chassis.clock import Clock
from chassis.http.guards import public

log = structlog.get_logger()
Check = Callable[[], Awaitable[bool]]
PATIENCE = 2.0
_OPT = {"access": public(), "quiet": True}


def health_routes(
    clock: Clock, checks: Mapping[str, Check], readings: Mapping[str, metrics.Reading] | None = None
) -> list[HTTPRouteHandler]:
    """Return the routes. They lie outside `/api`, so the gateway does not show them to the world."""
    scraping = asyncio.Lock()

    @get("/health/live", opt=_OPT, include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "alive", "domain_time": clock.now().isoformat()}

    @get("/health/ready", opt=_OPT, include_in_schema=False)
    async def ready() -> Response[dict[str, Any]]:
        missing = await missing_of(checks)
        if missing:
            return Response({"status": "waiting", "missing": missing}, status_code=503, headers={"Retry-After": "2"})
        return Response({"status": "ready", "missing": []})

    async def read_missing() -> None:
        missing = await missing_of(checks)
        for name in checks:
            metrics.MISSING.hold(name in missing, name)

    @get("/metrics", opt=_OPT, include_in_schema=False)
    async def measured() -> Response[bytes]:
        async with scraping:  # two at once would take each other's readings away
            page = await metrics.scrape({"health": read_missing, **(readings or {})})
        return Response(page, media_type=metrics.CONTENT_TYPE)

    return [live, ready, measured]


async def missing_of(checks: Mapping[str, Check]) -> list[str]:
    """Return the names of the dependencies that do not answer in time."""
    answers = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
    return [name for name, there in zip(checks, answers, strict=True) if not there]


def health_app(clock: Clock, checks: Mapping[str, Check], readings: Mapping[str, metrics.Reading]) -> Litestar:
    """Return the small application that a worker serves on its own port."""
    return Litestar(health_routes(clock, checks, readings), openapi_config=None, logging_config=None)


async def _answers(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check()
    except Exception as error:
        log.warning("health_check_failed", check=name, exc_info=error)
        return False
