"""Saved searches of the candidate who is signed in. Saving one is the request to be mailed; no other consent is asked for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Literal

from chassis.http.bodies import Body
from chassis.http.etags import IfMatch, etag
from chassis.http.guards import roles
from chassis.http.idempotency import Attempt, Created
from chassis.http.language import Text
from chassis.http.pagination import Page
from chassis.http.problems import ConflictProblem, NotFoundProblem
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import Field

from notifications.criteria import Criteria
from notifications.searches.model import Rhythm
from notifications.searches.service import NoSuchSearchError, Search, Searches, TooManySearchesError

PATH = "/api/notifications/v1/searches"
OPT = {"access": roles("candidate")}


class NoSuchSearchProblem(NotFoundProblem):
    """There is no such search, or it is somebody else's."""

    code, title = "no-such-search", Text("Deze zoekopdracht is er niet", "There is no such saved search")


class TooManySearchesProblem(ConflictProblem):
    """The caller has as many searches as one may have."""

    code = "too-many-searches"
    title = Text("Je hebt het hoogste aantal zoekopdrachten bewaard", "You have saved as many searches as possible")


class NewSearch(Body):
    """A search to save: from then on its owner is mailed each new vacancy that meets all criteria."""

    criteria: Criteria
    frequency: Literal["immediate", "daily", "weekly"] = "immediate"
    hour: Annotated[int, Field(ge=0, le=23, description="The hour in Amsterdam at which collected mails go.")] = 8
    weekday: Annotated[int, Field(ge=1, le=7, description="The day of weekly mails: 1 is Monday, 7 Sunday.")] = 1

    @property
    def rhythm(self) -> Rhythm:
        """When mails go."""
        return Rhythm(self.frequency, self.hour, self.weekday)


class ChangedSearch(NewSearch):
    """A search as it has to be; `active` false ends its mails and keeps it."""

    active: bool


class ShownSearch(Body):
    """A saved search as its owner sees it."""

    id: str
    criteria: Criteria
    frequency: str
    hour: int
    weekday: int
    active: bool
    since: date
    """Vacancies published before this day are not news to it: the day on which it was last saved."""


@post("/searches", opt=OPT, status_code=201, summary="Save a search and be mailed about new vacancies that meet it")
async def save_search(
    data: JSONBody[NewSearch],
    caller: NamedDependency[Caller],
    attempt: NamedDependency[Attempt],
    searches: NamedDependency[Searches],
    mongo: NamedDependency[Mongo],
) -> Response[dict[str, str]]:
    """Purpose `job-alert`. It ends with a click in any of its mails, or here."""

    async def create(uow: UnitOfWork) -> Created:
        saved = await searches.add(uow, subject=caller.subject, criteria=data.criteria, rhythm=data.rhythm)
        return Created(saved.id, location=f"{PATH}/{saved.id}", sequence=saved.sequence)

    async def work(uow: UnitOfWork) -> Created:
        return await attempt.once(uow, lambda: create(uow))

    with _refusals():
        return (await transact(mongo, work)).response()


@get("/searches", opt=OPT, summary="List the caller's saved searches")
async def list_searches(
    caller: NamedDependency[Caller],
    page: NamedDependency[Page],
    searches: NamedDependency[Searches],
    mongo: NamedDependency[Mongo],
) -> dict[str, Any]:
    """Oldest first."""
    after = str(page.after[0]) if page.after else None
    found = await searches.page(mongo, subject=caller.subject, after=after, limit=page.limit + 1)
    return page.answer([_shown(one) for one in found], lambda one: [one.id], found=found)


@get("/searches/{search_id:str}", opt=OPT, summary="Show one saved search")
async def get_search(
    search_id: FromPath[str], caller: NamedDependency[Caller], searches: NamedDependency[Searches], mongo: NamedDependency[Mongo]
) -> Response[ShownSearch]:
    """Its ETag is what a change has to name."""
    with _refusals():
        return _answered(await searches.get(mongo, subject=caller.subject, search=search_id))


@put("/searches/{search_id:str}", opt=OPT, summary="Change a saved search, or stop and resume its mails")
async def change_search(
    search_id: FromPath[str],
    data: JSONBody[ChangedSearch],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    searches: NamedDependency[Searches],
    mongo: NamedDependency[Mongo],
) -> Response[ShownSearch]:
    """Afterwards only vacancies published from this day on are news to it."""

    async def work(uow: UnitOfWork) -> Search:
        if_match.check((await searches.get(uow, subject=caller.subject, search=search_id)).sequence)
        return await searches.change(
            uow,
            subject=caller.subject,
            search=search_id,
            criteria=data.criteria,
            rhythm=data.rhythm,
            active=data.active,
        )

    with _refusals():
        return _answered(await transact(mongo, work))


@delete("/searches/{search_id:str}", opt=OPT, summary="Remove a saved search")
async def remove_search(
    search_id: FromPath[str],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    searches: NamedDependency[Searches],
    mongo: NamedDependency[Mongo],
) -> None:
    """Its mails end with it; those that wait are not sent any more."""

    async def work(uow: UnitOfWork) -> None:
        if_match.check((await searches.get(uow, subject=caller.subject, search=search_id)).sequence)
        await searches.remove(uow, subject=caller.subject, search=search_id)

    with _refusals():
        await transact(mongo, work)


ROUTES = [save_search, list_searches, get_search, change_search, remove_search]


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what a use case refuses into what a caller is told."""
    try:
        yield
    except NoSuchSearchError:
        raise NoSuchSearchProblem from None
    except TooManySearchesError:
        raise TooManySearchesProblem from None


def _answered(search: Search) -> Response[ShownSearch]:
    return Response(_shown(search), headers={"ETag": etag(search.sequence)})


def _shown(search: Search) -> ShownSearch:
    return ShownSearch(
        id=search.id,
        criteria=search.criteria,
        frequency=search.rhythm.frequency,
        hour=search.rhythm.hour,
        weekday=search.rhythm.weekday,
        active=search.state == "active",
        since=search.since,
    )
