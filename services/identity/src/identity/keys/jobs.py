"""Keeps a signing key in use and the next one announced."""

from datetime import timedelta

from chassis.jobs import Job
from chassis.keyring import Keyring
from chassis.mongo import Mongo

from identity.keys.model import Terms
from identity.keys.service import retire, rotate


def jobs(*, mongo: Mongo, keyring: Keyring, terms: Terms) -> list[Job]:
    """Return the jobs of this slice."""

    async def turn() -> int:
        return await rotate(mongo=mongo, keyring=keyring, terms=terms) + await retire(mongo=mongo)

    return [Job("signing-keys", timedelta(seconds=30), turn)]
