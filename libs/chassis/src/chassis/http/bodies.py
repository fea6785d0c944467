"""Request bodies: strict models and the media types that a route takes."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException, SerializationException
from litestar.handlers import BaseRouteHandler
from litestar.params import BodyKwarg
from litestar.status_codes import HTTP_415_UNSUPPORTED_MEDIA_TYPE
from pydantic import BaseModel, ConfigDict

from chassis.http.problems import invalid

MAX_BYTES = 1_000_000


class Body(BaseModel):
    """What request bodies have in common: unknown fields are refused by name, texts lose the blanks around them."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)


class ReadableRequest(Request[Any, Any, Any]):
    """A request whose JSON is unreadable, and no mistake of ours, also where the parser fails in ways of its own.

    That is what it does on lists within lists without end, and on bytes that are no UTF-8 inside a text.
    """

    async def json(self) -> Any:
        """Return the body as JSON says it."""
        try:
            return await super().json()
        except (RecursionError, UnicodeDecodeError):
            raise SerializationException("the body cannot be parsed") from None


async def check_media_type(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse a body of another kind than the route declares (415); the application's guard. JSON includes `…+json`."""
    declared = handler.parsed_fn_signature.parameters.get("data")
    if declared is None or not isinstance(declared.kwarg_definition, BodyKwarg):
        return
    wanted = RequestEncodingType(declared.kwarg_definition.media_type).value
    sent = connection.headers.get("content-type", "").split(";")[0].strip().lower()
    if not sent and connection.headers.get("content-length", "0") == "0" and "transfer-encoding" not in connection.headers:
        if declared.is_optional or declared.has_default:
            return
        raise invalid("body", "required")
    is_json = wanted == RequestEncodingType.JSON.value and sent.startswith("application/") and sent.endswith("+json")
    if sent != wanted and not is_json:
        raise HTTPException(status_code=HTTP_415_UNSUPPORTED_MEDIA_TYPE, headers={"Accept": wanted})
