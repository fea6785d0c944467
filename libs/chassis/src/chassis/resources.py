"""What every process of a service is made of: its settings, clock, database, keyring. Nothing is connected before it is used."""

from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from chassis.clock import Clock
from chassis.keyfolder import KeyFolder
from chassis.keyring import Keyring
from chassis.keyservice import KeyService
from chassis.mongo import Mongo
from chassis.settings import ServiceSettings
from chassis.transit import Transit
from chassis.wrapped import missing

S = TypeVar("S", bound=ServiceSettings)
S_co = TypeVar("S_co", bound=ServiceSettings, covariant=True)

REQUEST_PATIENCE = timedelta(seconds=4)
"""How long a request's transaction is retried before its caller hears 503."""
WORKER_PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True)
class Resources(Generic[S_co]):
    """Made once per process by `connect`."""

    settings: S_co
    clock: Clock
    mongo: Mongo
    keyring: Keyring
    hash_key: bytes

    async def close(self) -> None:
        """Close all connections."""
        await self.mongo.close()
        await self.keyring.close()


def connect(settings: S, *, clock: Clock | None = None, patience: timedelta = REQUEST_PATIENCE) -> Resources[S]:
    """Return the resources that the settings name."""
    clock = clock or Clock(settings.clock_file)
    mongo = Mongo(settings.mongo_url.get_secret_value(), database=settings.mongo_database, clock=clock, patience=patience)
    return Resources(
        settings=settings,
        clock=clock,
        mongo=mongo,
        keyring=open_keyring(settings, clock=clock, patience=patience),
        hash_key=b64decode(settings.hash_key.get_secret_value()),
    )


def open_keyring(settings: ServiceSettings, *, clock: Clock, patience: timedelta = REQUEST_PATIENCE) -> Keyring:
    """Return the service's keyring, with the key service that its settings name."""
    mongo = Mongo(settings.keyring_url.get_secret_value(), database=settings.keyring_database, clock=clock, patience=patience)
    return Keyring(mongo, _key_service(settings))


class MasterKeysMissingError(Exception):
    """The keyring needs master keys that the key service does not hold: nothing starts before they are there."""

    loggable = True

    def __init__(self, epochs: list[str]) -> None:
        super().__init__(f"no master keys of {', '.join(epochs)}")
        self.epochs = epochs


async def check_master_keys(settings: ServiceSettings) -> None:
    """Compare what the keyring needs with what the key service holds.

    Raises:
        MasterKeysMissingError: Some are not held.
    """
    keyring = open_keyring(settings, clock=Clock(settings.clock_file))
    try:
        lacking = await missing(keyring.mongo, keyring.masters)
    finally:
        await keyring.close()
    if lacking:
        raise MasterKeysMissingError(lacking)


def _key_service(settings: ServiceSettings) -> KeyService:
    if settings.master_keys is not None:
        return KeyFolder(settings.master_keys)
    return Transit(
        settings.vault_url,
        mount=settings.vault_mount,
        key=settings.vault_key,
        token=settings.vault_token.get_secret_value() if settings.vault_token else "",
        patience=settings.vault_patience,
    )
