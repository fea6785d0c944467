"""In which role an account acts when it signs in, and whether a running session may keep it."""

from collections.abc import Sequence
from dataclasses import dataclass

from identity.accounts.model import AccountRole
from identity.organisations.model import MemberRole, Organisation, acting_role
from identity.sessions.model import Acting

PRECEDENCE = (AccountRole.OPERATOR, AccountRole.PRIVACY_OFFICER, AccountRole.CANDIDATE)


class ActingError(Exception):
    """The account may not act so. Codes: `not-a-member`, `role-not-held`, `organisation-required`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Wanted:
    """What somebody asks to act as; empty means: whatever they are."""

    organisation: str | None = None
    role: str | None = None


def acting(account: str, own_roles: Sequence[AccountRole], memberships: Sequence[Organisation], wanted: Wanted) -> Acting:
    """Return the role of a new session.

    Raises:
        ActingError: Not a member, not that role, or an account that is nothing but a member of several.
    """
    if wanted.organisation is not None:
        return _as_member(account, memberships, wanted.organisation, wanted.role)
    for role in PRECEDENCE:
        if role in own_roles and wanted.role in (None, role.value):
            return Acting(role.value)
    active = [organisation for organisation in memberships if organisation.active]
    if len(active) == 1:
        return _as_member(account, active, active[0].id, wanted.role)
    raise ActingError("organisation-required" if active else "role-not-held")


def _as_member(account: str, memberships: Sequence[Organisation], wanted: str, wanted_role: str | None) -> Acting:
    organisation = next((one for one in memberships if one.id == wanted and one.active), None)
    if organisation is None:
        raise ActingError("not-a-member")
    if wanted_role is not None and wanted_role not in set(MemberRole):
        raise ActingError("role-not-held")
    role = acting_role(organisation.roles_of(account), MemberRole(wanted_role) if wanted_role else None)
    if role is None:
        raise ActingError("role-not-held")
    return Acting(role.value, organisation.id, organisation.bank_access)
