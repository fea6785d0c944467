"""HTTP: the candidate's own profile, and what its fields are."""

from typing import Any

from chassis.http.etags import IfMatch, etag
from chassis.http.guards import public, roles
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Response, get, patch, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from profiles.catalogue import FIELDS
from profiles.profile.model import Profile, ProfileChange
from profiles.profile.service import Profiles, Shown

_OWN = {"access": roles("candidate")}


@get("/fields", opt={"access": public()}, tags=["Profile"])
async def list_fields() -> list[dict[str, Any]]:
    """What is asked, what of it is mandatory, what can be searched, and what anonymity leaves of it."""
    return [
        {"path": field.path, "mandatory": field.mandatory, "searchable": field.bank, "anonymised": field.anonymised.value}
        for field in FIELDS
    ]


@get("/me/profile", opt=_OWN, tags=["Profile"])
async def show_profile(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], profiles: NamedDependency[Profiles]
) -> Response[dict[str, Any]]:
    """All that you told."""
    return _response(await profiles.show(mongo, caller.subject))


@put("/me/profile", opt=_OWN, tags=["Profile"])
async def replace_profile(
    data: JSONBody[Profile],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    mongo: NamedDependency[Mongo],
    profiles: NamedDependency[Profiles],
) -> Response[dict[str, Any]]:
    """Tell everything anew: what is left out is removed."""

    async def work(uow: UnitOfWork) -> Shown:
        return await profiles.replace(uow, subject=caller.subject, profile=data, check=if_match.check)

    return _response(await transact(mongo, work))


@patch("/me/profile", opt=_OWN, tags=["Profile"])
async def change_profile(
    data: JSONBody[ProfileChange],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    mongo: NamedDependency[Mongo],
    profiles: NamedDependency[Profiles],
) -> Response[dict[str, Any]]:
    """Tell some groups anew; the others stay as they are."""

    async def work(uow: UnitOfWork) -> Shown:
        return await profiles.change(uow, subject=caller.subject, change=data, check=if_match.check)

    return _response(await transact(mongo, work))


def _response(shown: Shown) -> Response[dict[str, Any]]:
    return Response(shown.told, headers={"ETag": etag(shown.version)})


ROUTES = [list_fields, show_profile, replace_profile, change_profile]
