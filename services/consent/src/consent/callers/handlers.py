"""Keeps what identity says of those who call. Order across topics does not matter: each event stands by itself."""

from chassis.inbox import Incoming
from chassis.uow import UnitOfWork
from contracts.identity.account import AccountEvent

from consent.callers import store


async def on_account(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
    """A closed account decides nothing any more, nor does one whose person was erased (tombstone)."""
    if incoming.event is None or incoming.event.state == "closed":
        store.close(uow, incoming.key)
    else:
        store.reopen(uow, incoming.key)


async def on_account_parked(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
    """Until an operator has resolved what is wrong with the event, nobody decides in this person's name."""
    store.close(uow, incoming.key)
