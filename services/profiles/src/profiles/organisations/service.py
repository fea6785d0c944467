"""For whom somebody may act now: a token says what was true when it was signed, the organisation's last event what is true since.

What is not known is refused: an organisation that is suspended, gone or not heard of yet, and a person who is no member any more.
"""

import structlog
from chassis.http.guards import SYSTEM
from chassis.http.problems import ForbiddenProblem
from chassis.tokens import Caller
from chassis.uow import Reads

from profiles.organisations import store
from profiles.organisations.store import Organisation

__all__ = ["Organisation", "acting_for", "administrators"]
log = structlog.get_logger()


async def acting_for(reads: Reads, caller: Caller, *, bank: bool = False) -> Organisation:
    """Return the organisation that the caller acts for; with `bank` it must have access to the candidate bank.

    Raises:
        ForbiddenProblem: The caller may not act for it; the reason is logged and not told.
    """
    organisation = await store.find(reads, caller.org) if caller.org else None
    if organisation is None:
        raise _refused(caller, "organisation-unknown")
    if not organisation.active or organisation.held:
        raise _refused(caller, "organisation-suspended")
    if bank and not organisation.bank_access:
        raise _refused(caller, "organisation-without-bank")
    if caller.role != SYSTEM and caller.role not in organisation.members.get(caller.subject, frozenset()):
        raise _refused(caller, "no-member")
    return organisation


async def administrators(reads: Reads, organisation: str) -> list[str]:
    """Return the accounts of an organisation's administrators; none when it is gone."""
    found = await store.find(reads, organisation)
    return found.administrators if found else []


def _refused(caller: Caller, why: str) -> ForbiddenProblem:
    log.info("request_refused", why=why, subject=caller.subject, role=caller.role, org=caller.org)
    return ForbiddenProblem()
