"""The page behind a mail's unsubscribe link: looking changes nothing, the button or the mail program's own POST does."""

from typing import Any

from chassis.http.language import Text, language_of
from chassis.http.pages import PAGE, page
from chassis.http.problems import NotFoundProblem
from chassis.mongo import Mongo, transact
from litestar import Request, Response, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from notifications.unsubscribe.service import Unsubscribing

QUESTION = Text("Afmelden voor deze zoekopdracht?", "Unsubscribe from this search?")
EXPLAINED = Text("Je krijgt dan geen mails meer over deze zoekopdracht.", "You will get no more mails about this search.")
BUTTON = Text("Ja, meld mij af", "Yes, unsubscribe me")
DONE = Text("Je bent afgemeld", "You are unsubscribed")
BACK = Text(
    "Je zoekopdracht blijft bewaard. In Mijn account kun je haar weer aanzetten of verwijderen.",
    "Your search is kept. In your account you can switch it on again or remove it.",
)


class NotOurLinkProblem(NotFoundProblem):
    """The link was not made here."""

    code, title = "unknown-link", Text("Deze link klopt niet", "This link is not right")


@route("/pages/unsubscribe/{token:str}", http_method=["GET", "HEAD"], opt=PAGE, summary="Show what unsubscribing does")
async def show_unsubscribing(
    request: Request[Any, Any, Any], token: FromPath[str], unsubscribing: NamedDependency[Unsubscribing]
) -> Response[str]:
    """Change nothing, however often: mail scanners follow links."""
    if not unsubscribing.is_ours(token):
        raise NotOurLinkProblem
    return page(language_of(request), title=QUESTION, text=[EXPLAINED], button=BUTTON)


@post("/pages/unsubscribe/{token:str}", opt=PAGE, status_code=200, summary="End the mails of one saved search (RFC 8058)")
async def unsubscribe(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    unsubscribing: NamedDependency[Unsubscribing],
    mongo: NamedDependency[Mongo],
) -> Response[str]:
    """Act for the button and for the mail program's one click alike; repeatable. No sign-in, no cookie, no redirect."""
    if not await transact(mongo, lambda uow: unsubscribing.unsubscribe(uow, token)):
        raise NotOurLinkProblem
    return page(language_of(request), title=DONE, text=[BACK])


ROUTES = [show_unsubscribing, unsubscribe]
