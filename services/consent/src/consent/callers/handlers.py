"""Keeps what identity says of those who call. Order across topics does not matter: each event stands by itself."""

from chassis.clock import Clock
from chassis.inbox import Incoming
from chassis.known import forget_signing_key, store_ended_session, store_signing_key
from chassis.uow import UnitOfWork
from contracts.identity.account import AccountEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent

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


async def on_signing_key(incoming: Incoming[SigningKeyEvent], uow: UnitOfWork) -> None:
    """Tokens under this key are accepted within its validity; under a withdrawn one (tombstone) never."""
    event = incoming.event
    if event is None:
        forget_signing_key(uow, incoming.key)
    else:
        store_signing_key(uow, kid=event.kid, x=event.x, not_before=event.not_before, not_after=event.not_after)


async def on_session(incoming: Incoming[SessionEvent], uow: UnitOfWork) -> None:
    """The session's tokens are refused from now on; a tombstone changes nothing, because the row goes by itself."""
    if incoming.event is not None:
        store_ended_session(uow, session=incoming.key, at=Clock().machine())  # machine time: no clock file turns it
