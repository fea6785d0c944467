"""Accounts and the registrations that precede them: rules without any reading or writing.

There is no account before its address is confirmed. A registration keeps the address under the data key of the future
account, so that erasing an unconfirmed one destroys a key and nothing else has to be found.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self


class Language(StrEnum):
    """In which language somebody is written to."""

    NL = "nl"
    EN = "en"


class AccountState(StrEnum):
    """`locked`: may not sign in for now; `closed`: for good."""

    CONFIRMED = "confirmed"
    LOCKED = "locked"
    CLOSED = "closed"


class AccountRole(StrEnum):
    """What an account is by itself. Roles in an organisation stand with the organisation."""

    CANDIDATE = "candidate"
    PRIVACY_OFFICER = "privacy-officer"
    OPERATOR = "operator"


class RegistrationState(StrEnum):
    """`done`: its link has made the account; `superseded`: another way was quicker."""

    OPEN = "open"
    DONE = "done"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Account:
    """One person who can sign in. `address` is encrypted, `address_hash` finds it."""

    id: str
    sequence: int
    state: AccountState
    language: Language
    roles: tuple[AccountRole, ...]
    confirmed_on: date
    address_hash: str
    address: bytes
    password: str
    erasure: str | None = None
    """The request to erase its person, which its closing opened."""

    @property
    def usable(self) -> bool:
        """Tell whether its owner may sign in."""
        return self.state is AccountState.CONFIRMED


@dataclass(frozen=True)
class Registration:
    """An address that somebody typed and nobody confirmed yet. Each one has its own password and its own link.

    So whoever registers somebody else's address gains nothing: the owner's own link carries the owner's own password.
    """

    id: str
    account: str
    language: Language
    address_hash: str
    secret_hash: str
    made_at: datetime
    valid_until: datetime
    erase_at: datetime
    state: RegistrationState = RegistrationState.OPEN
    address: bytes = b""
    password: str = ""

    def works(self, now: datetime) -> bool:
        """Tell whether the link in its mail may still confirm."""
        return self.state is RegistrationState.OPEN and now < self.valid_until

    def closed(self, state: RegistrationState) -> Self:
        """Return what stays of it: enough to say that the link has been used, nothing about a person."""
        return replace(self, state=state, address=b"", password="", address_hash="")


@dataclass(frozen=True)
class Terms:
    """How long a link works, when what nobody confirmed is erased, and how many mails an address gets in a day."""

    valid: timedelta
    kept: timedelta
    mails_per_day: int
