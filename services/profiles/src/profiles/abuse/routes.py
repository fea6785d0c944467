"""HTTP: an operator declares a freeze an abuse. It opens nothing: operators see ids, counts and states, for no purpose."""

from typing import Annotated, Any

import structlog
from chassis.http.bodies import Body
from chassis.http.guards import roles
from chassis.mongo import Mongo, transact
from chassis.texts import readable
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import AfterValidator, Field, StringConstraints

from profiles.abuse.service import Abuses
from profiles.budgets.model import Freeze
from profiles.budgets.service import OPERATOR, shown
from profiles.freetext.service import refuse_unwanted

log = structlog.get_logger()


class AbuseReason(Body):
    """Why it was an abuse."""

    reason: Annotated[str, StringConstraints(min_length=10, max_length=500), AfterValidator(readable)] = Field(
        description="Why it was no work that was done here; it is kept. Name nobody."
    )


@post("/bank/freezes/{freeze:str}/abuse", opt={"access": roles(OPERATOR)}, tags=["Candidate bank"], status_code=200)
async def declare_abuse(
    freeze: FromPath[str],
    data: JSONBody[AbuseReason],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    abuses: NamedDependency[Abuses],
) -> dict[str, Any]:
    """Say that a freeze was an abuse: everybody who was seen in it is told by mail, once. It cannot be taken back."""
    refuse_unwanted({"reason": data.reason})

    async def work(uow: UnitOfWork) -> Freeze:
        return await abuses.declare(uow, caller, freeze, reason=data.reason)

    declared = await transact(mongo, work)
    log.info("bank_abuse_declared", freeze=declared.id, scope=declared.scope, owner=declared.owner, by=caller.subject)
    return shown(declared, caller)


ROUTES = [declare_abuse]
