"""Sends the spans of a process to an OpenTelemetry collector (OTLP over HTTP), when the settings name one.

A collector that is away, slow or full never holds up the service: spans wait in a bounded queue, are sent by a thread, and the
oldest are dropped. OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_…`) tune it further.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from chassis import trace

LONGEST_FLUSH = 3.0
"""Seconds that a stopping process waits for its last spans to be sent."""


@contextmanager
def exporting(service: str, process: str, *, endpoint: str, ratio: float) -> Iterator[None]:
    """Record and send spans inside the block; nothing is loaded, recorded or sent without an endpoint."""
    if not endpoint:
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource({"service.name": service, "kandidatenbank.process": process}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=LONGEST_FLUSH)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    trace.record_with(provider.get_tracer("chassis"))
    try:
        yield
    finally:
        trace.record_with(None)
        flushing = Thread(target=provider.shutdown, name="flush-spans", daemon=True)
        flushing.start()
        flushing.join(LONGEST_FLUSH)
        if flushing.is_alive():
            exporter.shutdown()  # type: ignore[no-untyped-call]  # gives up what could not be sent; it carries no type
