"""Removes what profiles holds of a person, and confirms it.

What the access log tells of them lies under a key of theirs, and goes dark with it; its rows stay, because they prove who read
what, and their chain would break.
"""

from chassis.clock import years_later
from chassis.erasure import Erased
from chassis.sealed_events import forget_waiting
from chassis.uow import UnitOfWork
from contracts.profiles.profile import ProfileEvent
from contracts.profiles.request_part import ProfilesRequestPartEvent

from profiles import records
from profiles.bank import service as bank
from profiles.lifecycle import service as lifecycles

PHASE = "services"
LOG_YEARS = 2


async def forget(uow: UnitOfWork, subject: str) -> dict[str, int]:
    """Remove the profile, its entry in the bank, and the links that would renew it."""
    record = await records.find(uow, subject)
    if record is not None:
        records.remove(uow, subject)
        uow.emit_tombstone(ProfileEvent.topic, key=subject, sequence=record.sequence + 1)
    bank.leave(uow, subject)
    return {
        "profiles": int(record is not None),
        "renewal-links": await lifecycles.forget_links(uow, subject),
        "waiting-events": await forget_waiting(uow, subject),
    }


async def tell(uow: UnitOfWork, erased: Erased, sequence: int) -> None:
    """Confirm to consent. Rows of the access log stay for their term, without what was seen (GDPR, article 5(2))."""
    kept = {"what": "access-log", "ground": "gdpr-5-2", "until": years_later(erased.on, LOG_YEARS)}
    event = ProfilesRequestPartEvent.model_validate({**erased.confirmation, "kept": (kept,)})
    uow.emit(event, sequence=sequence)
