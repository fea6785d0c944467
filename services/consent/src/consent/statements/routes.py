"""The privacy statement for everybody: the version in force, and every version that ever was."""

from datetime import date
from typing import Any

from chassis.clock import Clock
from chassis.http.guards import public
from chassis.http.language import language_of
from chassis.http.problems import NotFoundProblem
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic import BaseModel

from consent.settings import ConsentSettings
from consent.statements.model import LANGUAGES, Language, Statement, Statements


class StatementSummary(BaseModel):
    """One version, without its text."""

    version: str
    title: str
    in_force_from: date
    in_force_until: date | None
    """The first day on which it is no longer in force."""
    in_force: bool
    changes: str
    languages: tuple[Language, ...] = LANGUAGES
    sha256: str
    """Of the text's UTF-8 bytes, in this language."""


class StatementText(StatementSummary):
    """One version with its text (Markdown) and what it asks consent for, in one language."""

    language: Language
    text: str
    questions: dict[str, str]
    """By purpose, in the words that are asked."""
    operator: str
    privacy_contact: str


class StatementList(BaseModel):
    """All versions, the newest first. There are few, so they stand on one page."""

    items: list[StatementSummary]


@get("/statements", opt={"access": public()}, summary="All versions of the privacy statement")
async def list_statements(
    request: Request[Any, Any, Any], statements: NamedDependency[Statements], clock: NamedDependency[Clock]
) -> Response[StatementList]:
    """Old ones stay; versions that are not in force yet are announced."""
    language = language_of(request)
    items = [StatementSummary(**_summary(statements, one, language, clock.today())) for one in reversed(statements.all)]
    return Response(StatementList(items=items), headers=_headers(language))


@get("/statements/current", opt={"access": public()}, summary="The privacy statement in force")
async def current_statement(
    request: Request[Any, Any, Any],
    statements: NamedDependency[Statements],
    clock: NamedDependency[Clock],
    settings: NamedDependency[ConsentSettings],
) -> Response[StatementText]:
    """In Dutch or English, by `Accept-Language` or `?lang=`."""
    found = statements.in_force(clock.today())
    return _answer(request, statements, found, clock.today(), settings)


@get("/statements/{version:str}", opt={"access": public()}, summary="One version of the privacy statement")
async def one_statement(
    version: FromPath[str],
    request: Request[Any, Any, Any],
    statements: NamedDependency[Statements],
    clock: NamedDependency[Clock],
    settings: NamedDependency[ConsentSettings],
) -> Response[StatementText]:
    """Readable for ever, whether in force or not."""
    return _answer(request, statements, statements.get(version), clock.today(), settings)


def _answer(
    request: Request[Any, Any, Any], statements: Statements, found: Statement | None, today: date, settings: ConsentSettings
) -> Response[StatementText]:
    if found is None:
        raise NotFoundProblem
    language = language_of(request)
    wording = found.wordings[language]
    text = StatementText(
        **_summary(statements, found, language, today),
        language=language,
        text=wording.text,
        questions=dict(wording.questions),
        operator=settings.operator,
        privacy_contact=settings.privacy_contact,
    )
    return Response(text, headers=_headers(language))


def _summary(statements: Statements, one: Statement, language: Language, today: date) -> dict[str, Any]:
    wording = one.wordings[language]
    return {
        "version": one.version,
        "title": wording.title,
        "in_force_from": one.in_force_from,
        "in_force_until": statements.in_force_until(one),
        "in_force": statements.in_force(today) is one,
        "changes": wording.changes,
        "sha256": wording.sha256,
    }


def _headers(language: Language) -> dict[str, str]:
    return {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "public, max-age=60"}


ROUTES = [list_statements, current_statement, one_statement]
