"""Machine clients over HTTP, and the token endpoint of OAuth 2 (RFC 6749), which has an error format of its own."""

from base64 import b64decode
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

from chassis.http.bodies import Body
from chassis.http.guards import member, public, roles
from chassis.http.idempotency import Attempt, Created
from chassis.http.pagination import Page
from chassis.http.problems import NotFoundProblem
from chassis.ids import new_secret
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from identity.clients import service
from identity.clients.model import Client, OAuthError, OAuthFault, Scope
from identity.clients.service import Secrets, TokenRequest, UnknownClientError, Wanted
from identity.keys.service import Signer
from identity.metrics import CLIENT_TOKENS
from identity.organisations.model import Name
from identity.organisations.service import UnknownOrganisationError
from identity.settings import IdentitySettings

AnyRequest = Request[Any, Any, Any]
ADMINISTERS = roles("operator") | member("administrator", of="organisation")
FORM = "application/x-www-form-urlencoded"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class ClientBody(Body):
    """A system of the organisation, and what it may do."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]


class ClientFacts(BaseModel):
    """A client without its secret, which nobody can read any more."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    scopes: list[Scope]
    made_at: datetime
    revoked_at: datetime | None


@post("/organisations/{organisation:str}/clients", opt={"access": ADMINISTERS}, summary="Make a system client")
async def create_client(
    organisation: FromPath[str],
    data: JSONBody[ClientBody],
    caller: NamedDependency[Caller],
    attempt: NamedDependency[Attempt],
    mongo: NamedDependency[Mongo],
    client_secrets: NamedDependency[Secrets],
) -> Response[dict[str, str]]:
    """The `secret` is shown in this answer and never again, not even when the request is repeated under its key."""
    secret = new_secret()
    wanted = Wanted(organisation, data.name, tuple(data.scopes), caller.subject)

    async def work(uow: UnitOfWork) -> tuple[Created, bool]:
        made_now = False

        async def create() -> Created:
            nonlocal made_now
            made_now = True
            made = await service.create(uow, wanted, secret=secret, secrets=client_secrets, now=mongo.clock.machine())
            return Created(id=made.id, location=f"/api/identity/v1/organisations/{organisation}/clients/{made.id}", sequence=1)

        return await attempt.once(uow, create), made_now

    try:
        created, made_now = await transact(mongo, work)
    except UnknownOrganisationError as error:
        raise NotFoundProblem from error
    answer = created.response()
    if made_now:
        answer.content = {**answer.content, "secret": secret}
    return answer


@get("/organisations/{organisation:str}/clients", opt={"access": ADMINISTERS}, summary="System clients")
async def list_clients(
    organisation: FromPath[str], page: NamedDependency[Page], mongo: NamedDependency[Mongo]
) -> dict[str, object]:
    """Revoked ones included."""
    after = str(page.after[0]) if page.after else ""
    found = await service.page(mongo, organisation, after=after, limit=page.limit + 1)
    return page.answer([_facts(one) for one in found], lambda one: (one.id,), found=found)


@delete("/organisations/{organisation:str}/clients/{client:str}", opt={"access": ADMINISTERS}, summary="Revoke a system client")
async def revoke_client(organisation: FromPath[str], client: FromPath[str], mongo: NamedDependency[Mongo]) -> None:
    """It gets no tokens any more, and those that it has are refused within seconds. Repeating it changes nothing."""

    async def work(uow: UnitOfWork) -> None:
        current = await service.get(uow, organisation, client)
        await service.revoke(uow, current, now=mongo.clock.machine())

    try:
        await transact(mongo, work)
    except UnknownClientError as error:
        raise NotFoundProblem from error


@post("/oauth/token", status_code=200, opt={"access": public()}, summary="Token for a system client (RFC 6749)")
async def token(
    request: AnyRequest,
    mongo: NamedDependency[Mongo],
    signer: NamedDependency[Signer],
    client_secrets: NamedDependency[Secrets],
    settings: NamedDependency[IdentitySettings],
) -> Response[dict[str, Any]]:
    """Form-encoded; the client stands in the header (Basic) or in the body, not in both."""
    try:
        asked = token_request(request.headers, await request.body())

        async def work(uow: UnitOfWork) -> Caller:
            life, now = settings.access_token_life, mongo.clock.machine()
            return await service.grant(uow, asked, secrets=client_secrets, life=life, now=now)

        granted = await transact(mongo, work)
    except OAuthError as error:
        CLIENT_TOKENS.labels(error.fault.value).inc()
        return _refused(error)
    CLIENT_TOKENS.labels("granted").inc()
    access = await signer.access_token(granted)
    answer = {"access_token": access.token, "token_type": "Bearer", "expires_in": access.expires_in}
    return Response({**answer, "scope": " ".join(sorted(granted.scopes))}, headers=NO_STORE)


def token_request(headers: Any, body: bytes) -> TokenRequest:
    """Read a token request; what a parameter says twice is refused, as RFC 6749 wants."""
    if headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
        raise OAuthError(OAuthFault.INVALID_REQUEST, f"the body must be {FORM}")
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError(OAuthFault.INVALID_REQUEST, "a parameter came twice")
    basic = _basic(headers.get("authorization"))
    if basic and "client_secret" in form:
        raise OAuthError(OAuthFault.INVALID_REQUEST, "the client stands in the header or in the body, not in both")
    if "grant_type" not in form:
        raise OAuthError(OAuthFault.INVALID_REQUEST, "grant_type is missing")
    client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
    return TokenRequest(form["grant_type"], client_id, secret, form.get("scope"))


def _basic(header: str | None) -> tuple[str, str] | None:
    scheme, _, coded = (header or "").partition(" ")
    if not header:
        return None
    try:
        user, colon, secret = b64decode(coded.strip(), validate=True).decode().partition(":")
    except ValueError:
        user, colon, secret = "", "", ""
    if scheme.lower() != "basic" or not colon:
        raise OAuthError(OAuthFault.INVALID_CLIENT, "the header Authorization is not readable as Basic")
    return unquote_plus(user), unquote_plus(secret)


def _refused(error: OAuthError) -> Response[dict[str, Any]]:
    status, headers = 400, dict(NO_STORE)
    if error.fault is OAuthFault.INVALID_CLIENT:
        status = 401
        headers["WWW-Authenticate"] = 'Basic realm="kandidatenbank", charset="UTF-8"'
    return Response({"error": error.fault.value, "error_description": error.text}, status_code=status, headers=headers)


def _facts(one: Client) -> ClientFacts:
    return ClientFacts(id=one.id, name=one.name, scopes=list(one.scopes), made_at=one.made_at, revoked_at=one.revoked_at)


ROUTES = [create_client, list_clients, revoke_client, token]
