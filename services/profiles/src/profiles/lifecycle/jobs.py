"""What time does by itself: ask at the end of the year, remind, end the period.

What is due stands in the database, so a worker that was away for weeks catches up. Each step is a transaction of its own and a
compare and set on (profile, cycle, step): killed in between, or run twice, it does the same.
"""

import structlog
from chassis.consume import is_trouble
from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork

from profiles import records
from profiles.lifecycle.model import Step, due
from profiles.lifecycle.service import Lifecycles
from profiles.records import Record

BATCH = 100
log = structlog.get_logger()


async def sweep(mongo: Mongo, lifecycles: Lifecycles) -> int:
    """Take all steps that are due and return how many were."""
    taken = 0
    while True:
        found = await records.find_due(mongo, today=mongo.clock.today(), limit=BATCH)
        now = sum([await _take(mongo, lifecycles, record) for record in found])
        taken += now
        if len(found) < BATCH or not now:
            return taken


async def _take(mongo: Mongo, lifecycles: Lifecycles, record: Record) -> bool:
    """Take one profile's step; one that fails by itself does not hold up the others."""
    coming = due(record.life, lifecycles.records.terms)
    step = coming[0] if coming else Step.ASK

    async def work(uow: UnitOfWork) -> bool:
        return await lifecycles.take(uow, subject=record.subject, step=step, cycle=record.life.cycle)

    try:
        return await transact(mongo, work)
    except Exception as error:
        if is_trouble(error):
            raise
        log.error("step_failed", subject=record.subject, step=step.value, cycle=record.life.cycle, exc_info=error)
        return False
