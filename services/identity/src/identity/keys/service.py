"""Makes signing keys and signs access tokens with the one that is in use.

A private key lies encrypted under a data key of its own, whose id is the signing key's. Several processes may find at once
that a key is due: the unique number lets one of them win.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.crypto import decrypt, encrypt
from chassis.destruction import schedule_destruction
from chassis.ids import new_id
from chassis.keyring import Keyring
from chassis.known import forget_signing_key, store_signing_key
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller, encode
from chassis.uow import UnitOfWork
from contracts.identity.signing_key import SigningKeyEvent
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity.keys import store
from identity.keys.model import KeyTimes, Terms, next_key, signs_now
from identity.keys.store import StoredKey

CLASS = "signing-key"
PATH = "private"
RELOAD = timedelta(seconds=10)
"""How long a process signs without looking whether there is a newer key; announcements are much longer."""


class NoSigningKeyError(Exception):
    """There is no key that may sign, although one was just made: clocks of processes differ by more than they may."""


@dataclass(frozen=True)
class AccessToken:
    """A signed token and the seconds that it lives."""

    token: str
    expires_in: int


@dataclass(frozen=True)
class _Draft:
    id: str
    x: str
    private: bytes


async def rotate(*, mongo: Mongo, keyring: Keyring, terms: Terms) -> int:
    """Make and announce the next key when its time has come; return how many were made."""
    now = mongo.clock.machine()
    newest = await store.newest(mongo)
    if next_key(newest.times if newest else None, terms, now=now) is None:
        return 0
    draft = await _draft(keyring)

    async def work(uow: UnitOfWork) -> int:
        last = await store.newest(uow)
        times = next_key(last.times if last else None, terms, now=now)
        if times is None:
            schedule_destruction(uow, draft.id, CLASS)
            return 0
        _announce(uow, draft, times, number=last.number + 1 if last else 1)
        return 1

    return await transact(mongo, work)


async def retire(*, mongo: Mongo) -> int:
    """Drop the keys that nobody accepts any more, and their private halves with them."""

    async def work(uow: UnitOfWork) -> int:
        gone = await store.outlived(uow, mongo.clock.machine())
        for key in gone:
            store.remove(uow, key)
            forget_signing_key(uow, key.id)
            schedule_destruction(uow, key.id, CLASS)
            uow.emit_tombstone(SigningKeyEvent.topic, key=key.id, sequence=2)
        return len(gone)

    return await transact(mongo, work)


def jwk(key: StoredKey) -> dict[str, str]:
    """Return the public half as a JWK (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id, "x": key.x}


async def jwks(*, mongo: Mongo) -> dict[str, list[dict[str, str]]]:
    """Return the keys that check tokens now or soon (RFC 7517)."""
    return {"keys": [jwk(key) for key in await store.valid_at(mongo, mongo.clock.machine())]}


class Signer:
    """Signs access tokens. It makes the very first key itself when no worker has come to it yet."""

    def __init__(self, *, mongo: Mongo, keyring: Keyring, terms: Terms, issuer: str) -> None:
        self._mongo, self._keyring, self._terms, self._issuer = mongo, keyring, terms, issuer
        self._clock: Clock = mongo.clock
        self._keys: list[StoredKey] = []
        self._loaded_at: datetime | None = None

    async def access_token(self, caller: Caller) -> AccessToken:
        """Return a token that says who calls, for the life that the settings give it."""
        now = self._clock.machine()
        key = await self._current(now)
        sealing = await self._keyring.existing(key.id, CLASS)
        private = Ed25519PrivateKey.from_private_bytes(decrypt(sealing, key.private, subject=key.id, path=PATH))
        token = encode(
            caller,
            kid=key.id,
            key=private,
            issuer=self._issuer,
            token_id=new_id(),
            issued=now,
            expires=now + self._terms.token_life,
        )
        return AccessToken(token, int(self._terms.token_life.total_seconds()))

    async def _current(self, now: datetime) -> StoredKey:
        if self._loaded_at is None or now - self._loaded_at >= RELOAD:
            await self._load(now)
        found = self._usable(now)
        if found is None:
            await rotate(mongo=self._mongo, keyring=self._keyring, terms=self._terms)
            await self._load(self._clock.machine())
            found = self._usable(self._clock.machine())
        if found is None:
            raise NoSigningKeyError
        return found

    async def _load(self, now: datetime) -> None:
        self._keys = await store.valid_at(self._mongo, now)
        self._loaded_at = now

    def _usable(self, now: datetime) -> StoredKey | None:
        times = signs_now([key.times for key in self._keys], now=now, token_life=self._terms.token_life)
        return next((key for key in self._keys if key.times == times), None)


async def _draft(keyring: Keyring) -> _Draft:
    key_id = new_id()
    pair = Ed25519PrivateKey.generate()
    box = encrypt(await keyring.key(key_id, CLASS), pair.private_bytes_raw(), subject=key_id, path=PATH)
    return _Draft(key_id, urlsafe_b64encode(pair.public_key().public_bytes_raw()).rstrip(b"=").decode(), box)


def _announce(uow: UnitOfWork, draft: _Draft, times: KeyTimes, *, number: int) -> None:
    store.add(uow, StoredKey(id=draft.id, number=number, times=times, x=draft.x, private=draft.private))
    event = SigningKeyEvent(kid=draft.id, x=draft.x, not_before=times.use_from, not_after=times.valid_until)
    store_signing_key(uow, kid=event.kid, x=event.x, not_before=event.not_before, not_after=event.not_after)
    uow.emit(event, sequence=1)
