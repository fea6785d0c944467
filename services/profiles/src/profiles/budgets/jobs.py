"""Removes what was counted on past days, and freezes whose term is over (R28)."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from profiles.budgets.service import remove_ended


def jobs(mongo: Mongo, *, every: timedelta, budgets_kept: timedelta, freezes_kept: timedelta) -> list[Job]:
    """Return the jobs of this slice."""
    return [Job("end-budgets", every, partial(remove_ended, mongo, budgets_kept, freezes_kept))]
