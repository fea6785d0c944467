"""Registration, the page that confirms it, and a person's own account over HTTP."""

from typing import Annotated, Any

from chassis.clock import day_of
from chassis.hashing import NotAnAddressError
from chassis.http.bodies import Body
from chassis.http.etags import IfMatch, etag
from chassis.http.guards import public, signed_in
from chassis.http.language import Text, language_of
from chassis.http.pages import PAGE, page
from chassis.http.problems import NotFoundProblem, invalid
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Request, Response, get, patch, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from identity.accounts import service
from identity.accounts.model import Account, Language, Terms
from identity.accounts.service import Outcome
from identity.addresses.model import Address
from identity.addresses.service import Addresses
from identity.mails.service import Post
from identity.passwords.model import fault
from identity.passwords.service import Passwords
from identity.settings import IdentitySettings
from identity.throttling.service import no_sooner_than

AnyRequest = Request[Any, Any, Any]


class RegistrationBody(Body):
    """An address that can be mailed, and the password that the account will have."""

    model_config = ConfigDict(str_strip_whitespace=False)  # blanks belong to a password

    email: Address
    password: Annotated[SecretStr, Field(max_length=1024)]
    language: Language = Language.NL


class Accepted(BaseModel):
    """The same for every address."""

    model_config = ConfigDict(frozen=True)

    status: str = "accepted"


class AccountFacts(BaseModel):
    """What identity keeps of a person."""

    model_config = ConfigDict(frozen=True)

    id: str
    email: str
    language: Language
    roles: list[str]
    state: str
    confirmed_on: str


class AccountChange(Body):
    """What a person changes of their account."""

    language: Language


@post("/registrations", status_code=202, opt={"access": public()}, summary="Register")
async def register(
    data: JSONBody[RegistrationBody],
    mongo: NamedDependency[Mongo],
    addresses: NamedDependency[Addresses],
    passwords: NamedDependency[Passwords],
    mail: NamedDependency[Post],
    link_terms: NamedDependency[Terms],
    settings: NamedDependency[IdentitySettings],
) -> Accepted:
    """There is no account before the address is confirmed from a mail. The answer does not tell whether it has one already."""
    password = data.password.get_secret_value()
    check(data.email, password, addresses)
    async with no_sooner_than(settings.answer_floor):
        draft = await service.draft(
            addresses=addresses,
            address=data.email,
            password_hash=await passwords.hash(password),
            language=data.language,
            terms=link_terms,
            now=mongo.clock.now(),
        )

        async def work(uow: UnitOfWork) -> None:
            await service.register(uow, draft, post=mail, terms=link_terms, now=mongo.clock.now())

        await transact(mongo, work)
    return Accepted()


def check(address: str, password: str, addresses: Addresses) -> None:
    """Refuse an address that cannot exist and a password that breaks a rule; known or unknown makes no difference."""
    try:
        addresses.hash(address)
    except NotAnAddressError as error:
        raise invalid("email", "address") from error
    broken = fault(password, address=address)
    if broken:
        raise invalid("password", broken)


CONFIRM = Text("Bevestig uw e-mailadres", "Confirm your e-mail address")
NO_LINK = Text("Deze link werkt niet meer", "This link does not work any more")
AGAIN = Text("Registreer opnieuw; u krijgt dan een nieuwe link.", "Register again, and you get a new link.")
ALREADY = Text("Dit e-mailadres is al bevestigd", "This e-mail address has been confirmed already")
SIGN_IN = Text("U kunt zich aanmelden.", "You can sign in.")


@route("/pages/confirm/{secret:str}", http_method=["GET", "HEAD"], opt=PAGE, include_in_schema=False)
async def show_confirmation(
    request: AnyRequest, secret: FromPath[str], mongo: NamedDependency[Mongo], addresses: NamedDependency[Addresses]
) -> Response[str]:
    """Show what the button will do. Mail scanners may look as often as they like."""
    outcome = await service.status(mongo, addresses.secret_hash(secret), now=mongo.clock.now())
    if outcome is not Outcome.DONE:
        return _settled(request, outcome)
    text = Text("Met deze knop maakt u uw account.", "With this button you make your account.")
    return page(language_of(request), title=CONFIRM, text=[text], button=Text("Ja, maak mijn account", "Yes, make my account"))


@post("/pages/confirm/{secret:str}", status_code=200, opt=PAGE, include_in_schema=False)
async def confirm(
    request: AnyRequest,
    secret: FromPath[str],
    mongo: NamedDependency[Mongo],
    addresses: NamedDependency[Addresses],
    mail: NamedDependency[Post],
) -> Response[str]:
    """Make the account, once."""
    hashed = addresses.secret_hash(secret)

    async def work(uow: UnitOfWork) -> Outcome:
        now = mongo.clock.now()
        return await service.confirm(uow, hashed, addresses=addresses, post=mail, now=now, today=day_of(now))

    outcome = await transact(mongo, work)
    if outcome is not Outcome.DONE:
        return _settled(request, outcome)
    return page(language_of(request), title=Text("Uw account is gemaakt", "Your account has been made"), text=[SIGN_IN])


def _settled(request: AnyRequest, outcome: Outcome) -> Response[str]:
    if outcome is Outcome.ALREADY:
        return page(language_of(request), title=ALREADY, text=[SIGN_IN])
    return page(language_of(request), title=NO_LINK, text=[AGAIN], status=404)


@get("/me/account", opt={"access": signed_in()}, summary="My account")
async def my_account(
    caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], addresses: NamedDependency[Addresses]
) -> Response[AccountFacts]:
    """What identity keeps of the person who asks."""
    return await _facts(await service.get(mongo, caller.subject), addresses)


@patch("/me/account", opt={"access": signed_in()}, summary="Change my account")
async def change_account(
    data: JSONBody[AccountChange],
    caller: NamedDependency[Caller],
    if_match: NamedDependency[IfMatch],
    mongo: NamedDependency[Mongo],
    addresses: NamedDependency[Addresses],
    mail: NamedDependency[Post],
) -> Response[AccountFacts]:
    """Mails come in this language from now on."""

    async def work(uow: UnitOfWork) -> Account:
        current = await service.get(uow, caller.subject)
        if current is None:
            raise NotFoundProblem
        if_match.check(current.sequence)
        return await service.change_language(uow, current, data.language, addresses=addresses, post=mail)

    return await _facts(await transact(mongo, work), addresses)


async def _facts(account: Account | None, addresses: Addresses) -> Response[AccountFacts]:
    if account is None:
        raise NotFoundProblem
    facts = AccountFacts(
        id=account.id,
        email=await addresses.open(account.id, account.address),
        language=account.language,
        roles=[role.value for role in account.roles],
        state=account.state.value,
        confirmed_on=account.confirmed_on.isoformat(),
    )
    return Response(facts, headers={"ETag": etag(account.sequence)})


ROUTES = [register, show_confirmation, confirm, my_account, change_account]
