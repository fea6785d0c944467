"""`encrypt`: ten fields of one person, each bound to its owner and path, against the cipher alone."""

import time
from collections.abc import Callable

from chassis.crypto import KEY_BYTES, DataKey, encrypt_fields
from chassis.ids import new_id, random_bytes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import to_json

from testkit.bench.figures import Figure, alternate
from testkit.bench.ground import Ground
from testkit.samples import people

TIMES, FIELDS, NONCE = 10_000, 10, 12


async def encrypt(_ground: Ground) -> list[Figure]:
    """Measure the time for ten fields of a sample person."""
    profile = people()[0].profile
    told = {f"{group}.{name}": value for group, fields in profile.items() for name, value in fields.items()}
    fields = dict(list(told.items())[:FIELDS])
    raw, subject = random_bytes(KEY_BYTES), new_id()
    key, cipher, nonce = DataKey(raw), AESGCM(raw), random_bytes(NONCE)
    texts = [to_json(value) for value in fields.values()]

    def bare() -> None:
        for text in texts:
            cipher.encrypt(nonce, text, None)

    rounds = await alternate(lambda: _microseconds(lambda: encrypt_fields(key, subject, fields)), lambda: _microseconds(bare))
    return [Figure("encrypt", "us", "us, bare AES-GCM on the same bytes", rounds, better="lower", goal=3)]


async def _microseconds(once: Callable[[], object]) -> float:
    begun = time.thread_time()
    for _ in range(TIMES):
        once()
    return (time.thread_time() - begun) / TIMES * 1_000_000
