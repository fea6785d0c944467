"""Asks for the mails that are due, and forgets what was told long ago."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from notifications.news.service import ask_digests, ask_now, forget_old


def jobs(*, mongo: Mongo) -> list[Job]:
    """Return the jobs."""
    return [
        Job("alerts", timedelta(seconds=1), partial(ask_now, mongo)),
        Job("digests", timedelta(seconds=10), partial(ask_digests, mongo)),
        Job("old-news", timedelta(hours=1), partial(forget_old, mongo)),
    ]
