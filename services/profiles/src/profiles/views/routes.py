"""HTTP: who looked at the candidate's profile."""

from dataclasses import asdict
from typing import Any

from chassis.http.guards import roles
from chassis.http.pagination import Page
from chassis.keyring import Keyring
from chassis.mongo import Mongo
from chassis.tokens import Caller
from litestar import get
from litestar.di import NamedDependency

from profiles.views import service


@get("/me/views", opt={"access": roles("candidate")}, tags=["Views"])
async def list_views(
    caller: NamedDependency[Caller],
    page: NamedDependency[Page],
    mongo: NamedDependency[Mongo],
    keyring: NamedDependency[Keyring],
) -> dict[str, Any]:
    """Which organisation looked at your profile, when, for which purpose, and which of your fields it saw; newest first.

    `view`: your profile was opened. `search-page`: you stood in a list of results.
    """
    before = str(page.after[0]) if page.after else None
    found = await service.looked_at(mongo, keyring, caller.subject, before=before, limit=page.limit + 1)
    return page.answer([asdict(one) for one in found], lambda one: [one.id], found=found)


ROUTES = [list_views]
