"""Drops sessions that are over. Their ends stand on the topic for a day; here they stand as long."""

from datetime import timedelta

from chassis.jobs import Job
from chassis.mongo import Mongo, transact

from identity.sessions.service import remove_over

KEPT = timedelta(days=1)
BATCH = 500


def jobs(*, mongo: Mongo) -> list[Job]:
    """Return the jobs of this slice."""

    async def sweep() -> int:
        done = 0
        while True:
            before = mongo.clock.machine() - KEPT
            count = await transact(mongo, lambda uow: remove_over(uow, before=before, limit=BATCH))
            done += count
            if count < BATCH:
                return done

    return [Job("sessions-over", timedelta(minutes=5), sweep)]
