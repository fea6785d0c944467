"""The stored form of a row of the access log: what its hash is taken over, so that a block can prove it unchanged."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal

from bson import encode

Kind = Literal["view", "search-page"]
BLOCK = "block"
"""The field that names the block in which a row was sealed: the one thing of it that changes, and no part of its hash."""
UNSEALED = 0


def hash_of(row: Mapping[str, Any]) -> bytes:
    """Return the hash of a row as it lies in the database: over ciphertext, so that a destroyed key changes nothing."""
    return sha256(encode({name: value for name, value in row.items() if name != BLOCK})).digest()
