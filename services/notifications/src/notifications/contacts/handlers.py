"""What identity says of accounts and where their holders are mailed."""

from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent

from notifications.contacts import service
from notifications.contacts.service import Contacts
from notifications.searches import service as searches


def on_contact(contacts: Contacts) -> Handler:
    """Return the handler of contacts; a tombstone means that the person is erased."""

    async def handle(incoming: Incoming[ContactEvent], uow: UnitOfWork) -> None:
        if incoming.event is None:
            service.forget(uow, incoming.key)
        else:
            await contacts.take(uow, incoming.event, sequence=incoming.sequence)

    return handle


async def on_account(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
    """Keep an account's state; with its end (closed, or a tombstone) the address and the saved searches go.

    The address of somebody who asked to be erased is kept until the last mail has gone.
    """
    state = _state_of(incoming.event)
    service.note_account(uow, incoming.key, state=state)
    if state in {service.CLOSED, service.LEAVING, service.ERASED}:
        await searches.forget(uow, incoming.key)


def _state_of(account: AccountEvent | None) -> str:
    if account is None:
        return service.ERASED
    return service.LEAVING if account.erasure is not None else account.state


async def on_account_parked(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
    """Mail nobody whose account's news could not be handled: it may say that the account was closed."""
    service.note_account(uow, incoming.key, state=service.UNCLEAR)
