"""The trace that a request or an event belongs to (W3C Trace Context), carried from the gateway through outbox and topic."""

import re
from contextvars import ContextVar

from chassis.ids import random_bytes

_FORM = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current() -> str:
    """Return the running `traceparent`, beginning a trace where there is none."""
    traceparent = _current.get()
    if traceparent is None:
        traceparent = continue_from(None)
    return traceparent


def continue_from(traceparent: str | None) -> str:
    """Go on with a received `traceparent`; a missing or malformed one begins a new trace."""
    if traceparent is None or not _FORM.match(traceparent):
        traceparent = f"00-{random_bytes(16).hex()}-{random_bytes(8).hex()}-01"
    _current.set(traceparent)
    return traceparent


def trace_id(traceparent: str) -> str:
    """Return the trace id, 32 hex digits, of a well-formed `traceparent`."""
    return traceparent.split("-")[1]
