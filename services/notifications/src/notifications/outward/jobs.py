"""Reminds and reports organisations whose systems did not say that they forgot."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from notifications.outward.service import Outward


def jobs(*, mongo: Mongo, outward: Outward) -> list[Job]:
    """Return the jobs of this slice."""
    return [Job("forgets", timedelta(seconds=5), partial(outward.tend, mongo))]
