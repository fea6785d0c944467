"""Signs for the access log, and tells which public keys have signed.

A private half lies encrypted under a data key of its own, as those that sign tokens do, and is destroyed when the next key takes
its place; the public half stays for good. A public key counts when it carries the service's keyed hash: a key that somebody
put into the database does not.
"""

import hmac
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chassis.crypto import decrypt, encrypt
from chassis.destruction import schedule_destruction
from chassis.hashing import keyed_hash
from chassis.ids import new_id
from chassis.keyring import Keyring, NoKeyError
from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork
from chassis.wrapped import UnusableKeyError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from profiles.signatures import store
from profiles.signatures.store import StoredKey

CLASS: Final = "access-log-key"
PATH: Final = "private"
LIFE: Final = timedelta(days=90)
"""How long a key signs, in machine time."""
Publics = dict[str, Ed25519PublicKey]


class NoSignerError(Exception):
    """A key was just made and cannot be opened: the keyring does not keep what it is given."""


@dataclass(frozen=True)
class Signer:
    """A private key that may sign now."""

    id: str
    private: Ed25519PrivateKey

    def sign(self, statement: bytes) -> bytes:
        """Return the signature under a statement."""
        return self.private.sign(statement)


@dataclass(frozen=True)
class Signatures:
    """The keys of one service."""

    mongo: Mongo
    keyring: Keyring
    key: bytes
    """The service's hash key."""

    async def signer(self) -> Signer:
        """Return what signs now. The next key is made when this one is old, or when its private half is lost."""
        newest = await store.newest(self.mongo)
        if newest is not None and self.mongo.clock.machine() < newest.made + LIFE:
            with suppress(NoKeyError, UnusableKeyError):
                return await self._opened(newest)
        await self._make_next(newest)
        made = await store.newest(self.mongo)
        if made is None:
            raise NoSignerError
        return await self._opened(made)

    async def publics(self) -> Publics:
        """Return all keys that have ever signed, by their ids; not what somebody else put among them."""
        return {
            key.id: Ed25519PublicKey.from_public_bytes(key.public)
            for key in await store.every(self.mongo)
            if hmac.compare_digest(key.mac, self._mac(key.id, key.public))
        }

    async def _opened(self, key: StoredKey) -> Signer:
        sealing = await self.keyring.existing(key.id, CLASS)
        private = decrypt(sealing, key.private, subject=key.id, path=PATH)
        return Signer(key.id, Ed25519PrivateKey.from_private_bytes(private))

    async def _make_next(self, after: StoredKey | None) -> None:
        """Make the key that follows this one; of several workers that do so at once one wins."""
        draft = await self._draft(after.number + 1 if after else 1)

        async def work(uow: UnitOfWork) -> None:
            last = await store.newest(uow)
            if (last and last.id) != (after and after.id):
                return schedule_destruction(uow, draft.id, CLASS)
            store.add(uow, draft)
            if last is not None:
                schedule_destruction(uow, last.id, CLASS)
            return None

        await transact(self.mongo, work)

    async def _draft(self, number: int) -> StoredKey:
        key_id, pair = new_id(), Ed25519PrivateKey.generate()
        sealing = await self.keyring.key(key_id, CLASS)
        public = pair.public_key().public_bytes_raw()
        return StoredKey(
            id=key_id,
            number=number,
            made=self.mongo.clock.machine(),
            public=public,
            mac=self._mac(key_id, public),
            private=encrypt(sealing, pair.private_bytes_raw(), subject=key_id, path=PATH),
        )

    def _mac(self, key_id: str, public: bytes) -> str:
        return keyed_hash(self.key, "access-log-key", f"{key_id}:{public.hex()}")
