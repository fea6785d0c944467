"""Participating organisations and the roles of their members: rules without any reading or writing."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Self

from chassis.texts import one_line, readable
from pydantic import AfterValidator, Field

Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(readable), AfterValidator(one_line)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern="^[^@]+$"), AfterValidator(readable), AfterValidator(one_line)]
"""No `@`: a name is shown in mails and events, and an address is no name."""


class MemberRole(StrEnum):
    """What a member may be; one person may be several."""

    RECRUITER = "recruiter"
    HIRING_MANAGER = "hiring-manager"
    ADMINISTRATOR = "administrator"


class State(StrEnum):
    """A suspended organisation is not listed, and nobody acts for it."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class NotAMemberError(Exception):
    """The account is no member of the organisation."""


class LastAdministratorError(Exception):
    """The change would leave members without anybody who may administer them."""


@dataclass(frozen=True)
class Member:
    """One person's roles in one organisation."""

    account: str
    roles: tuple[MemberRole, ...]


@dataclass(frozen=True)
class PublicFacts:
    """What everybody may read (R2): the organisation's own words about itself."""

    name: str
    street: str
    postal_code: str
    place: str
    country: str
    data_use_nl: str
    data_use_en: str
    privacy_contact: str


@dataclass(frozen=True)
class Organisation:
    """An organisation, a controller of its own under the GDPR."""

    id: str
    sequence: int
    facts: PublicFacts
    bank_access: bool
    state: State = State.ACTIVE
    members: tuple[Member, ...] = field(default_factory=tuple)

    @property
    def active(self) -> bool:
        """Tell whether anybody may act for it."""
        return self.state is State.ACTIVE

    def roles_of(self, account: str) -> tuple[MemberRole, ...]:
        """Return the account's roles, none for a stranger."""
        return next((member.roles for member in self.members if member.account == account), ())

    def with_member(self, account: str, roles: Iterable[MemberRole]) -> Self:
        """Return the organisation with that member in exactly those roles."""
        member = Member(account, ordered(roles))
        others = tuple(other for other in self.members if other.account != account)
        self._keep_administrator(others, member)
        return replace(self, members=(*others, member))

    def without_member(self, account: str) -> Self:
        """Return the organisation without that member."""
        if not self.roles_of(account):
            raise NotAMemberError(account)
        others = tuple(member for member in self.members if member.account != account)
        self._keep_administrator(others, None)
        return replace(self, members=others)

    def _keep_administrator(self, others: tuple[Member, ...], changed: Member | None) -> None:
        before = any(MemberRole.ADMINISTRATOR in member.roles for member in self.members)
        after = (*others, changed) if changed else others
        if before and after and not any(MemberRole.ADMINISTRATOR in member.roles for member in after):
            raise LastAdministratorError(self.id)


def ordered(roles: Iterable[MemberRole]) -> tuple[MemberRole, ...]:
    """Return the roles once each, in the order of the enumeration."""
    given = set(roles)
    return tuple(role for role in MemberRole if role in given)


def acting_role(roles: Iterable[MemberRole], wanted: MemberRole | None) -> MemberRole | None:
    """Return the role that a member signs in with: the wanted one if they have it, else the first; None for a stranger."""
    available = ordered(roles)
    if wanted is not None:
        return wanted if wanted in available else None
    return available[0] if available else None
