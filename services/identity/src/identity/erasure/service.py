"""Removes what identity holds of a person, and confirms it."""

from chassis.erasure import Erased
from chassis.sealed_events import forget_waiting
from chassis.uow import UnitOfWork
from contracts.identity.request_part import IdentityRequestPartEvent

from identity.accounts import service as accounts
from identity.invitations import service as invitations
from identity.sessions import service as sessions

PHASE = "identity"


async def forget(uow: UnitOfWork, subject: str) -> dict[str, int]:
    """Remove account, registrations, invitations and sessions; counters of tries hold keyed hashes and go within a day.

    What waits for an answer from the same address goes too: it is the same person's.
    """
    account = await accounts.get(uow, subject)
    address = account.address_hash if account else None
    return {
        "registrations": await accounts.forget_registrations(uow, subject, address_hash=address),
        "invitations": await invitations.forget(uow, subject, address_hash=address),
        "accounts": await accounts.forget(uow, subject),
        "sessions": await sessions.forget(uow, subject),
        "waiting-events": await forget_waiting(uow, subject),
    }


async def tell(uow: UnitOfWork, erased: Erased, sequence: int) -> None:
    """Confirm to consent. Identity keeps nothing of an erased person."""
    uow.emit(IdentityRequestPartEvent.model_validate(erased.confirmation), sequence=sequence)
