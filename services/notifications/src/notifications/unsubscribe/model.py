"""The token in an unsubscribe link: it proves that we made the link, and nothing has to be stored for it. No I/O."""

import hmac

from chassis.hashing import keyed_hash

PURPOSE = "unsubscribe"


def token_for(search: str, *, key: bytes) -> str:
    """Return the token that ends a search's mails: its id and a keyed hash of it."""
    return f"{search}.{keyed_hash(key, PURPOSE, search)}"


def search_of(token: str, *, key: bytes) -> str | None:
    """Return the search that a token is for, or None when we did not make it."""
    search, dot, _ = token.partition(".")
    return search if dot and hmac.compare_digest(token_for(search, key=key).encode(), token.encode()) else None
