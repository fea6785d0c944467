"""What every process of a service is made of: its settings, clock, database, keyring. Nothing is connected before it is used."""

from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from chassis.clock import Clock
from chassis.keyring import Keyring
from chassis.master import MasterKeys
from chassis.mongo import Mongo
from chassis.settings import ServiceSettings

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
        await self.keyring.mongo.close()


def connect(settings: S, *, clock: Clock | None = None, patience: timedelta = REQUEST_PATIENCE) -> Resources[S]:
    """Return the resources that the settings name."""
    clock = clock or Clock(settings.clock_file)
    mongo = Mongo(settings.mongo_url.get_secret_value(), database=settings.mongo_database, clock=clock, patience=patience)
    keys = Mongo(settings.keyring_url.get_secret_value(), database=settings.keyring_database, clock=clock, patience=patience)
    return Resources(
        settings=settings,
        clock=clock,
        mongo=mongo,
        keyring=Keyring(keys, MasterKeys.parse(settings.master_key.get_secret_value())),
        hash_key=b64decode(settings.hash_key.get_secret_value()),
    )
