"""What other services say that alerts follow: organisations and decisions about consent."""

from chassis.inbox import Incoming
from chassis.uow import UnitOfWork
from contracts.consent.decision import DecisionEvent
from contracts.identity.organisation import OrganisationEvent

from notifications.alerts import store
from notifications.alerts.service import note_decision, refuse_meanwhile


async def on_organisation(incoming: Incoming[OrganisationEvent], uow: UnitOfWork) -> None:
    """Keep an organisation's name, which alerts show."""
    if incoming.event is None:
        store.remove_organisation(uow, incoming.key)
    else:
        store.put_organisation(uow, incoming.key, display=incoming.event.name)


async def on_decision(incoming: Incoming[DecisionEvent], uow: UnitOfWork) -> None:
    """Follow whether alerts were withdrawn. A tombstone forgets the decision; the searches themselves say what is wanted."""
    if incoming.event is not None:
        note_decision(uow, incoming.event)


async def on_decision_parked(incoming: Incoming[DecisionEvent], uow: UnitOfWork) -> None:
    """Alert nobody whose decision could not be handled: it may say that they withdrew."""
    refuse_meanwhile(uow, incoming.key)
