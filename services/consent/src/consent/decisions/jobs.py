"""Removes what proves a consent when its term is over (R28)."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from consent.decisions.service import remove_ended


def jobs(mongo: Mongo, *, every: timedelta, years: int) -> list[Job]:
    """Return the jobs of this slice."""
    return [Job("end-consents", every, partial(remove_ended, mongo, years))]
