"""HTTP for operators: what the service's consumer set aside, to look at, replay or discard. Ids and states, never content.

A service adds `ROUTES` to its own and the dependency `set_aside`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from pydantic import AwareDatetime, Field, StringConstraints

from chassis.evidence import Kind, Reason, Waiting, Wanted
from chassis.http.bodies import Body
from chassis.http.guards import roles
from chassis.http.pagination import Page
from chassis.http.problems import NotFoundProblem, invalid
from chassis.setaside import Result, SetAside, Why
from chassis.tokens import Caller

_OPERATES = {"access": roles("operator")}
_TAGS = ["Operations"]
_Short = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Reasoned(Body):
    """Why something is discarded, in a line that names nobody."""

    why: Why


class Selection(Body):
    """Which ones, the oldest first: all that is named must hold. `all` says that nothing needs to be named."""

    kind: Waiting | None = None
    topic: _Short | None = None
    reason: Reason | None = None
    key: _Short | None = None
    consumer: _Short | None = None
    since: AwareDatetime | None = None
    all: bool = False
    after: Annotated[str, StringConstraints(max_length=36)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 20

    def wanted(self) -> Wanted:
        """Return what it selects."""
        wanted = Wanted(self.kind, self.topic, self.reason, self.key, self.consumer, self.since)
        if wanted.is_everything and not self.all:
            raise invalid("all", "required", "Name what is wanted, or say all")
        return wanted


class Replayed(Selection):
    """Which ones to replay; a dry run tells what would become of each and leaves nothing behind."""

    dry_run: bool = False


class Discarded(Selection, Reasoned):
    """Which ones to discard, and why."""


@get("/dead-letters", opt=_OPERATES, tags=_TAGS)
async def list_set_aside(
    page: NamedDependency[Page],
    set_aside: NamedDependency[SetAside],
    kind: FromQuery[Kind | None] = None,
    topic: FromQuery[str | None] = None,
    reason: FromQuery[Reason | None] = None,
    key: FromQuery[str | None] = None,
    consumer: FromQuery[str | None] = None,
    since: FromQuery[AwareDatetime | None] = None,
) -> dict[str, Any]:
    """Records that could not be read and keys whose handler failed, the oldest first; `discarded` ones only by `kind`."""
    wanted = Wanted(kind, topic, reason, key, consumer, since)
    found = await set_aside.find(wanted, after=str(page.after[0]) if page.after else "", limit=page.limit + 1)
    return page.answer([one.document() for one in found], lambda one: [one.id], found=found)


@get("/dead-letters/{letter:str}", opt=_OPERATES, tags=_TAGS)
async def show(letter: FromPath[str], set_aside: NamedDependency[SetAside]) -> dict[str, Any]:
    """One of them; of a discarded one also who did it and why."""
    found = await set_aside.one(letter)
    if found is None:
        raise NotFoundProblem
    return found.document()


@post("/dead-letters/{letter:str}/replay", opt=_OPERATES, tags=_TAGS, status_code=200)
async def replay(letter: FromPath[str], caller: NamedDependency[Caller], set_aside: NamedDependency[SetAside]) -> dict[str, Any]:
    """Let the consumer handle it once more. `outcome` says what became of it: one that `failed` stays, with one more attempt."""
    return _document(await set_aside.replay(letter, by=caller.subject))


@post("/dead-letters/{letter:str}/discard", opt=_OPERATES, tags=_TAGS, status_code=200)
async def discard(
    letter: FromPath[str], data: JSONBody[Reasoned], caller: NamedDependency[Caller], set_aside: NamedDependency[SetAside]
) -> dict[str, Any]:
    """Throw it away for good. What a parked key hid stays hidden until a later event of that key is handled."""
    return _document(await set_aside.discard(letter, why=data.why, by=caller.subject))


@post("/dead-letters/replay", opt=_OPERATES, tags=_TAGS, status_code=200)
async def replay_many(
    data: JSONBody[Replayed], caller: NamedDependency[Caller], set_aside: NamedDependency[SetAside]
) -> dict[str, Any]:
    """Replay a batch. `after` in the answer, sent with the next request, goes on behind what was tried."""
    return await _each(set_aside, data, lambda ref: set_aside.replay(ref, by=caller.subject, dry=data.dry_run))


@post("/dead-letters/discard", opt=_OPERATES, tags=_TAGS, status_code=200)
async def discard_many(
    data: JSONBody[Discarded], caller: NamedDependency[Caller], set_aside: NamedDependency[SetAside]
) -> dict[str, Any]:
    """Discard a batch, all for one reason."""
    return await _each(set_aside, data, lambda ref: set_aside.discard(ref, why=data.why, by=caller.subject))


def _document(result: Result) -> dict[str, Any]:
    if result.outcome == "gone":
        raise NotFoundProblem
    return result.document()


async def _each(set_aside: SetAside, asked: Selection, do: Callable[[str], Awaitable[Result]]) -> dict[str, Any]:
    """Do it to each of a batch; `after` is None when the batch was not full, so that nothing more can be there."""
    found = await set_aside.find(asked.wanted(), after=asked.after, limit=asked.limit)
    done = [await do(one.id) for one in found]
    return {"items": [one.document() for one in done], "after": done[-1].id if len(found) == asked.limit else None}


ROUTES = [list_set_aside, show, replay, discard, replay_many, discard_many]
