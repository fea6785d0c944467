"""Spans of MongoDB commands: name and collection, below the span that runs, and none without one.

PyMongo's own events are listened to, so that retries and the commit are seen too. A command begins and ends in one thread, to
which Motor copies the context; the statement, which holds data, is never looked at but for the collection's name.
"""

from threading import local
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from chassis import trace

Event = CommandSucceededEvent | CommandFailedEvent


class MongoSpans(CommandListener):
    """Tells OpenTelemetry of commands as they begin and end."""

    def __init__(self) -> None:
        self._of_thread = local()

    def started(self, event: CommandStartedEvent) -> None:
        """Begin a span, when a recorded one runs."""
        self._of_thread.span = None
        if trace.running() is not None:
            collection = _collection(event.command_name, event.command)
            fields: trace.Fields = {
                "db.system.name": "mongodb",
                "db.namespace": event.database_name,
                "db.operation.name": event.command_name,
                **({"db.collection.name": collection} if collection else {}),
            }
            self._of_thread.span = trace.inside(f"{event.command_name} {collection}".rstrip(), trace.Kind.CLIENT, fields)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """End the command's span."""
        self._end(None)

    def failed(self, event: CommandFailedEvent) -> None:
        """End the command's span as failed; the error's code name comes from a closed set, its message does not."""
        self._end(str(event.failure.get("codeName") or event.failure.get("errtype") or "failed"))

    def _end(self, failure: str | None) -> None:
        span: trace.Span | None = getattr(self._of_thread, "span", None)
        if span is None:
            return
        self._of_thread.span = None
        if failure is not None:
            span.fail(failure)
        span.end()


def _collection(name: str, command: Any) -> str:
    found = command.get("collection") if name == "getMore" else command.get(name)
    return found if isinstance(found, str) else ""
