"""Seals the access log each minute, and ends what is past its term."""

from datetime import timedelta
from functools import partial

from chassis.jobs import Job
from chassis.mongo import Mongo

from profiles.blocks.service import end, seal
from profiles.signatures.service import Signatures


def jobs(*, mongo: Mongo, signatures: Signatures, every: timedelta, kept: timedelta) -> list[Job]:
    """Return the jobs of this slice."""
    return [
        Job("seal-access-log", every, partial(seal, mongo, signatures)),
        Job("end-access-log", every, partial(end, mongo, signatures, kept)),
    ]
