"""What begins and ends a fan-out: a vacancy."""

from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.profiles.vacancy import VacancyEvent

from notifications.fanout.service import FanOut


def on_vacancy(fanout: FanOut) -> Handler:
    """Return the handler of vacancies; a tombstone means that it is offered to nobody."""

    async def handle(incoming: Incoming[VacancyEvent], uow: UnitOfWork) -> None:
        if incoming.event is None:
            await fanout.forget(uow, incoming.key)
        else:
            await fanout.take(uow, incoming.event)

    return handle
