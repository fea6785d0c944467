"""What is read of requests: whether one comes too late. Whose they are is in no metric."""

from chassis.clock import Clock
from chassis.metrics import State
from chassis.mongo import Mongo

from consent.requests import service as requests

REQUEST_DAYS_LEFT = State("kandidatenbank_request_days_left", "Days until the term of the most urgent open request ends.")


async def read_requests(mongo: Mongo, clock: Clock) -> None:
    """Hold how many days are left; without an open request, a whole month."""
    urgent = await requests.most_urgent(mongo)
    REQUEST_DAYS_LEFT.hold((urgent.due_on - clock.today()).days if urgent else 31)
