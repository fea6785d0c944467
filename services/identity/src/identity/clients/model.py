"""Machine clients of organisations: what they may be allowed to do, and how they ask for it (RFC 6749, section 4.4)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self


class Scope(StrEnum):
    """The closed list of what a system may do in its organisation's name."""

    VACANCIES_WRITE = "vacancies:write"
    VACANCIES_READ = "vacancies:read"
    BANK_FOLLOW = "bank:follow"


class OAuthFault(StrEnum):
    """The error codes of RFC 6749, section 5.2, that this endpoint gives."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"


class OAuthError(Exception):
    """A token request was refused; the text is for the developer of the client."""

    def __init__(self, fault: OAuthFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault
        self.text = text


@dataclass(frozen=True)
class Client:
    """A system of an organisation. Its secret has 256 random bits, so a plain keyed hash of it is enough."""

    id: str
    sequence: int
    organisation: str
    name: str
    scopes: tuple[Scope, ...]
    secret_hash: str
    made_at: datetime
    made_by: str
    revoked_at: datetime | None = None

    @property
    def usable(self) -> bool:
        """Tell whether it may ask for tokens."""
        return self.revoked_at is None

    def revoked(self, now: datetime) -> Self:
        """Return the client without its secret, for good."""
        return replace(self, revoked_at=self.revoked_at or now, secret_hash="")


def granted(client: Client, asked: str | None) -> tuple[Scope, ...]:
    """Return the scopes of a token: what was asked for, or everything that the client may; never more than that.

    Raises:
        OAuthError: `invalid_scope`, when anything that was asked for is unknown or not the client's.
    """
    if asked is None or not asked.strip():
        return client.scopes
    wanted = set(asked.split(" ")) - {""}
    if not wanted <= set(client.scopes):
        raise OAuthError(OAuthFault.INVALID_SCOPE, "a scope that this client does not have")
    return ordered(Scope(scope) for scope in wanted)


def ordered(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return the scopes once each, in the order of the enumeration."""
    given = set(scopes)
    return tuple(scope for scope in Scope if scope in given)
