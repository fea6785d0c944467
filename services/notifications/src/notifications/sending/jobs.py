"""Ends mails that were asked for too long ago."""

from datetime import timedelta

from chassis.clock import Clock
from chassis.jobs import Job
from chassis.mongo import Mongo

from notifications.sending.model import Retries
from notifications.sending.service import give_up_overdue


def jobs(*, mongo: Mongo, clock: Clock, retries: Retries) -> list[Job]:
    """Return the jobs of this slice."""

    async def give_up() -> int:
        return await give_up_overdue(mongo, clock=clock, retries=retries)

    return [Job("give-up-mails", timedelta(minutes=5), give_up)]
