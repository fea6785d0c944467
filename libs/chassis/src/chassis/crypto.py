"""Encrypts single fields of one person, so that a stored value opens only where it belongs.

A box is `version (1 byte) | nonce (12 bytes) | ciphertext and tag`. Subject and field path are associated data: a value that was
moved to another person or another field does not open, and a box of one version does not pass for another.
"""

from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from chassis.ids import random_bytes

KEY_BYTES: Final = 32
_NONCE: Final = 12
_TAG: Final = 16
_VERSION: Final = b"\x01"
_HEAD: Final = len(_VERSION) + _NONCE


class UnreadableError(Exception):
    """A value does not open: wrong key, subject, field or version, or damaged. It names the path and nothing else."""

    loggable = True

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} cannot be opened")
        self.path = path


class DataKey:
    """A 256-bit key, ready to use. Neither its text nor its pickle gives the bytes away."""

    __slots__ = ("aead",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(raw)}")
        self.aead: Final = AESGCM(raw)


def encrypt(key: DataKey, plaintext: bytes, *, subject: str, path: str) -> bytes:
    """Return the box of one value."""
    nonce = random_bytes(_NONCE)
    return _VERSION + nonce + key.aead.encrypt(nonce, plaintext, _belongs_to(subject) + path.encode())


def decrypt(key: DataKey, box: bytes, *, subject: str, path: str) -> bytes:
    """Return what is in the box, or raise UnreadableError."""
    return _open(key, box, _belongs_to(subject), path)


def encrypt_fields(key: DataKey, subject: str, fields: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a box for each field; values are anything that JSON can say."""
    encrypt_one, owner = key.aead.encrypt, _belongs_to(subject)
    chance = random_bytes(_NONCE * len(fields))  # one call for all nonces: the system call costs as much as a field
    boxes = {}
    for number, (path, value) in enumerate(fields.items()):
        nonce = chance[number * _NONCE : (number + 1) * _NONCE]
        boxes[path] = _VERSION + nonce + encrypt_one(nonce, to_json(value), owner + path.encode())
    return boxes


def decrypt_fields(key: DataKey, subject: str, boxes: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the value of each field; the first that does not open raises UnreadableError with its path."""
    owner = _belongs_to(subject)
    return {path: from_json(_open(key, box, owner, path)) for path, box in boxes.items()}


def _belongs_to(subject: str) -> bytes:
    name = subject.encode()
    return _VERSION + len(name).to_bytes(4, "big") + name  # the length keeps ('ab', 'c') and ('a', 'bc') apart


def _open(key: DataKey, box: bytes, owner: bytes, path: str) -> bytes:
    if box[:1] != _VERSION or len(box) < _HEAD + _TAG:
        raise UnreadableError(path)
    try:
        return key.aead.decrypt(box[1:_HEAD], box[_HEAD:], owner + path.encode())
    except InvalidTag:
        raise UnreadableError(path) from None
