"""What accompanies a request: its id, its trace, and the headers that every answer carries."""

import asyncio
import re
import time
from contextlib import suppress
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE, HTTP_500_INTERNAL_SERVER_ERROR
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from chassis import metrics, trace
from chassis.ids import new_id

log = structlog.get_logger()
_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")
_DRAIN_BYTES, _DRAIN_SECONDS = 16_000_000, 5.0
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def request_id(scope: Scope) -> str:
    """Return the id of a request: the gateway's when it sent a sane one, else ours. Also for what no route took."""
    state = scope.setdefault("state", {})
    if "request_id" not in state:
        sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        state["request_id"] = sent if _ID.match(sent) else new_id()
    return str(state["request_id"])


async def add_headers(message: Message, scope: Scope) -> None:
    """Give every answer, errors included, its id and the headers that close it; a handler's own value stays."""
    if message["type"] != "http.response.start":
        return
    headers = message["headers"]
    set_already = {name.lower() for name, _ in headers}
    own = (b"x-request-id", request_id(scope).encode())
    message["headers"] = [*headers, own, *(one for one in _HEADERS if one[0] not in set_already)]


class RequestContext(ASGIMiddleware):
    """Puts a request into its trace, binds its id to what is logged below, and writes one line for it, without its path."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, *, recorded_per_second: int) -> None:
        self._allowance = Allowance(recorded_per_second)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Serve one request."""
        started, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _note(span, status)
                if status == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
                    await _drain(receive)
            await send(message)

        with self._span(scope) as span, structlog.contextvars.bound_contextvars(request_id=request_id(scope)):
            await next_app(scope, receive, noting)
            if not scope["route_handler"].opt.get("quiet"):
                _measure(scope, status, time.perf_counter() - started)
                log.info("request", **_line(scope), status=status, milliseconds=round((time.perf_counter() - started) * 1000, 1))

    def _span(self, scope: Scope) -> trace.Span:
        """Begin the request's span, which goes on with the gateway's; what only looks after our health is in no trace."""
        if scope["route_handler"].opt.get("quiet"):
            return trace.Span(trace.current())
        sent = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        if trace.asks_to_record(sent) and not self._allowance.take():
            sent = trace.unrecorded(sent)
        line = _line(scope)
        fields: trace.Fields = {"http.request.method": line["method"], "http.route": line["route"]}
        return trace.begin(f"{line['method']} {line['route']}", sent, trace.Kind.SERVER, fields)


def _measure(scope: Scope, status: int, seconds: float) -> None:
    method, route = str(scope.get("method")), str(scope.get("path_template"))  # of a route that exists, so both are bounded
    metrics.REQUEST_SECONDS.labels(method, route, f"{status // 100}xx").observe(seconds)


class Allowance:
    """So many per second: anybody may ask the gateway to record a request, and would fill the collector."""

    def __init__(self, per_second: int) -> None:
        self._per_second, self._left, self._at = per_second, float(per_second), time.perf_counter()

    def take(self) -> bool:
        """Take one, if any is left of this second's."""
        now = time.perf_counter()
        self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def _drain(receive: Receive) -> None:
    """Take what the client still sends of a refused body: a connection closed under it would hide the answer."""
    taken = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while taken < _DRAIN_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                taken += len(message.get("body", b""))


def _note(span: trace.Span, status: int) -> None:
    span.note("http.response.status_code", status)
    if status >= HTTP_500_INTERNAL_SERVER_ERROR:
        span.fail(str(status))


def _line(scope: Scope) -> dict[str, Any]:
    # The template, never the path: the path of a page holds the secret of a mailed link.
    return {"method": scope.get("method"), "route": scope.get("path_template")}
