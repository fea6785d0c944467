"""Events about organisations."""

from dataclasses import replace

from chassis.inbox import Incoming
from chassis.uow import UnitOfWork
from contracts.identity.organisation import OrganisationEvent

from profiles.organisations import store
from profiles.organisations.store import Organisation


async def on_organisation(incoming: Incoming[OrganisationEvent], uow: UnitOfWork) -> None:
    """Take over an organisation's state, or forget it."""
    told = incoming.event
    if told is None:
        store.forget(uow, incoming.key)
        return
    store.keep(
        uow,
        Organisation(
            id=told.organisation,
            name=told.name,
            active=told.state == "active",
            bank_access=told.bank_access,
            members={member.account: frozenset(member.roles) for member in told.members},
        ),
    )


async def hold_organisation(incoming: Incoming[OrganisationEvent], uow: UnitOfWork) -> None:
    """Let nobody act for an organisation whose last event could not be applied: it may have lost its access."""
    known = await store.find(uow, incoming.key)
    if known is not None:
        store.keep(uow, replace(known, held=True))
