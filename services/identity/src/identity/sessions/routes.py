"""A person's own sessions over HTTP: see them, end one, sign out."""

from datetime import datetime

from chassis.http.guards import signed_in
from chassis.http.problems import NotFoundProblem
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic import BaseModel, ConfigDict

from identity.sessions import service
from identity.sessions.model import EndReason, Session, Terms


class SessionFacts(BaseModel):
    """One living session."""

    model_config = ConfigDict(frozen=True)

    id: str
    role: str
    organisation: str | None
    started_at: datetime
    used_at: datetime
    over_at: datetime
    current: bool


class Sessions(BaseModel):
    """All living sessions, the youngest first."""

    model_config = ConfigDict(frozen=True)

    items: list[SessionFacts]


@get("/me/sessions", opt={"access": signed_in()}, summary="My sessions")
async def my_sessions(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], session_terms: NamedDependency[Terms]
) -> Sessions:
    """What the person can look through for a sign-in that was not theirs."""
    found = await service.open_sessions(mongo, caller.subject, now=mongo.clock.machine(), terms=session_terms)
    return Sessions(items=[_facts(one, caller) for one in found])


@delete("/me/sessions/{session:str}", opt={"access": signed_in()}, summary="End one of my sessions")
async def end_session(session: FromPath[str], caller: NamedDependency[Caller], mongo: NamedDependency[Mongo]) -> None:
    """Its tokens are refused everywhere within seconds. Ending it again changes nothing."""
    await _end(mongo, session, caller)


@delete("/sessions/current", opt={"access": signed_in()}, summary="Sign out")
async def sign_out(caller: NamedDependency[Caller], mongo: NamedDependency[Mongo]) -> None:
    """End the session that the access token belongs to."""
    await _end(mongo, caller.session, caller)


async def _end(mongo: Mongo, session_id: str, caller: Caller) -> None:
    now = mongo.clock.machine()
    ended = await transact(
        mongo, lambda uow: service.end_of_account(uow, session_id, caller.subject, EndReason.SIGNED_OUT, now=now)
    )
    if not ended:
        raise NotFoundProblem


def _facts(one: Session, caller: Caller) -> SessionFacts:
    return SessionFacts(
        id=one.id,
        role=one.role,
        organisation=one.organisation,
        started_at=one.started_at,
        used_at=one.used_at,
        over_at=one.over_at,
        current=one.id == caller.session,
    )


ROUTES = [my_sessions, end_session, sign_out]
