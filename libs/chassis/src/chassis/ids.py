"""Ids, secrets and chance: the only module that makes them."""

import base64
import secrets

import uuid_utils

_chance = secrets.SystemRandom()


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562) as text: sorts by the time it was made, and is never used again."""
    return str(uuid_utils.uuid7())


def new_secret() -> str:
    """Return 256 random bits, URL-safe: the secret part of a link or a token."""
    return secrets.token_urlsafe(32)


def new_handle() -> str:
    """Return a random public handle (100 bits, base32): tells nothing about whom it stands for or when it was made."""
    return base64.b32encode(secrets.token_bytes(13)).decode().rstrip("=").lower()[:20]


def random_bytes(count: int) -> bytes:
    """Return `count` random bytes."""
    return secrets.token_bytes(count)


def jitter(seconds: float) -> float:
    """Return a random part of a waiting time, between a half and the whole, so that waiters do not come back together."""
    return seconds * _chance.uniform(0.5, 1.0)
