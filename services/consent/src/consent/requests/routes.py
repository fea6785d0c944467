"""HTTP: a request is followed by its link, without an account; staff see which are open and whom they wait for."""

from datetime import date
from typing import Any

from chassis.http.guards import public, roles
from chassis.http.language import Language, Text, language_of, written
from chassis.http.pages import PAGE, page
from chassis.http.pagination import Page
from chassis.http.problems import NotFoundProblem
from chassis.mongo import Mongo
from litestar import Request, Response, get, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from pydantic import BaseModel

from consent.requests import service
from consent.requests.model import ErasureRequest, Kept, Phase
from consent.requests.service import Requests

STAFF = roles("privacy-officer", "operator")


class PartDocument(BaseModel):
    """What one service confirmed."""

    service: str
    done: Phase
    on: date
    counts: dict[str, int]
    receipt: str


class KeptDocument(BaseModel):
    """What stays because the law asks for it."""

    what: str
    ground: str
    until: date


class RequestDocument(BaseModel):
    """A request as its person follows it; once it is closed, the certificate of the erasure."""

    id: str
    kind: str = "erasure"
    phase: Phase
    opened_on: date
    due_on: date
    closed_on: date | None
    waiting_for: list[str]
    """Services that have not confirmed yet; one that is down is waited for."""
    last_mail: str | None
    dark_on: date | None
    """From then on no old copy can be opened any more; known when the request is closed."""
    parts: list[PartDocument]
    kept: list[KeptDocument]


@get("/requests", opt={"access": STAFF}, tags=["Requests"])
async def list_requests(
    page: NamedDependency[Page], mongo: NamedDependency[Mongo], closed: FromQuery[bool] = False
) -> dict[str, Any]:
    """Requests of data subjects, the oldest first, and which services they wait for; `closed`: those that are over too."""
    after = str(page.after[0]) if page.after else ""
    found = await service.page(mongo, after=after, limit=page.limit + 1, closed_too=closed)
    return page.answer([document(one).model_dump(mode="json") for one in found], lambda one: [one.id], found=found)


@get("/requests/by-link/{secret:str}", opt={"access": public()}, tags=["Requests"])
async def follow(secret: FromPath[str], mongo: NamedDependency[Mongo], requests: NamedDependency[Requests]) -> RequestDocument:
    """How far the request is that a mailed link belongs to. The account is gone, so the link is what shows whose it was."""
    found = await requests.by_link(mongo, secret)
    if found is None:
        raise NotFoundProblem
    return document(found)


@route("/pages/requests/{secret:str}", http_method=["GET", "HEAD"], opt=PAGE, include_in_schema=False)
async def show(
    request: Request[Any, Any, Any], secret: FromPath[str], mongo: NamedDependency[Mongo], requests: NamedDependency[Requests]
) -> Response[str]:
    """Show how far the request is, in words; in the end it is the certificate."""
    found = await requests.by_link(mongo, secret)
    if found is None:
        return page(language_of(request), title=Text("Deze link werkt niet", "This link does not work"), status=404)
    return _page(language_of(request), found)


def document(one: ErasureRequest) -> RequestDocument:
    """Return a request as it is shown."""
    closed = one.phase is Phase.CLOSED
    return RequestDocument(
        id=one.id,
        phase=one.phase,
        opened_on=one.opened_on,
        due_on=one.due_on,
        closed_on=one.closed_on,
        waiting_for=one.waiting_for,
        last_mail=one.word,
        dark_on=one.dark_on if closed else None,
        parts=[
            PartDocument(service=name, done=part.done, on=part.on, counts=part.counts, receipt=part.receipt)
            for name, part in sorted(one.parts.items())
        ],
        kept=[KeptDocument(what=kept.what, ground=kept.ground, until=kept.until) for kept in one.kept],
    )


_SERVICES = {
    "consent": Text("toestemmingen", "consents"),
    "identity": Text("account", "account"),
    "notifications": Text("berichten en zoekopdrachten", "messages and saved searches"),
    "profiles": Text("profiel", "profile"),
}
_KEPT = {
    "consent-records": Text(
        "het bewijs van uw toestemmingen, zonder uw gegevens", "the proof of your consents, without your details"
    ),
    "this-request": Text("de gegevens van dit verzoek", "the record of this request"),
    "access-log": Text("wie uw profiel bekeek, zonder wat er te zien was", "who looked at your profile, without what they saw"),
    "view-freezes": Text(
        "dat uw inzage in de kandidatenbank is bevroren, zonder wie u bent",
        "that your looks into the candidate bank were frozen, without who you are",
    ),
}


def _page(language: Language, one: ErasureRequest) -> Response[str]:
    if one.phase is Phase.CLOSED:
        title = Text("Bewijs van verwijdering", "Certificate of erasure")
        return page(language, title=title, text=[*_done(one), *_receipts(one), *(_kept(kept) for kept in one.kept)])
    waiting = [_SERVICES[name] for name in one.waiting_for] or [Text("de laatste e-mail", "the last mail")]
    due = written(one.due_on)
    text = [
        Text(f"Aangevraagd op {written(one.opened_on).nl}.", f"Asked for on {written(one.opened_on).en}."),
        Text(
            f"Wij wachten nog op: {', '.join(name.nl for name in waiting)}.",
            f"We are still waiting for: {', '.join(name.en for name in waiting)}.",
        ),
        Text(f"Uiterlijk op {due.nl} is het klaar.", f"It will be done by {due.en}."),
    ]
    return page(language, title=Text("Uw gegevens worden verwijderd", "Your details are being erased"), text=text)


def _done(one: ErasureRequest) -> list[Text]:
    closed, dark = written(one.closed_on or one.opened_on), written(one.dark_on)
    return [
        Text(f"Uw gegevens zijn op {closed.nl} verwijderd.", f"Your details were erased on {closed.en}."),
        Text(f"Oude kopieën zijn vanaf {dark.nl} onleesbaar.", f"Old copies cannot be read from {dark.en} on."),
    ]


def _receipts(one: ErasureRequest) -> list[Text]:
    """One line for each service: how many documents went, and the receipt's first digits."""
    found = []
    for name, part in sorted(one.parts.items()):
        said, count = _SERVICES[name], sum(part.counts.values())
        found.append(
            Text(
                f"{said.nl.capitalize()}: {count} verwijderd of beëindigd op {written(part.on).nl}, bewijs {part.receipt[:16]}.",
                f"{said.en.capitalize()}: {count} erased or ended on {written(part.on).en}, receipt {part.receipt[:16]}.",
            )
        )
    return found


def _kept(kept: Kept) -> Text:
    what, until = _KEPT.get(kept.what, Text(kept.what, kept.what)), written(kept.until)
    return Text(f"Volgens de wet bewaren wij tot {until.nl}: {what.nl}.", f"The law makes us keep until {until.en}: {what.en}.")


ROUTES = [list_requests, follow, show]
