"""Sign-in and refresh over HTTP."""

from typing import Annotated, Any

from chassis.http.bodies import Body
from chassis.http.guards import public
from chassis.http.language import Text
from chassis.http.problems import ForbiddenProblem, UnauthorizedProblem
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from identity.addresses.service import Addresses
from identity.metrics import REFRESHES, SIGN_INS
from identity.settings import IdentitySettings
from identity.signin.model import ActingError, Wanted
from identity.signin.service import CredentialsError, SignedIn, SignIn
from identity.throttling.service import ThrottledError, Try, came_from, no_sooner_than, throttled

AnyRequest = Request[Any, Any, Any]


class CredentialsProblem(UnauthorizedProblem):
    """One answer for an unknown address, another password and an account that may not sign in."""

    code, title = "credentials", Text("Adres en wachtwoord horen niet bij elkaar", "Address and password do not belong together")


class RefreshProblem(UnauthorizedProblem):
    """A refresh token that opens nothing."""

    code, title = "refresh-token", Text("Meld u opnieuw aan", "Sign in again")


class ActingProblem(ForbiddenProblem):
    """The person is who they say, but not what they ask to act as."""

    title = Text("U kunt niet in deze rol aanmelden", "You cannot sign in in this role")


class SignInBody(Body):
    """Who signs in, and (optional) for which organisation and in which role."""

    model_config = ConfigDict(str_strip_whitespace=False)  # blanks belong to a password

    email: Annotated[str, Field(max_length=254)]
    password: Annotated[SecretStr, Field(max_length=1024)]
    organisation: Annotated[str, Field(max_length=64)] | None = None
    role: Annotated[str, Field(max_length=32)] | None = None


class RefreshBody(Body):
    """The refresh token that was given last."""

    refresh_token: Annotated[SecretStr, Field(max_length=512)]


class SessionAnswer(BaseModel):
    """An access token for the header `Authorization: Bearer …`, and the refresh token that gives the next one, once."""

    model_config = ConfigDict(frozen=True)

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme (RFC 6750), not a secret
    expires_in: int
    refresh_token: str
    session: str
    role: str
    organisation: str | None


@post("/sessions", opt={"access": public()}, summary="Sign in")
async def sign_in(
    request: AnyRequest,
    data: JSONBody[SignInBody],
    signing_in: NamedDependency[SignIn],
    addresses: NamedDependency[Addresses],
    settings: NamedDependency[IdentitySettings],
    counted_under: NamedDependency[bytes],
) -> SessionAnswer:
    """The answer to wrong details is always the same. Who tries too often gets 429 with `Retry-After`."""
    hashed = addresses.hash_or_nobody(data.email)
    attempt = Try.of(key=counted_under, account=hashed, caller=came_from(request, settings))
    wanted = Wanted(data.organisation, data.role)
    async with no_sooner_than(settings.answer_floor):
        try:
            signed_in = await signing_in.sign_in(
                address_hash=hashed, password=data.password.get_secret_value(), wanted=wanted, attempt=attempt
            )
        except ThrottledError as error:
            SIGN_INS.labels("throttled").inc()
            raise throttled(error) from error
        except CredentialsError as error:
            SIGN_INS.labels("credentials").inc()
            raise CredentialsProblem from error
        except ActingError as error:
            SIGN_INS.labels("acting").inc()
            raise ActingProblem(code=error.code) from error
    SIGN_INS.labels("signed-in").inc()
    return _answer(signed_in)


@post("/sessions/refresh", status_code=200, opt={"access": public()}, summary="Replace a refresh token")
async def refresh(data: JSONBody[RefreshBody], signing_in: NamedDependency[SignIn]) -> SessionAnswer:
    """A replaced token is answered with the same successor for some seconds; after that, its use ends the session."""
    signed_in = await signing_in.refresh(data.refresh_token.get_secret_value())
    REFRESHES.labels("renewed" if signed_in else "refused").inc()
    if signed_in is None:
        raise RefreshProblem
    return _answer(signed_in)


def _answer(signed_in: SignedIn) -> SessionAnswer:
    return SessionAnswer(
        access_token=signed_in.access.token,
        expires_in=signed_in.access.expires_in,
        refresh_token=signed_in.refresh_token,
        session=signed_in.session,
        role=signed_in.acting.role,
        organisation=signed_in.acting.organisation,
    )


ROUTES = [sign_in, refresh]
