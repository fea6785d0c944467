"""One header of a request, read where it stands: Litestar's `headers` reads all of them anew for each request."""

from litestar.types import Scope


def header(scope: Scope, name: bytes) -> str:
    """Return a header's first value, or an empty text. The name in small letters, as the server gives them."""
    for sent, value in scope["headers"]:
        if sent == name:
            return value.decode("latin-1")
    return ""
