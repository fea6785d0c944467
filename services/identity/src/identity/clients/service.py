"""Makes and revokes machine clients, and gives them tokens (RFC 6749, client credentials)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from chassis.hashing import keyed_hash
from chassis.ids import new_id
from chassis.tokens import Caller
from chassis.uow import Reads, UnitOfWork

from identity.clients import store
from identity.clients.model import Client, OAuthError, OAuthFault, Scope, granted, ordered
from identity.organisations import service as organisations
from identity.sessions.model import EndReason
from identity.sessions.service import end_all, start_for_client


class UnknownClientError(Exception):
    """There is no such client in this organisation."""


class Secrets:
    """Hashes client secrets. They have 256 random bits, so a keyed hash is enough and costs no Argon2 per token."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def hash(self, client: str, secret: str) -> str:
        """Return what is stored of a secret."""
        return keyed_hash(self._key, "client-secret", f"{client}|{secret}")

    def fits(self, client: Client | None, client_id: str, secret: str) -> bool:
        """Tell whether this is the client's secret; with no client the same work says no."""
        stored = client.secret_hash if client is not None and client.usable else ""
        return compare_digest(stored, self.hash(client_id, secret))


@dataclass(frozen=True)
class Wanted:
    """A client that somebody wants to make."""

    organisation: str
    name: str
    scopes: tuple[Scope, ...]
    made_by: str


async def create(uow: UnitOfWork, wanted: Wanted, *, secret: str, secrets: Secrets, now: datetime) -> Client:
    """Make a client with that secret; raises UnknownOrganisationError."""
    await organisations.get(uow, wanted.organisation)
    client_id = new_id()
    made = Client(
        id=client_id,
        sequence=1,
        organisation=wanted.organisation,
        name=wanted.name,
        scopes=ordered(wanted.scopes),
        secret_hash=secrets.hash(client_id, secret),
        made_at=now,
        made_by=wanted.made_by,
    )
    store.add(uow, made)
    return made


async def page(reads: Reads, organisation: str, *, after: str, limit: int) -> list[Client]:
    """Return an organisation's clients, revoked ones included."""
    return await store.page(reads, organisation, after=after, limit=limit)


async def get(reads: Reads, organisation: str, client_id: str) -> Client:
    """Return an organisation's client or raise UnknownClientError."""
    found = await store.client(reads, client_id)
    if found is None or found.organisation != organisation:
        raise UnknownClientError(client_id)
    return found


async def revoke(uow: UnitOfWork, current: Client, *, now: datetime) -> None:
    """End a client for good, and every token that it holds."""
    if current.usable:
        store.save(uow, current.revoked(now))
        await end_all(uow, {"account": current.id}, EndReason.ROLE_LOST, now=now)


@dataclass(frozen=True)
class TokenRequest:
    """A token request as it came in, its client already taken from header or body."""

    grant_type: str | None
    client_id: str
    client_secret: str
    scope: str | None


async def grant(uow: UnitOfWork, asked: TokenRequest, *, secrets: Secrets, life: timedelta, now: datetime) -> Caller:
    """Return what the client may be told that it is.

    Raises:
        OAuthError: With the code of RFC 6749, section 5.2.
    """
    client = await store.client(uow, asked.client_id)
    if not secrets.fits(client, asked.client_id, asked.client_secret) or client is None:
        raise OAuthError(OAuthFault.INVALID_CLIENT, "unknown client, or another secret")
    if asked.grant_type != "client_credentials":
        raise OAuthError(OAuthFault.UNSUPPORTED_GRANT_TYPE, "only client_credentials")
    scopes = granted(client, asked.scope)
    organisation = await organisations.get(uow, client.organisation)
    if not organisation.active:
        raise OAuthError(OAuthFault.INVALID_CLIENT, "unknown client, or another secret")
    session = start_for_client(uow, client=client.id, organisation=organisation.id, over_at=now + life, now=now)
    return Caller(
        subject=client.id,
        role="system",
        org=organisation.id,
        bank=organisation.bank_access,
        scopes=frozenset(scope.value for scope in scopes),
        session=session.id,
        amr=session.amr,
    )
