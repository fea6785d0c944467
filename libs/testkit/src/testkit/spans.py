"""An OpenTelemetry collector for tests: takes spans by OTLP over HTTP, as services and gateway send them, and keeps them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Collected:
    """One span as it arrived. `text` is all that it holds, its process's own fields included, to be searched."""

    service: str
    trace: str
    id: str
    parent: str
    name: str
    fields: dict[str, Any]
    failed: bool
    text: str


@dataclass
class Collector:
    """What was collected."""

    spans: list[Collected] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """The requests in which they came, unpacked: what a collector would write to its disk."""

    def of(self, trace: str) -> list[Collected]:
        """Return the spans of one trace, those that have arrived."""
        return [span for span in self.spans if span.trace == trace]

    def take(self, body: bytes) -> None:
        """Take one request's spans."""
        self.bodies.append(body)
        for process in ExportTraceServiceRequest.FromString(body).resource_spans:
            fields = {one.key: one.value.string_value for one in process.resource.attributes}
            for span in (span for scope in process.scope_spans for span in scope.spans):
                self.spans.append(_collected(span, fields))


@contextmanager
def collecting(port: int = 0) -> Iterator[tuple[Collector, str]]:
    """Collect on a port (any free one by default); gives the collector and its endpoint."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = b"".join(_body(self))
            collector.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _body(request: BaseHTTPRequestHandler) -> Iterator[bytes]:
    """Give what was sent, at once or (as Go does) in chunks."""
    if "Content-Length" in request.headers:
        yield request.rfile.read(int(request.headers["Content-Length"]))
        return
    while size := int(request.rfile.readline(), 16):
        yield request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()


def _collected(span: Span, of_process: dict[str, str]) -> Collected:
    values = {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in span.attributes}
    return Collected(
        service=of_process.get("service.name", ""),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        fields=values,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        text=f"{of_process} {span}",
    )
