"""Master keys: they wrap what lies in the keyring database, and never lie in a database themselves.

Each has an epoch, which a wrapped row names, so that several can be held while rows are moved from one to the next.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Self

from chassis.crypto import DataKey, decrypt, encrypt


class MasterKeyError(Exception):
    """The setting does not hold usable master keys, or a row was wrapped under one that is not held."""

    loggable = True


@dataclass(frozen=True)
class MasterKeys:
    """The master keys that a process holds, by epoch; `current` is the one that wraps."""

    keys: dict[str, DataKey]
    current: str

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Read `base64`, or `epoch:base64,epoch:base64` of which the last wraps."""
        keys = dict(_entry(part) for part in setting.split(","))
        return cls(keys, current=list(keys)[-1])

    def wrap(self, secret: bytes, *, owner: str) -> dict[str, Any]:
        """Return the fields `wrapped` and `epoch` of a row that belongs to `owner`."""
        box = encrypt(self.keys[self.current], secret, subject=owner, path="wrapped")
        return {"wrapped": box, "epoch": self.current}

    def unwrap(self, row: dict[str, Any], *, owner: str) -> bytes:
        """Return the secret of a row.

        Raises:
            MasterKeyError: Its master key is not held here (any more).
            UnreadableError: It is not this owner's, or damaged.
        """
        key = self.keys.get(row["epoch"])
        if key is None:
            raise MasterKeyError(f"no master key of epoch {row['epoch']}")
        return decrypt(key, row["wrapped"], subject=owner, path="wrapped")


def _entry(part: str) -> tuple[str, DataKey]:
    epoch, _, text = part.strip().rpartition(":")
    try:
        return epoch or "0", DataKey(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise MasterKeyError(
            "a master key is 32 bytes in base64, with its epoch and a colon before it where there are several"
        ) from None
