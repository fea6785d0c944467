"""Drops sessions that are over. Their ends stand on the topic for a day; here they stand as long."""

from datetime import timedelta

from chassis.jobs import Job
from chassis.mongo import Mongo

from identity.batches import in_batches
from identity.sessions.service import remove_over

KEPT = timedelta(days=1)


def jobs(*, mongo: Mongo) -> list[Job]:
    """Return the jobs of this slice."""

    async def sweep() -> int:
        before = mongo.clock.machine() - KEPT
        return await in_batches(mongo, lambda uow, limit: remove_over(uow, before=before, limit=limit))

    return [Job("sessions-over", timedelta(minutes=5), sweep)]
