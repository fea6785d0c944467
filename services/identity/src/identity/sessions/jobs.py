"""Drops sessions that are over. Their ends stand on the topic for a day; here they stand as long."""

from datetime import timedelta

from chassis.jobs import Job
from chassis.mongo import Mongo, transact

from identity.sessions.service import remove_over

KEPT = timedelta(days=1)
BATCH = 500


def jobs(*, mongo: Mongo) -> list[Job]:
    """Return the jobs of this slice."""

    async def batch() -> int:
        before = mongo.clock.machine() - KEPT
        return await transact(mongo, lambda uow: remove_over(uow, before=before, limit=BATCH))

    async def sweep() -> int:
        done = count = await batch()
        while count >= BATCH:
            count = await batch()
            done += count
        return done

    return [Job("sessions-over", timedelta(minutes=5), sweep)]
