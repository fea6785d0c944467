"""What a search would find, for a candidate who is writing one."""

from typing import Any

from chassis.http.bodies import Body
from chassis.http.guards import roles
from chassis.mongo import Mongo
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from notifications.criteria import Criteria
from notifications.preview.service import Previews


class AskedSearch(Body):
    """A search that is being written."""

    criteria: Criteria


@post("/searches/preview", opt={"access": roles("candidate")}, status_code=200, summary="Show what a search would find and send")
async def preview_search(
    data: JSONBody[AskedSearch], previews: NamedDependency[Previews], mongo: NamedDependency[Mongo]
) -> dict[str, Any]:
    """Nothing is kept. Of very many vacancies the newest are compared, and `all` is false."""
    found = await previews.of(mongo, data.criteria)
    return {
        "fitting": found.fitting,
        "vacancies": found.shown,
        "mails_in_30_days": {"immediate": found.mails.immediate, "daily": found.mails.daily, "weekly": found.mails.weekly},
        "compared": found.compared,
        "all": found.all,
    }


ROUTES = [preview_search]
