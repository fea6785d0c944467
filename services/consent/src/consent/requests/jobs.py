"""Removes requests when their term is over (R28)."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from consent.requests.service import remove_closed


def jobs(mongo: Mongo, *, every: timedelta, years: int) -> list[Job]:
    """Return the jobs of this slice."""
    return [Job("end-requests", every, partial(remove_closed, mongo, years))]
