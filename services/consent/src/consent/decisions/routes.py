"""The candidate's side: be shown, decide, withdraw, look back. Each of them reads and writes their own only."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, TypeVar

from chassis.clock import Clock
from chassis.http.bodies import Body
from chassis.http.etags import etag
from chassis.http.guards import roles
from chassis.http.idempotency import Attempt, Created
from chassis.http.language import Text, language_of
from chassis.http.problems import ConflictProblem, NotFoundProblem, Problem, invalid
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from contracts.consent.decision import ConsentPurpose
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, Field

from consent.decisions import service
from consent.decisions.model import Answer, Decision, Refusal, RefusedError, State
from consent.statements.model import Language, Statements

T = TypeVar("T")
PATH = "/api/consent/v1"
OWN = roles("candidate")


class PresentationBody(Body):
    """What is about to be asked. The text is the statement in force, in the caller's language."""

    purposes: tuple[ConsentPurpose, ...] = Field(min_length=1, max_length=4)
    language: Language | None = Field(None, description="Instead of what `Accept-Language` says.")


class DecisionBody(Body):
    """An answer to what was shown."""

    presentation: str = Field(max_length=64)
    purpose: ConsentPurpose
    decision: Answer


class PresentationDocument(BaseModel):
    """What was shown, when, and in which words consent was asked."""

    id: str
    version: str
    language: str
    sha256: str
    questions: dict[str, str]
    shown_on: date
    statement: str
    """Where the text can be read."""


class DecisionDocument(BaseModel):
    """Where somebody stands, or stood, towards one purpose."""

    purpose: str
    controller: str
    state: State
    decided_on: date
    version: str
    language: str
    sha256: str
    presentation: str
    statement: str
    """Where the text can be read that it was about."""


class DecisionList(BaseModel):
    """Decisions, one for each purpose and controller; in a history, one for each step."""

    items: list[DecisionDocument]
    on: date | None = None
    """At the end of which day; today when none was asked for."""


CONFLICTS = {
    Refusal.OUTDATED: Text("Er geldt een nieuwere versie; toon die eerst", "A newer version is in force; show that one first"),
    Refusal.WITHDRAW_INSTEAD: Text("Trek eerst de toestemming in", "Withdraw the consent first"),
    Refusal.NOT_CONSENTED: Text("Er is geen toestemming om in te trekken", "There is no consent to withdraw"),
    Refusal.ACCOUNT_CLOSED: Text("Dit account is gesloten", "This account is closed"),
}


@post("/presentations", opt={"access": OWN}, summary="Record what is shown")
async def present(
    data: JSONBody[PresentationBody],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    clock: NamedDependency[Clock],
    statements: NamedDependency[Statements],
    attempt: NamedDependency[Attempt],
) -> Response[dict[str, str]]:
    """To be called when the statement is put before the person; its id goes into the decision."""

    async def work(uow: UnitOfWork) -> Created:
        async def create() -> Created:
            made = await service.present(
                uow=uow,
                clock=clock,
                statements=statements,
                subject=caller.subject,
                language=data.language or language_of(request),
                purposes=data.purposes,
            )
            return Created(made.id, location=f"{PATH}/presentations/{made.id}")

        return await attempt.once(uow, create)

    return (await _kept(mongo, work)).response()


@get("/presentations/{presentation:str}", opt={"access": OWN}, summary="What was shown")
async def get_presentation(
    presentation: FromPath[str], caller: NamedDependency[Caller], mongo: NamedDependency[Mongo]
) -> PresentationDocument:
    """The caller's own only."""
    found = await service.get_presentation(reads=mongo, subject=caller.subject, presentation=presentation)
    if found is None:
        raise NotFoundProblem
    return PresentationDocument(
        id=found.id,
        version=found.version,
        language=found.language,
        sha256=found.sha256,
        questions=found.questions,
        shown_on=found.shown_on,
        statement=_statement(found.version, found.language),
    )


@post("/decisions", opt={"access": OWN}, status_code=HTTP_200_OK, summary="Consent or acknowledge")
async def decide(
    data: JSONBody[DecisionBody],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    clock: NamedDependency[Clock],
    statements: NamedDependency[Statements],
) -> Response[DecisionDocument]:
    """The same answer again changes nothing and gets the same reply."""

    async def work(uow: UnitOfWork) -> Decision:
        return await service.decide(
            uow=uow,
            clock=clock,
            statements=statements,
            subject=caller.subject,
            presentation=data.presentation,
            purpose=data.purpose,
            answer=data.decision,
        )

    return _answer(await _kept(mongo, work))


@post("/decisions/{consented_to:str}/withdrawal", opt={"access": OWN}, status_code=HTTP_200_OK, summary="Withdraw a consent")
async def withdraw(
    consented_to: FromPath[ConsentPurpose],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    clock: NamedDependency[Clock],
) -> Response[DecisionDocument]:
    """As easy as giving it: one request without a body, at any time. Again it changes nothing."""

    async def work(uow: UnitOfWork) -> Decision:
        return await service.withdraw(uow=uow, clock=clock, subject=caller.subject, purpose=consented_to)

    return _answer(await _kept(mongo, work))


@get("/decisions", opt={"access": OWN}, summary="My decisions, now or on a day")
async def my_decisions(
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    clock: NamedDependency[Clock],
    on: FromQuery[date | None] = None,
) -> DecisionList:
    """With `?on=2027-03-01`: what the caller had agreed to at the end of that day, and to which text."""
    if on is not None and on > clock.today():
        raise invalid("on", "future", "A day that has come")
    if on is None:
        found = await service.current(reads=mongo, subject=caller.subject)
    else:
        found = await service.on_day(reads=mongo, subject=caller.subject, day=on)
    return DecisionList(items=[_document(one) for one in found], on=on)


@get("/decisions/history", opt={"access": OWN}, summary="All that I was asked and decided")
async def my_history(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], clock: NamedDependency[Clock]
) -> DecisionList:
    """Every step, the oldest first. A person takes few, so they stand on one page."""
    found = await service.history(reads=mongo, subject=caller.subject, today=clock.today())
    return DecisionList(items=[_document(one) for one in found])


async def _kept(mongo: Mongo, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    try:
        return await transact(mongo, work)
    except RefusedError as refused:
        raise _problem(refused.refusal) from refused


def _problem(refusal: Refusal) -> Problem:
    if refusal is Refusal.UNKNOWN_PRESENTATION:
        return invalid("presentation", "unknown")
    if refusal is Refusal.NOT_ASKED:
        return invalid("purpose", refusal.value, "A purpose that the shown text asks consent for")
    return ConflictProblem(code=refusal.value, title=CONFLICTS[refusal])


def _answer(one: Decision) -> Response[DecisionDocument]:
    return Response(_document(one), headers={"ETag": etag(one.sequence)})


def _document(one: Decision) -> DecisionDocument:
    return DecisionDocument(
        purpose=one.purpose,
        controller=one.controller,
        state=one.state,
        decided_on=one.decided_on,
        version=one.shown.version,
        language=one.shown.language,
        sha256=one.shown.sha256,
        presentation=one.shown.presentation,
        statement=_statement(one.shown.version, one.shown.language),
    )


def _statement(version: str, language: str) -> str:
    return f"{PATH}/statements/{version}?lang={language}"


ROUTES = [present, get_presentation, decide, withdraw, my_decisions, my_history]
