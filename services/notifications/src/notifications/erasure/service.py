"""Removes what notifications holds of a person in two steps, and confirms each."""

from functools import partial

from chassis.erasure import Erased, Step
from chassis.uow import UnitOfWork
from contracts.notifications.request_part import NotificationsRequestPartEvent

from notifications.alerts import service as alerts
from notifications.contacts import service as contacts
from notifications.mail import service as mail
from notifications.news import service as news
from notifications.outward.service import Outward
from notifications.searches import service as searches
from notifications.templates import AFTER_CLOSING


async def forget(uow: UnitOfWork, subject: str, *, outward: Outward) -> dict[str, int]:
    """Remove saved searches and mails, those that tell of the erasure itself excepted, and let systems outside forget."""
    alerts.forget(uow, subject)
    return {
        "handles": await outward.forget(uow, subject),
        "news": await news.forget(uow, subject),
        "searches": await searches.forget(uow, subject),
        "mails": await mail.forget(uow, subject, but=AFTER_CLOSING),
    }


async def forget_contact(uow: UnitOfWork, subject: str) -> dict[str, int]:
    """Remove the last mails and where they went to."""
    return {
        "contacts": await contacts.forget_account(uow, subject),
        "mails": await mail.forget(uow, subject),
    }


def steps(outward: Outward) -> tuple[Step, ...]:
    """Return the steps in their order."""
    return Step("services", partial(forget, outward=outward), ends=False), Step("contact", forget_contact)


async def tell(uow: UnitOfWork, erased: Erased, sequence: int) -> None:
    """Confirm to consent. Notifications keeps nothing of an erased person."""
    uow.emit(NotificationsRequestPartEvent.model_validate(erased.confirmation), sequence=sequence)
