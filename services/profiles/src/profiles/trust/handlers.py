"""Events about whom to trust: signing keys, and sessions that ended early."""

from chassis import known
from chassis.clock import Clock
from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent


async def on_signing_key(incoming: Incoming[SigningKeyEvent], uow: UnitOfWork) -> None:
    """Keep or forget a public key of identity."""
    key = incoming.event
    if key is None:
        known.forget_signing_key(uow, incoming.key)
    else:
        known.store_signing_key(uow, kid=key.kid, x=key.x, not_before=key.not_before, not_after=key.not_after)


def on_session(clock: Clock) -> Handler:
    """Return the handler that refuses the tokens of an ended session. A tombstone says only that they have run out by now."""

    async def handle(incoming: Incoming[SessionEvent], uow: UnitOfWork) -> None:
        if incoming.event is not None:
            known.store_ended_session(uow, session=incoming.event.session, at=clock.machine())

    return handle
