"""Access tokens: who calls, for which organisation, in which session, signed by identity with Ed25519.

Every service checks them itself with the keys that it learned by event (`known.py`), so none waits for identity. What a
token says is spelled here only, for the side that signs and the side that checks.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis import metrics
from chassis.clock import Clock
from chassis.http.problems import UnauthorizedProblem
from chassis.known import Known, SigningKey

ALGORITHM = "EdDSA"
AUDIENCE = "kandidatenbank"
LEEWAY = 5.0
"""Seconds that the clocks of two machines may differ."""
_REQUIRED = ("iss", "sub", "aud", "iat", "exp", "jti", "sid", "role")
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Caller:
    """Who calls. A visitor has an empty subject."""

    subject: str
    role: str
    org: str | None = None
    bank: bool = False
    scopes: frozenset[str] = frozenset()
    session: str = ""
    amr: tuple[str, ...] = ()

    @classmethod
    def visitor(cls) -> "Caller":
        """Return somebody who is not signed in."""
        return cls(subject="", role="visitor")


class TokenError(Exception):
    """A token is not accepted. The message is for our log; the caller always gets the same answer."""

    loggable = True


def encode(
    caller: Caller, *, kid: str, key: Ed25519PrivateKey, issuer: str, token_id: str, issued: datetime, expires: datetime
) -> str:
    """Return a signed access token (machine time)."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": caller.subject,
        "iat": int(issued.timestamp()),
        "exp": int(expires.timestamp()),
        "jti": token_id,
        "sid": caller.session,
        "role": caller.role,
        "org": caller.org,
        "bank": caller.bank,
        "scope": " ".join(sorted(caller.scopes)) or None,
        "amr": list(caller.amr),
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": "at+jwt"})


@dataclass(frozen=True)
class _Checked:
    caller: Caller
    kid: str
    expires: float


class Tokens:
    """Checks tokens, and remembers a checked one until it, its key or its session ends."""

    def __init__(self, known: Known, clock: Clock, *, issuer: str) -> None:
        self._known, self._clock, self._issuer = known, clock, issuer
        self._remembered: OrderedDict[str, _Checked] = OrderedDict()

    async def caller(self, authorization: str | None) -> Caller:
        """Return who an `Authorization` header names.

        Raises:
            UnauthorizedProblem: It names nobody; one answer for every reason.
            NotKnownYetError: No signing key could be read since the start; the caller may try again.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedProblem(headers={"WWW-Authenticate": f'Bearer realm="{AUDIENCE}"'})
        try:
            return await self.check(token.strip())
        except TokenError as error:
            metrics.REQUEST_REFUSALS.labels("token").inc()
            refused = f'Bearer realm="{AUDIENCE}", error="invalid_token"'
            raise UnauthorizedProblem(headers={"WWW-Authenticate": refused}) from error

    async def check(self, token: str) -> Caller:
        """Return who a token names, or raise `TokenError`."""
        checked = self._remembered.get(token)
        if checked is None or self._clock.machine().timestamp() >= checked.expires + LEEWAY:
            self._remembered.pop(token, None)
            checked = await self._verify(token)
            self._remembered[token] = checked
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        if self._known.key(checked.kid) is None or self._known.has_ended(checked.caller.session):
            self._remembered.pop(token, None)
            raise TokenError("its key was withdrawn or its session has ended")
        return checked.caller

    async def _verify(self, token: str) -> _Checked:
        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
            key = await self._known.find_key(kid)
            if key is None:
                raise TokenError("unknown key")
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWTError as error:
            raise TokenError(type(error).__name__) from error
        _check_issued(claims, key)
        return _Checked(_caller(claims), kid, float(claims["exp"]))


def _check_issued(claims: Mapping[str, Any], key: SigningKey) -> None:
    issued = datetime.fromtimestamp(claims["iat"], UTC).timestamp()
    if not key.not_before.timestamp() - LEEWAY <= issued <= key.not_after.timestamp() + LEEWAY:
        raise TokenError("signed outside its key's validity")


def _caller(claims: Mapping[str, Any]) -> Caller:
    texts = [claims["sub"], claims["role"], claims["sid"], claims.get("org") or "", claims.get("scope") or ""]
    if not all(isinstance(text, str) for text in texts):
        raise TokenError("a claim of another type")
    subject, role, session, org, scope = texts
    return Caller(
        subject=subject,
        role=role,
        org=org or None,
        bank=claims.get("bank") is True,
        scopes=frozenset(scope.split()),
        session=session,
        amr=tuple(str(method) for method in claims.get("amr") or ()),
    )
