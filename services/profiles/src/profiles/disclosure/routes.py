"""HTTP: what others see of the candidate's profile."""

from typing import Any, Literal

from chassis.http.bodies import Body
from chassis.http.etags import IfMatch, etag
from chassis.http.guards import roles
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import Field

from profiles.disclosure.model import Choice
from profiles.disclosure.service import Choices, Disclosures
from profiles.records import Record

_OWN = {"access": roles("candidate")}


class VisibilityChange(Body):
    """The choices; what is not named is hidden."""

    fields: dict[str, Choice] = Field(max_length=100)


class Confirmation(Body):
    """The word that shows that somebody knows what they do."""

    confirm: Literal["permanent"]


@get("/me/visibility", opt=_OWN, tags=["Visibility"])
async def show_visibility(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], disclosures: NamedDependency[Disclosures]
) -> Response[dict[str, Any]]:
    """What you chose to show, field by field."""
    return _visibility(await disclosures.show(mongo, caller.subject))


@put("/me/visibility", opt=_OWN, tags=["Visibility"])
async def choose_visibility(
    data: JSONBody[VisibilityChange],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    mongo: NamedDependency[Mongo],
    disclosures: NamedDependency[Disclosures],
) -> Response[dict[str, Any]]:
    """Choose what is shown, field by field."""

    async def work(uow: UnitOfWork) -> Choices:
        return await disclosures.choose(uow, subject=caller.subject, fields=data.fields, check=if_match.check)

    return _visibility(await transact(mongo, work))


@get("/me/profile/as-recruiter", opt=_OWN, tags=["Visibility"])
async def preview(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], disclosures: NamedDependency[Disclosures]
) -> dict[str, Any]:
    """Your profile as a recruiter sees it."""
    seen = await disclosures.preview(mongo, caller.subject)
    return {"handle": seen.handle, "anonymity": seen.anonymity, "in_bank": seen.in_bank, "profile": seen.profile}


@post("/me/anonymity", opt=_OWN, tags=["Visibility"], status_code=200)
async def anonymise(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], disclosures: NamedDependency[Disclosures]
) -> dict[str, str]:
    """Hide at once and everywhere who you are. You can undo it."""

    async def work(uow: UnitOfWork) -> Record:
        return await disclosures.anonymise(uow, subject=caller.subject)

    return _anonymity(await transact(mongo, work))


@delete("/me/anonymity", opt=_OWN, tags=["Visibility"], status_code=200)
async def undo_anonymity(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], disclosures: NamedDependency[Disclosures]
) -> dict[str, str]:
    """Show again what you chose to show."""

    async def work(uow: UnitOfWork) -> Record:
        return await disclosures.undo(uow, subject=caller.subject)

    return _anonymity(await transact(mongo, work))


@post("/me/anonymity/permanent", opt=_OWN, tags=["Visibility"], status_code=200)
async def make_permanent(
    data: JSONBody[Confirmation],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    disclosures: NamedDependency[Disclosures],
) -> dict[str, str]:
    """Destroy all that points to you. This cannot be undone: the body has to say `{"confirm": "permanent"}`."""

    async def work(uow: UnitOfWork) -> Record:
        return await disclosures.make_permanent(uow, subject=caller.subject)

    return _anonymity(await transact(mongo, work))


def _visibility(choices: Choices) -> Response[dict[str, Any]]:
    return Response({"fields": choices.fields}, headers={"ETag": etag(choices.version)})


def _anonymity(record: Record) -> dict[str, str]:
    return {"anonymity": record.anonymity.value, "handle": record.handle}


ROUTES = [show_visibility, choose_visibility, preview, anonymise, undo_anonymity, make_permanent]
