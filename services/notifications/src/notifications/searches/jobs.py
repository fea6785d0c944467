"""Compares searches anew that were saved when there was less to compare."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from notifications.searches.service import Searches


def jobs(*, mongo: Mongo, searches: Searches) -> list[Job]:
    """Return the jobs of this slice."""
    return [Job("searches", timedelta(minutes=1), partial(searches.compare_anew, mongo))]
