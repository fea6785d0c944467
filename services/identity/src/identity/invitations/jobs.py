"""Erases invitations whose term is over. What is due is read from the database, so a worker that was away catches up."""

from datetime import timedelta

from chassis.jobs import Job
from chassis.mongo import Mongo

from identity.batches import in_batches
from identity.invitations.service import erase_due


def jobs(*, mongo: Mongo) -> list[Job]:
    """Return the jobs of this slice."""

    async def sweep() -> int:
        now = mongo.clock.now()
        return await in_batches(mongo, lambda uow, limit: erase_due(uow, now=now, limit=limit))

    return [Job("invitations-over", timedelta(seconds=30), sweep)]
