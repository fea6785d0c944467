"""Organisations over HTTP: everybody reads the public list (R2), the operator and the organisation's administrator change."""

from dataclasses import asdict
from typing import Annotated

from chassis.http.bodies import Body
from chassis.http.etags import IfMatch, etag
from chassis.http.guards import member, public, roles
from chassis.http.idempotency import Attempt, Created
from chassis.http.language import Text
from chassis.http.pagination import Page
from chassis.http.problems import ConflictProblem, ForbiddenProblem, NotFoundProblem
from chassis.mongo import Mongo, Work, transact
from chassis.texts import readable
from chassis.tokens import Caller
from chassis.uow import Reads, UnitOfWork
from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from identity.organisations import service
from identity.organisations.model import (
    LastAdministratorError,
    Line,
    MemberRole,
    Name,
    NotAMemberError,
    Organisation,
    PublicFacts,
    State,
)
from identity.organisations.service import Change, UnknownOrganisationError

ADMINISTERS = roles("operator") | member("administrator", of="organisation")
Paragraph = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(readable)]


class LastAdministratorProblem(ConflictProblem):
    """Somebody has to stay who may administer the members."""

    code, title = "last-administrator", Text("Dit is de laatste beheerder", "This is the last administrator")


class InBothLanguages(Body):
    """A text in Dutch and English."""

    nl: Paragraph
    en: Paragraph


class FactsBody(Body):
    """What everybody may read about an organisation, in its own words."""

    name: Name
    street: Line
    postal_code: Line
    place: Line
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")] = "NL"
    data_use: InBothLanguages
    privacy_contact: Line


class OrganisationBody(FactsBody):
    """A new organisation."""

    bank_access: bool = False


class ChangeBody(Body):
    """What changes; what is left out stays. Access and state are the operator's to change."""

    facts: FactsBody | None = None
    bank_access: bool | None = None
    state: State | None = None


class RolesBody(Body):
    """Exactly the roles that a member has from now on."""

    roles: Annotated[list[MemberRole], Field(min_length=1, max_length=3)]


class PublicOrganisation(BaseModel):
    """A participating organisation, as everybody may see it."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    street: str
    postal_code: str
    place: str
    country: str
    data_use: dict[str, str]
    privacy_contact: str


class MemberFacts(BaseModel):
    """A member's account and roles."""

    model_config = ConfigDict(frozen=True)

    account: str
    roles: list[MemberRole]


class OrganisationDetails(PublicOrganisation):
    """What its administrators and the operator see besides."""

    state: State
    bank_access: bool
    members: list[MemberFacts]


@get("/organisations", opt={"access": public()}, summary="Participating organisations")
async def list_organisations(page: NamedDependency[Page], mongo: NamedDependency[Mongo]) -> dict[str, object]:
    """Name, address, what they do with the data, and whom to ask about privacy. Suspended ones are not listed."""
    after = str(page.after[0]) if page.after else ""
    found = await service.page(mongo, after=after, limit=page.limit + 1, suspended_too=False)
    return page.answer([_public(one) for one in found], lambda one: (one.id,), found=found)


@get("/organisations/{organisation:str}", opt={"access": public()}, summary="A participating organisation")
async def show_organisation(organisation: FromPath[str], mongo: NamedDependency[Mongo]) -> PublicOrganisation:
    """The same facts as in the list."""
    found = await _known(mongo, organisation)
    if not found.active:
        raise NotFoundProblem
    return _public(found)


@get("/organisations/{organisation:str}/details", opt={"access": ADMINISTERS}, summary="An organisation with its members")
async def show_details(organisation: FromPath[str], mongo: NamedDependency[Mongo]) -> Response[OrganisationDetails]:
    """With the `ETag` that changes need."""
    return _details(await _known(mongo, organisation))


@post("/organisations", opt={"access": roles("operator")}, summary="Make an organisation")
async def create_organisation(
    data: JSONBody[OrganisationBody], attempt: NamedDependency[Attempt], mongo: NamedDependency[Mongo]
) -> Response[dict[str, str]]:
    """It has no members yet: invite its first administrator."""

    async def work(uow: UnitOfWork) -> Created:
        async def create() -> Created:
            made = service.create(uow, facts=_facts(data), bank_access=data.bank_access)
            return Created(id=made.id, location=f"/api/identity/v1/organisations/{made.id}", sequence=made.sequence)

        return await attempt.once(uow, create)

    return (await transact(mongo, work)).response()


