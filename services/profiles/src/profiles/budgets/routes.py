"""HTTP: what is left of a budget, which are frozen, what was seen, and the way out."""

from dataclasses import asdict
from typing import Annotated, Any

import structlog
from chassis.http.bodies import Body
from chassis.http.guards import roles
from chassis.http.pagination import Page
from chassis.mongo import Mongo, transact
from chassis.texts import readable
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import AfterValidator, Field, StringConstraints

from profiles.budgets.model import ROWS_IN_A_VIEW, Budget, Freeze
from profiles.budgets.service import OPERATOR, Budgets, shown
from profiles.freetext.service import refuse_unwanted
from profiles.organisations.service import acting_for

_WATCHES = {"access": roles("administrator", OPERATOR)}
log = structlog.get_logger()


class LiftingReason(Body):
    """Why a freeze may end."""

    reason: Annotated[str, StringConstraints(min_length=10, max_length=500), AfterValidator(readable)] = Field(
        description="Why it was no abuse; it is kept. Name no candidate."
    )


@get("/bank/budget", opt={"access": roles("recruiter", bank=True)}, tags=["Candidate bank"])
async def show_budget(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], budgets: NamedDependency[Budgets]
) -> dict[str, Any]:
    """How many views you and your organisation used and have left today (Europe/Amsterdam); twenty rows of results are one."""
    organisation = await acting_for(mongo, caller, bank=True)
    mine, ours = await budgets.of(mongo, recruiter=caller.subject, organisation=organisation.id)
    return {"day": mine.day, **_budget(mine), "organisation": _budget(ours)}


@get("/bank/freezes", opt=_WATCHES, tags=["Candidate bank"])
async def list_freezes(
    caller: NamedDependency[Caller],
    page: NamedDependency[Page],
    mongo: NamedDependency[Mongo],
    budgets: NamedDependency[Budgets],
) -> dict[str, Any]:
    """The freezes of your organisation and its recruiters, the newest first; an operator sees all, but not their reasons."""
    before = str(page.after[0]) if page.after else None
    found = await budgets.list_freezes(mongo, caller, before=before, limit=page.limit + 1)
    return page.answer([shown(one, caller) for one in found], lambda one: [one.id], found=found)


@get("/bank/freezes/{freeze:str}/seen", opt=_WATCHES, tags=["Candidate bank"])
async def list_seen(
    freeze: FromPath[str],
    caller: NamedDependency[Caller],
    page: NamedDependency[Page],
    mongo: NamedDependency[Mongo],
    budgets: NamedDependency[Budgets],
) -> dict[str, Any]:
    """What was seen on the frozen day until the freeze: when, by which account, which handles; null where a person is erased.

    It needs no purpose and is no look at a person: nothing that anybody told is in it. A handle opens a profile only to a
    recruiter who states a purpose, and then there is a row in the access log. That this list was read is logged.
    """
    after = (str(page.after[0]), str(page.after[1])) if page.after else None
    found = await budgets.seen(mongo, caller, freeze, after=after, limit=page.limit + 1)
    log.info("bank_freeze_seen", freeze=freeze, by=caller.subject, role=caller.role, org=caller.org, looks=len(found))
    return page.answer([asdict(one) for one in found], lambda one: [one.at.isoformat(), one.id], found=found)


@post("/bank/freezes/{freeze:str}/lifting", opt=_WATCHES, tags=["Candidate bank"], status_code=200)
async def lift_freeze(
    freeze: FromPath[str],
    data: JSONBody[LiftingReason],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    budgets: NamedDependency[Budgets],
) -> dict[str, Any]:
    """End a freeze with a reason: an administrator a recruiter's, an operator an organisation's. The day gets one more budget."""
    refuse_unwanted({"reason": data.reason})

    async def work(uow: UnitOfWork) -> Freeze:
        return await budgets.lift(uow, caller, freeze, reason=data.reason)

    lifted = await transact(mongo, work)
    log.info("bank_freeze_lifted", freeze=lifted.id, scope=lifted.scope, owner=lifted.owner, by=caller.subject, role=caller.role)
    return shown(lifted, caller)


def _budget(budget: Budget) -> dict[str, Any]:
    """Return a budget in views; what is a twentieth within stays exact with two decimals."""
    used, left = (twentieths / ROWS_IN_A_VIEW for twentieths in (budget.looks.twentieths, budget.left))
    return {"views": budget.allowed // ROWS_IN_A_VIEW, "used": used, "left": left, "frozen": budget.frozen is not None}


ROUTES = [show_budget, list_freezes, list_seen, lift_freeze]
