"""A log line carries ids and places, never a person's details, whoever writes it."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from chassis import logs


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    root, written = logging.getLogger(), io.StringIO()
    before = root.handlers, root.level
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", written)  # pytest's own capture changes between set-up and test
        logs.configure("sample", "api", "info")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers, root.level = before
    structlog.reset_defaults()


def test_a_line_is_json_with_what_is_bound(lines: Any) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1", trace_id="t1"):
        logs.get_logger().info("profile_activated", subject="p1")
        logging.getLogger("library").warning("half %s", "full")
    ours, theirs = lines()
    assert (ours["event"], ours["subject"], ours["service"], ours["process"]) == ("profile_activated", "p1", "sample", "api")
    assert (theirs["event"], theirs["logger"]) == ("half full", "library")
    assert ours["trace_id"] == theirs["trace_id"] == "t1"


@pytest.mark.parametrize("field", sorted(logs.PERSONAL))
def test_no_known_personal_field_is_written_at_any_depth(lines: Any, field: str) -> None:
    logs.get_logger().info("seen", **{field: "Janneke"})
    logs.get_logger().info("seen", profile={"career": [{field.upper(): "Janneke"}]})
    flat, deep = lines()
    assert "Janneke" not in json.dumps([flat, deep])
    assert (flat["dropped"], deep["dropped"]) == ([field], [field.upper()])


def test_an_address_inside_a_text_is_blotted_out(lines: Any) -> None:
    logs.get_logger().info("seen", reason="cannot reach jan.de-vries+x@mail.example.nl now")
    logging.getLogger("library").warning("mail to %s refused", "jan@example.nl")
    assert "jan" not in json.dumps(lines())


def test_an_exception_is_told_by_type_and_place_only(lines: Any) -> None:
    try:
        int("Janneke")
    except ValueError as error:
        logs.get_logger().error("failed", exc_info=error)
        logging.getLogger("library").exception("ValueError: %s", error)
    ours, theirs = lines()
    assert "Janneke" not in json.dumps([ours, theirs])
    assert ours["error"] == theirs["error"] == "ValueError"
    assert "test_logs.py" in ours["error_at"][0]


def test_an_exception_that_names_nobody_keeps_its_message(lines: Any) -> None:
    try:
        raise ConnectionRefusedError(111, "refused", "db:27017")
    except OSError as error:
        logs.get_logger().warning("away", exc_info=error)
    assert "refused" in lines()[0]["error_detail"]


def test_a_librarys_repeated_warning_is_written_once_in_a_while(lines: Any) -> None:
    for number in range(50):
        logging.getLogger("aiokafka").error("Unable to connect to %s", f"broker-{number}")
        logs.get_logger().warning("ours")
    written = [line["event"] for line in lines()]
    assert written.count("Unable to connect to broker-0") == 1
    assert len([event for event in written if event.startswith("Unable")]) == 1
    assert written.count("ours") == 50


def test_what_was_held_back_is_counted() -> None:
    thinned = logs.Thinned(every=0.0)
    record = logging.LogRecord("aiokafka", logging.ERROR, "", 0, "gone", None, None)
    thinned._seen["aiokafka", "gone"] = (-1.0, 41)
    assert thinned.filter(record)
    assert record.msg == "gone (and 41 times more)"
