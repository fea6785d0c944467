"""What accounts do when notifications cannot open an address any more."""

from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.notifications.reseal import NotificationsResealEvent

from identity.accounts.service import reseal
from identity.addresses.service import Addresses
from identity.mails.service import Post


def on_reseal(addresses: Addresses, post: Post) -> Handler:
    """Return the handler that seals an address again."""

    async def handle(incoming: Incoming[NotificationsResealEvent], uow: UnitOfWork) -> None:
        if incoming.event is not None:
            await reseal(uow, incoming.event.subject, addresses=addresses, post=post)

    return handle
