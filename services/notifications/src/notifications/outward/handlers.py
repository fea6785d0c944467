"""What other services say that systems outside are told of: profiles, and who may see them."""

from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.identity.organisation import OrganisationEvent
from contracts.profiles.profile import ProfileEvent

from notifications.outward.service import Outward


def on_profile(outward: Outward) -> Handler:
    """Return the handler of profiles; a tombstone means that the person is erased, and everybody has to forget them."""

    async def handle(incoming: Incoming[ProfileEvent], uow: UnitOfWork) -> None:
        if incoming.event is None:
            await outward.forget(uow, incoming.key)
        else:
            await outward.take(uow, incoming.event)

    return handle


def on_profile_parked(outward: Outward) -> Handler:
    """Return what happens when news of a profile cannot be handled: it may say that nobody may see it any more."""

    async def handle(incoming: Incoming[ProfileEvent], uow: UnitOfWork) -> None:
        await outward.forget(uow, incoming.key)

    return handle


def on_organisation(outward: Outward, first: Handler) -> Handler:
    """Return the handler of organisations, which does what `first` does before."""

    async def handle(incoming: Incoming[OrganisationEvent], uow: UnitOfWork) -> None:
        await first(incoming, uow)
        if incoming.event is None:
            await outward.forget_organisation(uow, incoming.key)
        else:
            await outward.take_organisation(uow, incoming.event)

    return handle
