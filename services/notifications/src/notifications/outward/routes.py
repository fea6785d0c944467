"""What an organisation's systems have to forget, and their word that they did."""

from datetime import datetime
from typing import Any

from chassis.http.guards import roles, scope
from chassis.http.pagination import Page
from chassis.mongo import Mongo, transact
from chassis.uow import Document
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic import BaseModel, ConfigDict

from notifications.outward.service import Outward, late

FOLLOWER = {"access": scope("bank:follow", of="organisation")}
"""Also without access to the bank: whoever lost it has the most to forget."""
OPERATOR = {"access": roles("operator")}


class Forget(BaseModel):
    """A handle that has to be forgotten, or `all`."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    handle: str
    up_to: int
    """The sequence of the bank's topic up to which; what it says of the handle later holds."""
    asked_at: datetime
    acknowledge_before: datetime
    reminders: int


@get("/organisations/{organisation:str}/forgets", opt=FOLLOWER, summary="List what has to be forgotten and is not acknowledged")
async def list_forgets(
    organisation: FromPath[str], page: NamedDependency[Page], outward: NamedDependency[Outward], mongo: NamedDependency[Mongo]
) -> dict[str, Any]:
    """By handle; the same stands on the organisation's own topic."""
    after = str(page.after[0]) if page.after else ""
    found = await outward.waiting(mongo, organisation, after=after, limit=page.limit + 1)
    return page.answer([_shown(row, outward) for row in found], lambda row: [row["handle"]], found=found)


@post(
    "/organisations/{organisation:str}/forgets/{handle:str}/acknowledgement",
    opt=FOLLOWER,
    status_code=204,
    summary="Say that a handle was forgotten, with all that was stored under it",
)
async def acknowledge_forget(
    organisation: FromPath[str], handle: FromPath[str], outward: NamedDependency[Outward], mongo: NamedDependency[Mongo]
) -> None:
    """Repeatable: said twice, it is taken once."""
    await transact(mongo, lambda uow: outward.acknowledge(uow, organisation, handle))


@get("/forgets/overdue", opt=OPERATOR, summary="List the organisations that did not say in time that they forgot")
async def list_late(mongo: NamedDependency[Mongo]) -> dict[str, Any]:
    """Ids and counts."""
    return {"items": await late(mongo)}


ROUTES = [list_forgets, acknowledge_forget, list_late]


def _shown(row: Document, outward: Outward) -> Forget:
    before = row["asked_at"] + outward.within
    return Forget.model_validate({**row, "acknowledge_before": before})
