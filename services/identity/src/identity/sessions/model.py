"""Sessions and their refresh tokens: what a presented token means, without any reading or writing.

A refresh token is `<session>.<secret>.<mac>`: only what we made ourselves is looked at, so a stranger who knows a session's
id cannot make it look stolen. Each refresh replaces it. Only hashes are stored; the successor is computed from the presented
token, a stored nonce and a key that is not in the database. So a client that lost the answer, or a second tab, gets the
*same* successor within the grace, and a copy of the database is worth nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import Self

from chassis.hashing import keyed_hash


class Verdict(StrEnum):
    """What a presented refresh token gets."""

    ROTATE = "rotate"
    REPEAT = "repeat"
    STOLEN = "stolen"
    OVER = "over"


class EndReason(StrEnum):
    """Why a session ended before its time; the codes of `identity.session.v1`."""

    SIGNED_OUT = "signed-out"
    THEFT = "theft"
    ROLE_LOST = "role-lost"
    ACCOUNT_CLOSED = "account-closed"


@dataclass(frozen=True)
class Acting:
    """In which role somebody acts, for which organisation, and whether that one has access to the bank."""

    role: str
    organisation: str | None = None
    bank: bool = False


@dataclass(frozen=True)
class Terms:
    """How long a session may rest, how long it lives at most, and how long a replaced token is still answered."""

    idle: timedelta
    absolute: timedelta
    grace: timedelta


@dataclass(frozen=True)
class Session:
    """One sign-in of one person, or one token of a machine client, which has no refresh token (`token_hash` is empty)."""

    id: str
    sequence: int
    account: str
    role: str
    organisation: str | None
    amr: tuple[str, ...]
    started_at: datetime
    used_at: datetime
    over_at: datetime
    token_hash: str = ""
    previous_hash: str = ""
    nonce: str = ""
    rotated_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None

    def alive(self, now: datetime, terms: Terms) -> bool:
        """Tell whether the session may still be used."""
        return self.ended_at is None and now < self.over_at and now < self.used_at + terms.idle

    def ended(self, reason: EndReason, now: datetime) -> Self:
        """Return the session after its end, without anything that a token could be compared with."""
        return replace(self, ended_at=now, end_reason=reason, token_hash="", previous_hash="", nonce="")

    def rotated(self, successor_hash: str, nonce: str, now: datetime) -> Self:
        """Return the session with the next token in force."""
        return replace(self, token_hash=successor_hash, previous_hash=self.token_hash, nonce=nonce, rotated_at=now, used_at=now)


def judge(session: Session, presented_hash: str, *, now: datetime, terms: Terms) -> Verdict:
    """Say what a genuine refresh token of this session means now."""
    if not session.alive(now, terms):
        return Verdict.OVER
    if compare_digest(session.token_hash, presented_hash):
        return Verdict.ROTATE
    in_grace = session.rotated_at is not None and now < session.rotated_at + terms.grace
    if in_grace and compare_digest(session.previous_hash, presented_hash):
        return Verdict.REPEAT
    return Verdict.STOLEN


class RefreshTokens:
    """Makes, recognises and replaces refresh tokens with the service's hash key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def first(self, session: str, secret: str) -> str:
        """Return the token that a new session starts with; the secret has 256 random bits."""
        return f"{session}.{secret}.{self._mac(session, secret)}"

    def successor(self, token: str, nonce: str) -> str:
        """Return what follows a token: the same for the same nonce."""
        session = token.split(".")[0]
        return self.first(session, keyed_hash(self._key, "refresh-successor", f"{token}|{nonce}"))

    def session_of(self, token: str) -> str | None:
        """Return the session's id if we made this token, else None."""
        match token.split("."):
            case [session, secret, mac] if compare_digest(mac.encode(), self._mac(session, secret).encode()):
                return session
            case _:
                return None

    def hash(self, token: str) -> str:
        """Return what is stored of a token."""
        return keyed_hash(self._key, "refresh-token", token)

    def _mac(self, session: str, secret: str) -> str:
        return keyed_hash(self._key, "refresh-mac", f"{session}.{secret}")
