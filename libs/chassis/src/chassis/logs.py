"""Logging: one JSON line per event on standard output, for our own code and for the libraries.

A line carries ids, never details: known personal fields are dropped whatever the caller passed, and of an exception only
its type and place are written, because its message may quote a value ('invalid literal: jan@…'). Event names are
constant strings; what differs goes into fields.
"""

import logging
import re
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from chassis import trace

get_logger = structlog.get_logger

# The closed list of fields that never reach a log. `name` is among them: say `job=`, `topic=`, `service=` instead.
# fmt: off
PERSONAL = frozenset((
    "address", "authorization", "birth_date", "body", "city", "contact", "cookie", "cv", "description", "document",
    "e_mail", "email", "employer", "family_name", "file", "filename", "first_name", "full_name", "gender", "given_name",
    "headers", "headline", "ip", "last_name", "letter", "location", "message", "mobile", "name", "nickname", "note",
    "notes", "password", "payload", "phone", "photo", "place", "postal_code", "query", "recipient", "recipients",
    "reply_to", "residence", "secret", "sender", "skills", "street", "subject_line", "summary", "telephone", "text", "to",
    "token", "url", "user_agent", "username", "value", "video",
))
# fmt: on
_ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)*")
# Their messages name code, hosts and files, never a person's details.
_TELLING = (OSError, ImportError, NameError, AttributeError, TypeError, NotImplementedError, RecursionError)
_FRAMES = 12
# Loggers of libraries that would write commands, addresses or the secret part of a link at their lower levels.
_HUSHED = ("pymongo", "httpx", "httpcore", "aiosmtplib", "faststream", "granian.access", "multipart", "asyncio")


def configure(service: str, process: str, level: str = "info", *, json: bool = True, stream: TextIO | None = None) -> None:
    """Route structlog and the standard library's logging to standard output, or another stream, as one stream of lines.

    Ours go straight there: on their way through the standard library a line costs three times as much, and each request has one.
    """
    about: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _stamp(service, process),
    ]
    written: list[Processor] = [
        describe_error,
        drop_personal,
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(),
    ]
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*about, *written],
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stdout),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.addFilter(Thinned())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *about],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
    for hushed in _HUSHED:
        logging.getLogger(hushed).setLevel(logging.WARNING)


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the id of the running trace, so that its lines are found in every process."""
    running = trace.running()
    if running is not None:
        event["trace_id"] = trace.trace_id(running)
    return event


def drop_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop known personal fields at every depth, and addresses inside texts; say which fields were dropped."""
    dropped: set[str] = set()
    kept = _without_personal(event, dropped)
    if dropped:
        kept["dropped"] = sorted(dropped)
    return kept


def describe_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and place; its message only where that can name nobody."""
    info = event.pop("exc_info", None)
    error = _exception(info)
    if error is None:
        return event
    event["error"] = type(error).__qualname__
    told = str(error)
    if isinstance(error, _TELLING) or getattr(error, "loggable", False):
        event["error_detail"] = told[:500]
    elif told:  # libraries like to repeat it in their own message
        event["event"] = str(event.get("event", "")).replace(told, "[message]")
    if error.__cause__ is not None:
        event["error_cause"] = type(error.__cause__).__qualname__
    event["error_at"] = _places(error.__traceback__)
    return event


class Thinned(logging.Filter):
    """Lets a repeated warning of a library through once in a while: a broker that is away would fill the disk.

    Repeated means the same logger and the same message before its arguments are filled in. The line that passes says how
    many were held back.
    """

    def __init__(self, every: float = 30.0) -> None:
        super().__init__()
        self._every = every
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written."""
        if record.levelno < logging.WARNING or not isinstance(record.msg, str):
            return True
        key, now = (record.name, record.msg), time.monotonic()
        since, held = self._seen.get(key, (-self._every, 0))
        if now - since < self._every:
            self._seen[key] = (since, held + 1)
            return False
        if len(self._seen) > 1000:  # messages that were formatted by their caller are all different
            self._seen.clear()
        self._seen[key] = (now, 0)
        if held:
            record.msg = f"{record.msg} (and {held} times more)"
        return True


def _stamp(service: str, process: str) -> Processor:
    def stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"], event["process"] = service, process
        return event

    return stamp


def _without_personal(fields: Mapping[str, Any], dropped: set[str]) -> dict[str, Any]:
    kept = {key: _cleaned(value, dropped) for key, value in fields.items() if str(key).lower() not in PERSONAL}
    if len(kept) < len(fields):
        dropped.update(str(key) for key in fields if key not in kept)
    return kept


def _cleaned(value: Any, dropped: set[str]) -> Any:
    if isinstance(value, str):
        return _ADDRESS.sub("[address]", value) if "@" in value else value
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return _without_personal(value, dropped)
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(one, dropped) for one in value]
    return value


def _exception(info: ExcInfo | BaseException | bool | None) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1]
    return sys.exc_info()[1] if info else None


def _places(traceback: TracebackType | None) -> list[str]:
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{'/'.join(code.co_filename.split('/')[-2:])}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-_FRAMES:]
