"""The trace that a request or an event belongs to (W3C Trace Context), and the spans that tell where its time went.

The running `traceparent` is a string in a context variable: it stands in outbox rows and headers whether anything is recorded
or not, and an event of a trace that is not sampled costs no more than setting it. Spans are recorded by OpenTelemetry, once
`chassis.tracing` has named a collector. They hold names, ids and closed sets; of an error its type, never its text.
"""

import re
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from chassis.ids import random_bytes

Kind = SpanKind
Fields = dict[str, str | int]

_FORM = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_SAMPLED = frozenset("13579bdf")
"""The last digits of a `traceparent` whose lowest flag is set."""
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_tracer: Tracer | None = None


class Span:
    """A part of a trace. As a context manager it is what `current` names inside the block, and it ends with it.

    One that is not recorded only carries the `traceparent`.
    """

    __slots__ = ("_recorded", "_token", "traceparent")

    def __init__(self, traceparent: str, recorded: OtelSpan | None = None) -> None:
        self.traceparent, self._recorded = traceparent, recorded
        self._token: Token[str | None] | None = None

    def note(self, name: str, value: str | int) -> None:
        """Add what became known meanwhile."""
        if self._recorded is not None:
            self._recorded.set_attribute(name, value)

    def fail(self, kind: str) -> None:
        """Mark it as failed, by the kind of error only: a text may quote a person's data."""
        if self._recorded is not None:
            self._recorded.set_attribute("error.type", kind)
            self._recorded.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """End it; once."""
        if self._recorded is not None:
            self._recorded.end()

    def __enter__(self) -> Self:
        self._token = _current.set(self.traceparent)
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None) -> None:
        if self._token is not None:
            _current.reset(self._token)
        if kind is not None:
            self.fail(kind.__name__)
        self.end()


def begin(name: str, received: str | None, kind: Kind = Kind.INTERNAL, fields: Fields | None = None) -> Span:
    """Begin a span that goes on with a received `traceparent`; a missing or malformed one begins a new trace."""
    if received is None or not _FORM.match(received):
        return _root(name, kind, fields)
    if _tracer is None or received[-1] not in _SAMPLED:
        return Span(received)
    return _recorded(_tracer, name, _context(received, remote=True), kind, fields)


def inside(name: str, kind: Kind = Kind.INTERNAL, fields: Fields | None = None) -> Span:
    """Begin a span below the running one; it is not recorded where nothing runs, or what runs is not."""
    running = current()
    if _tracer is None or running[-1] not in _SAMPLED:
        return Span(running)
    return _recorded(_tracer, name, _context(running, remote=False), kind, fields)


def running() -> str | None:
    """Return the running `traceparent`, or None outside any trace."""
    return _current.get()


def current() -> str:
    """Return the running `traceparent`; outside any trace that of a new one, which nobody records."""
    return _current.get() or _new()


def asks_to_record(received: str) -> bool:
    """Tell whether a received `traceparent` is well-formed and sampled."""
    return bool(_FORM.match(received)) and received[-1] in _SAMPLED


def unrecorded(traceparent: str) -> str:
    """Return the same trace, not sampled."""
    return f"{traceparent[:-2]}00"


def trace_id(traceparent: str) -> str:
    """Return the trace id, 32 hex digits, of a well-formed `traceparent`."""
    return traceparent.split("-")[1]


def record_with(tracer: Tracer | None) -> None:
    """Record spans from now on with this tracer, or none."""
    global _tracer  # one per process, as logging is
    _tracer = tracer


def recording() -> bool:
    """Tell whether any span may be recorded in this process."""
    return _tracer is not None


def _root(name: str, kind: Kind, fields: Fields | None) -> Span:
    return Span(_new()) if _tracer is None else _recorded(_tracer, name, Context(), kind, fields)


def _recorded(tracer: Tracer, name: str, parent: Context, kind: Kind, fields: Fields | None) -> Span:
    span = tracer.start_span(name, parent, kind, fields, record_exception=False, set_status_on_exception=False)
    of = span.get_span_context()
    made = f"00-{of.trace_id:032x}-{of.span_id:016x}-{of.trace_flags:02x}"
    return Span(made, span if span.is_recording() else None)


def _context(traceparent: str, *, remote: bool) -> Context:
    _, trace, span, flags = traceparent.split("-")
    parent = SpanContext(int(trace, 16), int(span, 16), is_remote=remote, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _new() -> str:
    """Return a `traceparent` that says: not sampled. Its span is nobody's, and would be missing in a recorded trace."""
    return f"00-{random_bytes(16).hex()}-{random_bytes(8).hex()}-00"
