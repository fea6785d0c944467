"""Requests for mails, as other services send them."""

from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.shapes.mail_request import MailRequestEvent

from notifications.mail.service import MailRequests


def on_mail_request(requests: MailRequests) -> Handler:
    """Return the handler of every service's requests: one mail per cause. A happening has no tombstone."""

    async def handle(incoming: Incoming[MailRequestEvent], uow: UnitOfWork) -> None:
        if incoming.event is not None:
            await requests.take(uow, incoming.event)

    return handle
