"""HTTP: an organisation's vacancies, for its people and its systems."""

from typing import Any, Literal

from chassis.http.etags import IfMatch, etag
from chassis.http.guards import roles, scope
from chassis.http.idempotency import Attempt, Created
from chassis.http.pagination import Page
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from profiles.jobposting import JobPosting
from profiles.vacancies.service import State, Vacancies, Vacancy

_WRITES = {"access": roles("recruiter") | scope("vacancies:write")}
_READS = {"access": roles("recruiter", "hiring-manager", "administrator") | scope("vacancies:write")}
PATH = "/api/profiles/v1/vacancies"


@post("/vacancies", opt=_WRITES, tags=["Vacancies"])
async def publish(
    data: JSONBody[JobPosting],
    caller: NamedDependency[Caller],
    attempt: NamedDependency[Attempt],
    mongo: NamedDependency[Mongo],
    vacancies: NamedDependency[Vacancies],
) -> Response[dict[str, str]]:
    """Publish a vacancy. Properties of schema.org that the portal does not use are ignored; texts are plain, without HTML."""

    async def work(uow: UnitOfWork) -> Created:
        async def create() -> Created:
            made = await vacancies.publish(uow, caller=caller, posting=data)
            return Created(id=made.id, location=f"{PATH}/{made.id}", sequence=made.sequence)

        return await attempt.once(uow, create)

    return (await transact(mongo, work)).response()


@put("/vacancies/{vacancy:str}", opt=_WRITES, tags=["Vacancies"])
async def change(
    vacancy: FromPath[str],
    data: JSONBody[JobPosting],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    mongo: NamedDependency[Mongo],
    vacancies: NamedDependency[Vacancies],
) -> Response[dict[str, Any]]:
    """Let a posting take the place of the one that was published."""

    async def work(uow: UnitOfWork) -> Vacancy:
        return await vacancies.change(uow, caller=caller, vacancy=vacancy, posting=data, check=if_match.check)

    return _response(await transact(mongo, work))


@post("/vacancies/{vacancy:str}/closure", opt=_WRITES, tags=["Vacancies"], status_code=200)
async def close(
    vacancy: FromPath[str],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    vacancies: NamedDependency[Vacancies],
) -> Response[dict[str, Any]]:
    """Stop offering a vacancy; a closed one stays closed."""

    async def work(uow: UnitOfWork) -> Vacancy:
        return await vacancies.close(uow, caller=caller, vacancy=vacancy)

    return _response(await transact(mongo, work))


@get("/vacancies/{vacancy:str}", opt=_READS, tags=["Vacancies"])
async def show(
    vacancy: FromPath[str],
    caller: NamedDependency[Caller],
    mongo: NamedDependency[Mongo],
    vacancies: NamedDependency[Vacancies],
) -> Response[dict[str, Any]]:
    """One of your organisation's vacancies, as the portal understood it."""
    return _response(await vacancies.show(mongo, caller=caller, vacancy=vacancy))


@get("/vacancies", opt=_READS, tags=["Vacancies"])
async def list_own(
    caller: NamedDependency[Caller],
    page: NamedDependency[Page],
    mongo: NamedDependency[Mongo],
    vacancies: NamedDependency[Vacancies],
    only: FromQuery[Literal["open", "closed"] | None] = None,
) -> dict[str, Any]:
    """Your organisation's vacancies, the newest first; `only` the open or the closed ones."""
    before = str(page.after[0]) if page.after else None
    found = await vacancies.list_own(
        mongo, caller=caller, state=State(only) if only else None, before=before, limit=page.limit + 1
    )
    return page.answer([_shown(one) for one in found], lambda one: [one.id], found=found)


def _response(vacancy: Vacancy) -> Response[dict[str, Any]]:
    return Response(_shown(vacancy), headers={"ETag": etag(vacancy.sequence)})


def _shown(vacancy: Vacancy) -> dict[str, Any]:
    facts = vacancy.facts
    places = [{"name": place.label, "province": place.province} for place in facts.places]
    return {
        "id": vacancy.id,
        "organisation": vacancy.organisation,
        "state": vacancy.state.value,
        "published_on": vacancy.published_on,
        "closed_on": vacancy.closed_on,
        "valid_through": facts.valid_through,
        "reference": facts.reference,
        "title": facts.title,
        "description": facts.description,
        "place": places[0] if places else None,
        "places": places,
        "remote": facts.workplace == "remote",
        "workplace": facts.workplace,
        "skills": facts.skills,
        "level": facts.level,
        "hours": _range(facts.hours),
        "salary_a_month": _range(facts.salary),
        "contract_types": facts.contract_types,
        "sectors": facts.sectors,
        "starts_on": facts.starts_on,
        "url": facts.url,
    }


def _range(numbers: tuple[int, int | None] | None) -> dict[str, int | None] | None:
    return {"from": numbers[0], "to": numbers[1]} if numbers else None


ROUTES = [publish, change, close, show, list_own]
