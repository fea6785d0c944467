"""Inviting members over HTTP, and the page on which the invited person accepts."""

from typing import Annotated, Any

from chassis.clock import day_of
from chassis.hashing import NotAnAddressError
from chassis.http.bodies import Body
from chassis.http.guards import member, roles
from chassis.http.idempotency import Attempt, Created
from chassis.http.language import Text, language_of
from chassis.http.pages import PAGE, page
from chassis.http.problems import ConflictProblem, NotFoundProblem, invalid
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Request, Response, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import Field

from identity.accounts.model import Language, Terms
from identity.addresses.model import Address
from identity.addresses.service import Addresses
from identity.invitations import service
from identity.invitations.service import Invited, Offer, Standing
from identity.mails.service import Post
from identity.organisations import service as organisations
from identity.organisations.model import MemberRole
from identity.organisations.service import UnknownOrganisationError
from identity.passwords.model import MIN_LENGTH, fault
from identity.passwords.service import Passwords

AnyRequest = Request[Any, Any, Any]


class SuspendedProblem(ConflictProblem):
    """Nobody acts for a suspended organisation, so nobody is invited."""

    code, title = "suspended", Text("Deze organisatie is geschorst", "This organisation is suspended")


class InvitationBody(Body):
    """Whom to invite, in which roles, and in which language to write to them."""

    email: Address
    roles: Annotated[list[MemberRole], Field(min_length=1, max_length=3)]
    language: Language = Language.NL


@post(
    "/organisations/{organisation:str}/members",
    status_code=202,
    opt={"access": roles("operator") | member("administrator", of="organisation")},
    summary="Invite a member",
)
async def invite(
    organisation: FromPath[str],
    data: JSONBody[InvitationBody],
    caller: NamedDependency[Caller],
    attempt: NamedDependency[Attempt],
    mongo: NamedDependency[Mongo],
    addresses: NamedDependency[Addresses],
    mail: NamedDependency[Post],
    link_terms: NamedDependency[Terms],
) -> Response[dict[str, str]]:
    """The person becomes a member by accepting from the mail. The answer does not tell whether they have an account."""
    try:
        draft = await service.draft(
            addresses=addresses,
            organisation=organisation,
            invited=Invited(data.email, tuple(data.roles), data.language),
            invited_by=caller.subject,
            terms=link_terms,
            now=mongo.clock.now(),
        )
    except NotAnAddressError as error:
        raise invalid("email", "address") from error

    async def work(uow: UnitOfWork) -> Created:
        async def create() -> Created:
            inviting = await organisations.get(uow, organisation)
            if not inviting.active:
                raise SuspendedProblem
            await service.invite(uow, draft, organisation=inviting, post=mail)
            return Created(id=draft.invitation.id, status=202)

        return await attempt.once(uow, create)

    try:
        return (await transact(mongo, work)).response()
    except UnknownOrganisationError as error:
        raise NotFoundProblem from error


@route("/pages/invitation/{secret:str}", http_method=["GET", "HEAD"], opt=PAGE, include_in_schema=False)
async def show_invitation(
    request: AnyRequest, secret: FromPath[str], mongo: NamedDependency[Mongo], addresses: NamedDependency[Addresses]
) -> Response[str]:
    """Show who invites. Mail scanners may look as often as they like."""
    return _shown(request, await service.offer(mongo, addresses.secret_hash(secret), now=mongo.clock.now()))


@post("/pages/invitation/{secret:str}", status_code=200, opt=PAGE, include_in_schema=False)
async def accept(
    request: AnyRequest,
    secret: FromPath[str],
    mongo: NamedDependency[Mongo],
    addresses: NamedDependency[Addresses],
    passwords: NamedDependency[Passwords],
    mail: NamedDependency[Post],
) -> Response[str]:
    """Make the person a member, once, and their account where there is none."""
    hashed = addresses.secret_hash(secret)
    offered = await service.offer(mongo, hashed, now=mongo.clock.now())
    password_hash = None
    if offered.standing is Standing.PASSWORD and offered.invitation is not None:
        password = str((await request.form()).get("password", ""))
        address = await addresses.open(offered.invitation.account, offered.invitation.address)
        broken = fault(password, address=address)
        if broken:
            return _shown(request, offered, broken=broken)
        password_hash = await passwords.hash(password)

    async def work(uow: UnitOfWork) -> Offer:
        now = mongo.clock.now()
        return await service.accept(
            uow, hashed, password_hash=password_hash, addresses=addresses, post=mail, now=now, today=day_of(now)
        )

    accepted = await transact(mongo, work)
    if accepted.invitation is not None or accepted.standing is not Standing.ACCEPT:
        return _shown(request, accepted)
    name = accepted.organisation.facts.name if accepted.organisation else ""
    title = Text(f"U werkt nu mee voor {name}", f"You now work for {name}")
    return page(language_of(request), title=title, text=[Text("U kunt zich aanmelden.", "You can sign in.")])


_RULES = {
    "too-short": Text(
        f"Kies een wachtwoord van minstens {MIN_LENGTH} tekens.", f"Choose a password of at least {MIN_LENGTH} characters."
    ),
    "too-long": Text("Dit wachtwoord is te lang.", "This password is too long."),
    "is-address": Text("Kies iets anders dan uw e-mailadres.", "Choose something else than your e-mail address."),
    "too-common": Text("Dit wachtwoord raadt iedereen; kies een ander.", "Everybody guesses this password; choose another."),
}


def _shown(request: AnyRequest, offered: Offer, *, broken: str | None = None) -> Response[str]:
    """Return the page for what a link needs now."""
    language = language_of(request)
    if offered.standing is Standing.INVALID or offered.organisation is None:
        title = Text("Deze uitnodiging geldt niet meer", "This invitation is not valid any more")
        return page(language, title=title, text=[Text("Vraag om een nieuwe.", "Ask for a new one.")], status=404)
    name = offered.organisation.facts.name
    if offered.standing is Standing.ALREADY:
        title = Text("U hebt deze uitnodiging al aangenomen", "You have accepted this invitation already")
        return page(language, title=title, text=[Text("U kunt zich aanmelden.", "You can sign in.")])
    title = Text(f"{name} nodigt u uit", f"{name} invites you")
    button = Text("Ja, ik doe mee", "Yes, I accept")
    if offered.standing is Standing.ACCEPT:
        return page(language, title=title, button=button)
    text = [_RULES[broken or "too-short"]]
    new_password = Text("Uw nieuwe wachtwoord", "Your new password")
    return page(language, title=title, text=text, button=button, new_password=new_password, status=422 if broken else 200)


ROUTES = [invite, show_invitation, accept]
