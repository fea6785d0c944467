"""Tells those who were seen in an abuse."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from profiles.abuse.service import Abuses


def jobs(mongo: Mongo, abuses: Abuses) -> list[Job]:
    """Return the jobs of this slice."""
    return [Job("tell-seen", timedelta(seconds=2), partial(abuses.tell, mongo))]
