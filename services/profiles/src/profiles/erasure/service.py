"""Removes what profiles holds of a person, and confirms it.

What the access log tells of them lies under a key of theirs, and goes dark with it; its rows stay, because they prove who read
what, and their chain would break.
"""

from datetime import timedelta

from chassis.erasure import Erased, Tell
from chassis.sealed_events import forget_waiting
from chassis.uow import UnitOfWork
from contracts.profiles.profile import ProfileEvent
from contracts.profiles.request_part import ProfilesRequestPartEvent

from profiles import records
from profiles.bank import service as bank
from profiles.budgets import service as budgets
from profiles.lifecycle import service as lifecycles

PHASE = "services"


async def forget(uow: UnitOfWork, subject: str) -> dict[str, int]:
    """Remove the profile, its entry in the bank, the links that would renew it, and what was counted of a recruiter."""
    record = await records.find(uow, subject)
    if record is not None:
        records.remove(uow, subject)
        uow.emit_tombstone(ProfileEvent.topic, key=subject, sequence=record.sequence + 1)
    bank.leave(uow, subject)
    return {
        "profiles": int(record is not None),
        "renewal-links": await lifecycles.forget_links(uow, subject),
        "waiting-events": await forget_waiting(uow, subject),
        **await budgets.forget(uow, subject),
    }


def confirming(*, access_log_kept: timedelta, freezes_kept: timedelta) -> Tell:
    """Return what confirms to consent.

    Rows of the access log stay for their term, without what was seen (GDPR, article 5(2)); of a recruiter a freeze that may have
    been an abuse, because those who were seen in it have rights too (article 17(3)(e)).
    """

    async def tell(uow: UnitOfWork, erased: Erased, sequence: int) -> None:
        kept = [{"what": "access-log", "ground": "gdpr-5-2", "until": erased.on + access_log_kept}]
        if await budgets.stays(uow, erased.subject):
            kept.append({"what": "view-freezes", "ground": "gdpr-17-3-e", "until": erased.on + freezes_kept})
        event = ProfilesRequestPartEvent.model_validate({**erased.confirmation, "kept": kept})
        uow.emit(event, sequence=sequence)

    return tell
