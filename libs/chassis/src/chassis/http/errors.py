"""Turns whatever a handler raised into a problem document: the application's one exception handler."""

from collections.abc import Iterator
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

from chassis.http.context import request_id
from chassis.http.language import Text, language_of
from chassis.http.pages import failed_page
from chassis.http.problems import (
    MEDIA_TYPE,
    TYPE,
    BadRequestProblem,
    BusyProblem,
    FieldError,
    InvalidProblem,
    NotFoundProblem,
    Problem,
    UnexpectedProblem,
)
from chassis.mongo import BusyError

log = structlog.get_logger()
AnyRequest = Request[Any, Any, Any]

_BY_STATUS = {
    405: ("method-not-allowed", Text("Deze handeling bestaat hier niet", "This method does not exist here")),
    413: ("too-large", Text("Het verzoek is te groot", "The request is too large")),
    415: ("media-type", Text("Dit soort inhoud wordt hier niet aangenomen", "This kind of content is not taken here")),
    429: ("too-many", Text("Te veel verzoeken", "Too many requests")),
}
_SHORTEST = 3
# pydantic's names for the two rules that callers break most, in plain words.
_RULES = {"missing": "required", "extra_forbidden": "unknown"}


def answer(request: AnyRequest, error: Exception) -> Response[Any]:
    """Log what is a mistake of ours or trouble around us, and answer with a problem document (or page)."""
    problem = problem_of(error)
    if problem.status == HTTP_500_INTERNAL_SERVER_ERROR:
        log.error("request_failed", exc_info=error)
    elif isinstance(problem, BusyProblem):
        log.warning("request_not_served", exc_info=error)
    handler = request.scope.get("route_handler")
    if handler is not None and handler.opt.get("page"):
        return failed_page(problem, language_of(request))
    return document(request, problem)


def document(request: AnyRequest, problem: Problem) -> Response[Any]:
    """Return the problem as a document in the caller's language."""
    language = language_of(request)
    body: dict[str, Any] = {
        "type": f"{TYPE}{problem.code}",
        "title": problem.title.to(language),
        "status": problem.status,
        "detail": problem.detail,
        "instance": request_id(request.scope),
        "errors": [error.document(language) for error in problem.errors] or None,
        **problem.more,
    }
    return Response(
        {key: value for key, value in body.items() if value is not None},
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Content-Language": language, **problem.headers},
    )


def problem_of(error: Exception) -> Problem:
    """Return what an exception means to a caller."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BusyError) or (isinstance(error, PyMongoError) and _is_trouble(error)):
        return BusyProblem()
    if isinstance(error, SerializationException) or isinstance(error.__cause__, SerializationException):
        return BadRequestProblem(code="unreadable", detail="The body is not JSON")
    if isinstance(error, ValidationException) or _body_errors(error):
        return InvalidProblem(errors=_field_errors(error))
    if isinstance(error, HTTPException):
        return _of_litestar(error)
    return UnexpectedProblem()


def _is_trouble(error: PyMongoError) -> bool:
    labelled = error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError")
    return labelled or isinstance(error, ConnectionFailure | ExecutionTimeout | WTimeoutError)


def _of_litestar(error: HTTPException) -> Problem:
    status = error.status_code
    if status == NotFoundProblem.status:
        return NotFoundProblem()
    if status >= HTTP_500_INTERNAL_SERVER_ERROR:
        return UnexpectedProblem()
    if status in _BY_STATUS:
        code, title = _BY_STATUS[status]
        return Problem(status=status, code=code, title=title, headers=error.headers)
    return BadRequestProblem(status=status)


def _body_errors(error: Exception) -> list[dict[str, Any]]:
    """Return what pydantic said of a body. Litestar calls it a 500 when the field has the name of a dependency."""
    found = getattr(error.__cause__, "errors", None) if isinstance(error, HTTPException) else None
    return found if isinstance(found, list) else []


def _field_errors(error: Exception) -> list[FieldError]:
    if details := _body_errors(error):
        return [_of_pydantic(one) for one in details]
    extra = getattr(error, "extra", None)
    if isinstance(extra, list):
        return [_of_parameter(one) for one in extra]
    # Litestar names a missing parameter in a sentence only: "Missing required query parameter 'x' for path …"
    named = str(getattr(error, "detail", "")).split("'")
    return [FieldError(named[1], "required")] if len(named) > 1 else []


def _of_pydantic(error: dict[str, Any]) -> FieldError:
    where = ".".join(str(part)[:60] for part in error["loc"] if part != "data")
    message = str(error["msg"]).removeprefix("Value error, ")
    quotes = error["type"] == "union_tag_invalid" or any(text in message for text in _texts(error.get("input")))
    return FieldError(where or "body", _RULES.get(error["type"], error["type"]), None if quotes else message)


def _texts(sent: Any) -> Iterator[str]:
    """Give the values inside what was sent; shorter ones would be found in any sentence."""
    if isinstance(sent, dict):
        sent = list(sent.values())
    if isinstance(sent, list):
        for one in sent:
            yield from _texts(one)
    elif len(str(sent)) >= _SHORTEST:
        yield str(sent)


def _of_parameter(error: dict[str, Any]) -> FieldError:
    message = str(error.get("message", ""))
    field = str(error.get("key", "")).removeprefix("data") or "body"
    if "got `null`" in message:
        return FieldError(field, "required")
    return FieldError(field, "invalid", message if message.startswith("Expected") else None)