@patch("/organisations/{organisation:str}", opt={"access": ADMINISTERS}, summary="Change an organisation")
async def change_organisation(
    organisation: FromPath[str],
    data: JSONBody[ChangeBody],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    mongo: NamedDependency[Mongo],
) -> Response[OrganisationDetails]:
    """Losing access to the bank, or being suspended, signs out everybody who acts for it."""
    if caller.role != "operator" and (data.bank_access is not None or data.state is not None):
        raise ForbiddenProblem("Access and state are the operator's to change")
    wanted = Change(_facts(data.facts) if data.facts else None, data.bank_access, data.state)

    async def work(uow: UnitOfWork) -> Organisation:
        current = await _known(uow, organisation)
        if_match.check(current.sequence)
        return await service.change(uow, current, wanted, now=mongo.clock.machine())

    return _details(await transact(mongo, work))


@put("/organisations/{organisation:str}/members/{account:str}", opt={"access": ADMINISTERS}, summary="Change a member's roles")
async def change_member(
    organisation: FromPath[str],
    account: FromPath[str],
    data: JSONBody[RolesBody],
    if_match: NamedDependency[IfMatch],
    mongo: NamedDependency[Mongo],
) -> Response[OrganisationDetails]:
    """Sessions in a role that the member loses end. Who is no member yet has to be invited."""

    async def work(uow: UnitOfWork) -> Organisation:
        current = await _known(uow, organisation)
        if_match.check(current.sequence)
        if not current.roles_of(account):
            raise NotFoundProblem
        return await service.set_member(uow, current, account, tuple(data.roles), now=mongo.clock.machine())

    return _details(await _keeping_an_administrator(mongo, work))


@delete(
    "/organisations/{organisation:str}/members/{account:str}",
    status_code=200,
    opt={"access": ADMINISTERS},
    summary="Remove a member",
)
async def remove_member(
    organisation: FromPath[str], account: FromPath[str], mongo: NamedDependency[Mongo]
) -> Response[OrganisationDetails]:
    """The member's sessions for this organisation end; the account itself stays."""

    async def work(uow: UnitOfWork) -> Organisation:
        try:
            return await service.remove_member(uow, await _known(uow, organisation), account, now=mongo.clock.machine())
        except NotAMemberError as error:
            raise NotFoundProblem from error

    return _details(await _keeping_an_administrator(mongo, work))


async def _known(reads: Reads, organisation: str) -> Organisation:
    """Return an organisation, or answer 404."""
    try:
        return await service.get(reads, organisation)
    except UnknownOrganisationError as error:
        raise NotFoundProblem from error


async def _keeping_an_administrator(mongo: Mongo, work: Work[Organisation]) -> Organisation:
    try:
        return await transact(mongo, work)
    except LastAdministratorError as error:
        raise LastAdministratorProblem from error


def _facts(body: FactsBody) -> PublicFacts:
    return PublicFacts(
        name=body.name,
        street=body.street,
        postal_code=body.postal_code,
        place=body.place,
        country=body.country,
        data_use_nl=body.data_use.nl,
        data_use_en=body.data_use.en,
        privacy_contact=body.privacy_contact,
    )


def _shown(one: Organisation) -> dict[str, object]:
    facts = asdict(one.facts)
    data_use = {"nl": facts.pop("data_use_nl"), "en": facts.pop("data_use_en")}
    return {"id": one.id, **facts, "data_use": data_use}


def _public(one: Organisation) -> PublicOrganisation:
    return PublicOrganisation.model_validate(_shown(one))


def _details(one: Organisation) -> Response[OrganisationDetails]:
    members = [MemberFacts(account=member.account, roles=list(member.roles)) for member in one.members]
    shown = {**_shown(one), "state": one.state, "bank_access": one.bank_access, "members": members}
    return Response(OrganisationDetails.model_validate(shown), headers={"ETag": etag(one.sequence)})


ROUTES = [
    list_organisations,
    show_organisation,
    show_details,
    create_organisation,
    change_organisation,
    change_member,
    remove_member,
]
