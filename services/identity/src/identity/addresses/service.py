"""The one place that encrypts, opens and hashes e-mail addresses, and the secrets of the links that are mailed to them."""

from chassis.crypto import decrypt_fields, encrypt_fields
from chassis.destruction import schedule_destruction
from chassis.hashing import NotAnAddressError, address_hash, keyed_hash
from chassis.keyring import Keyring
from chassis.sealed_events import KLASS as WAITING_CLASS
from chassis.uow import UnitOfWork

CLASS = "identifying"
PATH = "address"


class Addresses:
    """Keeps addresses under their owner's data key, and finds them by keyed hash."""

    def __init__(self, *, keyring: Keyring, key: bytes) -> None:
        self._keyring, self._key = keyring, key

    def hash(self, address: str) -> str:
        """Return the hash by which an address is found; raises `chassis.hashing.NotAnAddressError`."""
        return address_hash(self._key, "identity-address", address)

    def hash_or_nobody(self, address: str) -> str:
        """Return the hash of whatever was typed at a sign-in; what cannot be an address belongs to nobody."""
        try:
            return self.hash(address)
        except NotAnAddressError:
            return "nobody"

    def secret_hash(self, secret: str) -> str:
        """Return what is stored of a link's secret."""
        return keyed_hash(self._key, "identity-link", secret)

    async def seal(self, owner: str, address: str) -> bytes:
        """Encrypt an address for its owner, whose key is made when there is none."""
        return encrypt_fields(await self._keyring.key(owner, CLASS), owner, {PATH: address})[PATH]

    async def open(self, owner: str, box: bytes) -> str:
        """Return an address."""
        return str(decrypt_fields(await self._keyring.existing(owner, CLASS), owner, {PATH: box})[PATH])


def forget_address(uow: UnitOfWork, owner: str) -> None:
    """Let an address go dark, in its row and in what may wait for a sealing key: its owner never became anybody here."""
    for klass in (CLASS, WAITING_CLASS):
        schedule_destruction(uow, owner, klass)
