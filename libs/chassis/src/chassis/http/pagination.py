"""Cursor pagination: `?limit=` and an opaque, signed `?after=`, answered with `items` and a `next` link.

A cursor holds the sort values of the last item shown, so pages neither skip nor repeat when items come and go. It is signed
together with path and filters: one made up, or taken from another query, is refused.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from litestar import Request
from litestar.params import QueryParameter

from chassis.http.problems import invalid

DEFAULT, MOST = 20, 100
_SIGNATURE = 16
Value = str | int | float | None


@dataclass(frozen=True)
class Page:
    """What the caller asked for; a route takes it as the dependency `page`."""

    limit: int
    after: tuple[Value, ...] | None
    _next: Callable[[Sequence[Value]], str]

    def answer(self, items: Sequence[Any], after: Callable[[Any], Sequence[Value]], *, found: Sequence[Any]) -> dict[str, Any]:
        """Return the page. `found` are the rows read (ask for `limit + 1`), `items` what is shown of the first `limit`.

        `after` gives a row's sort values. There is a `next` link only when more rows were found.
        """
        more = len(found) > self.limit
        return {"items": list(items[: self.limit]), "next": self._next(after(found[self.limit - 1])) if more else None}


def provide_page(key: bytes) -> Callable[..., Awaitable[Page]]:
    """Return the dependency that reads `limit` and `after`."""

    async def page(
        request: Request[Any, Any, Any],
        limit: Annotated[str | None, QueryParameter(description=f"Items per page, 1 to {MOST}; {DEFAULT} by default.")] = None,
        after: Annotated[str | None, QueryParameter(description="Opaque; from the `next` link of the page before.")] = None,
    ) -> Page:
        query = [(k, v) for k, v in parse_qsl(request.scope["query_string"].decode("latin-1")) if k != "after"]
        filters = sorted((k, v) for k, v in query if k != "limit")
        scope = json.dumps([request.url.path, filters]).encode()

        def following(values: Sequence[Value]) -> str:
            return f"{request.url.path}?{urlencode([*query, ('after', _seal(key, scope, values))])}"

        return Page(_limit(limit), _open(key, scope, after) if after else None, following)

    return page


def _limit(sent: str | None) -> int:
    if sent is None:
        return DEFAULT
    if not (sent.isascii() and sent.isdigit() and len(sent) <= len(str(MOST)) and 1 <= int(sent) <= MOST):
        raise invalid("limit", "range", f"A whole number from 1 to {MOST}")
    return int(sent)


def _seal(key: bytes, scope: bytes, values: Sequence[Value]) -> str:
    body = json.dumps(list(values)).encode()
    return urlsafe_b64encode(_sign(key, scope, body) + body).decode().rstrip("=")


def _open(key: bytes, scope: bytes, text: str) -> tuple[Value, ...]:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise invalid("after", "cursor") from None
    signature, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if not hmac.compare_digest(signature, _sign(key, scope, body)):
        raise invalid("after", "cursor", "A cursor is taken from the `next` link of the same query")
    return tuple(json.loads(body))


def _sign(key: bytes, scope: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"cursor\0" + scope + b"\0" + body, "sha256")[:_SIGNATURE]
