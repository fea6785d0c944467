"""What is read of requests: whether one comes too late. Whose they are is in no metric."""

from datetime import timedelta

from chassis.clock import Clock
from chassis.metrics import State
from chassis.mongo import Mongo

from consent.requests import service as requests

A_MONTH = timedelta(days=31)
REQUEST_LEFT = State("kandidatenbank_request_left_seconds", "Time until the term of the most urgent open request ends.")


async def read_requests(mongo: Mongo, clock: Clock) -> None:
    """Hold how long is left, in whole days; without an open request, a month."""
    urgent = await requests.most_urgent(mongo)
    left = urgent.due_on - clock.today() if urgent else A_MONTH
    REQUEST_LEFT.hold(left.total_seconds())
