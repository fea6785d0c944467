"""Erases invitations whose term is over. What is due is read from the database, so a worker that was away catches up."""

from datetime import timedelta

from chassis.jobs import Job
from chassis.mongo import Mongo, transact

from identity.invitations.service import erase_due

BATCH = 200


def jobs(*, mongo: Mongo) -> list[Job]:
    """Return the jobs of this slice."""

    async def batch() -> int:
        now = mongo.clock.now()
        return await transact(mongo, lambda uow: erase_due(uow, now=now, limit=BATCH))

    async def sweep() -> int:
        done = count = await batch()
        while count >= BATCH:
            count = await batch()
            done += count
        return done

    return [Job("invitations-over", timedelta(seconds=30), sweep)]
