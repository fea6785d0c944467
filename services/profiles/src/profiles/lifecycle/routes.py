"""HTTP: the profile's year, by the signed-in candidate and by the link in a mail."""

from typing import Any

from chassis.http.bodies import Body
from chassis.http.guards import roles
from chassis.http.language import Language, Text, language_of, written
from chassis.http.pages import PAGE, page
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Request, Response, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import Field

from profiles.lifecycle import model
from profiles.lifecycle.model import Reason
from profiles.lifecycle.service import Lifecycles, Renewal, RenewalState
from profiles.records import Record

_OWN = {"access": roles("candidate")}


class Activation(Body):
    """What activation needs to hear."""

    sixteen_or_older: bool = Field(False, description="Your word that you are 16 or older; needed where no birth date is given.")


@get("/me/lifecycle", opt=_OWN, tags=["Lifecycle"])
async def show_lifecycle(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], lifecycles: NamedDependency[Lifecycles]
) -> dict[str, Any]:
    """Where in its year your profile is, what it waits for, and what you have to know about it."""
    record, gaps = await lifecycles.show(mongo, caller.subject)
    return {**_shown(record, lifecycles), "missing": gaps}


@post("/me/activation", opt=_OWN, tags=["Lifecycle"], status_code=200)
async def activate(
    data: JSONBody[Activation],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    lifecycles: NamedDependency[Lifecycles],
) -> Response[dict[str, Any]]:
    """Make the profile visible for a year. 202: accepted, and it waits for what `waiting_for` names."""

    async def work(uow: UnitOfWork) -> Record:
        return await lifecycles.activate(uow, subject=caller.subject, declared_16=data.sixteen_or_older)

    return _started(await transact(mongo, work), lifecycles)


@post("/me/reactivation", opt=_OWN, tags=["Lifecycle"], status_code=200)
async def reactivate(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], lifecycles: NamedDependency[Lifecycles]
) -> Response[dict[str, Any]]:
    """Make the profile visible again, for a new year."""

    async def work(uow: UnitOfWork) -> Record:
        return await lifecycles.reactivate(uow, subject=caller.subject)

    return _started(await transact(mongo, work), lifecycles)


@post("/me/deactivation", opt=_OWN, tags=["Lifecycle"], status_code=200)
async def deactivate(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], lifecycles: NamedDependency[Lifecycles]
) -> dict[str, Any]:
    """Take the profile out of the bank."""

    async def work(uow: UnitOfWork) -> Record:
        return await lifecycles.deactivate(uow, subject=caller.subject)

    return _shown(await transact(mongo, work), lifecycles)


@route("/pages/renew/{secret:str}", http_method=["GET", "HEAD"], opt=PAGE, include_in_schema=False)
async def show_renewal(
    request: Request[Any, Any, Any],
    secret: FromPath[str],
    mongo: NamedDependency[Mongo],
    lifecycles: NamedDependency[Lifecycles],
) -> Response[str]:
    """Show what the link in the mail does. Changes nothing, however often a mail scanner follows it."""
    return _renewal_page(language_of(request), await lifecycles.look_at(mongo, secret))


@post("/pages/renew/{secret:str}", opt=PAGE, status_code=200, include_in_schema=False)
async def renew(
    request: Request[Any, Any, Any],
    secret: FromPath[str],
    mongo: NamedDependency[Mongo],
    lifecycles: NamedDependency[Lifecycles],
) -> Response[str]:
    """Renew by the button."""

    async def work(uow: UnitOfWork) -> Renewal | None:
        return await lifecycles.renew(uow, secret)

    return _renewal_page(language_of(request), await transact(mongo, work))


def _started(record: Record, lifecycles: Lifecycles) -> Response[dict[str, Any]]:
    return Response(_shown(record, lifecycles), status_code=202 if record.waiting_for else 200)


def _shown(record: Record, lifecycles: Lifecycles) -> dict[str, Any]:
    life = record.life
    return {
        "state": life.state,
        "reason": life.reason,
        "cycle": life.cycle,
        "visible_until": life.visible_until,
        "answer_before": model.answer_before(life, lifecycles.records.terms),
        "inactive_since": life.inactive_since,
        "anonymity": record.anonymity,
        "in_bank": record.in_bank,
        "waiting_for": record.waiting_for,
        "notices": ["unreachable"] if life.reason is Reason.UNREACHABLE else [],
    }


def _renewal_page(language: Language, renewal: Renewal | None) -> Response[str]:
    if renewal is None:
        return page(language, title=Text("Deze link werkt niet", "This link does not work"), text=[_SIGN_IN], status=404)
    if renewal.state is RenewalState.OVER:
        title = Text("Deze link is niet meer geldig", "This link is no longer valid")
        return page(language, title=title, text=[_GONE, _SIGN_IN], status=410)
    day = written(renewal.until) if renewal.until else None
    if renewal.state is RenewalState.RENEWED:
        title = Text("Uw profiel blijft nog een jaar staan", "Your profile stays for another year")
        found = (
            [Text(f"Recruiters kunnen het vinden tot en met {day.nl}.", f"Recruiters can find it until {day.en}.")] if day else []
        )
        return page(language, title=title, text=found)
    question = Text("Wilt u nog een jaar in de kandidatenbank staan?", "Do you want to stay in the candidate bank for a year?")
    term = [Text(f"Antwoorden kan tot en met {day.nl}.", f"You can answer until {day.en}.")] if day else []
    return page(language, title=question, text=term, button=Text("Ja, verleng mijn profiel", "Yes, renew my profile"))


_SIGN_IN = Text(
    "Meld u aan om te zien hoe uw profiel ervoor staat; daar kunt u het ook opnieuw activeren.",
    "Sign in to see how your profile is doing; there you can also reactivate it.",
)
_GONE = Text("Uw profiel staat niet meer in de kandidatenbank.", "Your profile is no longer in the candidate bank.")

ROUTES = [show_lifecycle, activate, reactivate, deactivate, show_renewal, renew]
