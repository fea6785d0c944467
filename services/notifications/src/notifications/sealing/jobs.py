"""Turns the sealing keys, and keeps old ones while the consumer may still meet what was sealed to them."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.freshness import Freshness
from chassis.jobs import Job
from chassis.keyring import Keyring
from chassis.mongo import Mongo

from notifications.sealing.service import turn_sealing_keys

UP_TO_DATE = timedelta(seconds=20)
"""A consumer that has not been at a topic's end for so long lags: what it has yet to read may need an old sealing key."""


def jobs(*, mongo: Mongo, keyring: Keyring, fresh: Sequence[Freshness]) -> list[Job]:
    """Return the jobs of this slice; `fresh` are the topics that carry what was sealed to us."""

    async def lagging() -> bool:
        return not all([await one.within(UP_TO_DATE) for one in fresh])

    async def turn() -> int:
        return await turn_sealing_keys(mongo, keyring, lagging)

    return [Job("sealing-keys", timedelta(seconds=5), turn)]
