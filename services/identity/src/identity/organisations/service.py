"""Makes and changes organisations and their members. Who loses a role is signed out in the same transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

from chassis.ids import new_id
from chassis.uow import Reads, UnitOfWork
from contracts.identity.organisation import Member as MemberFacts
from contracts.identity.organisation import OrganisationEvent

from identity.organisations import store
from identity.organisations.model import MemberRole, Organisation, PublicFacts, State
from identity.sessions.model import EndReason
from identity.sessions.service import end_all


class UnknownOrganisationError(Exception):
    """There is no such organisation, or the caller may not know that there is."""


@dataclass(frozen=True)
class Change:
    """What changes of an organisation; None leaves it."""

    facts: PublicFacts | None = None
    bank_access: bool | None = None
    state: State | None = None


async def get(reads: Reads, organisation_id: str) -> Organisation:
    """Return an organisation or raise UnknownOrganisationError."""
    found = await store.organisation(reads, organisation_id)
    if found is None:
        raise UnknownOrganisationError(organisation_id)
    return found


async def memberships(reads: Reads, account: str) -> list[Organisation]:
    """Return the organisations that an account acts for, suspended ones included."""
    return await store.of_member(reads, account)


async def page(reads: Reads, *, after: str, limit: int, suspended_too: bool) -> list[Organisation]:
    """Return organisations after an id, the oldest first."""
    return await store.page(reads, after=after, limit=limit, suspended_too=suspended_too)


def create(uow: UnitOfWork, *, facts: PublicFacts, bank_access: bool) -> Organisation:
    """Make an organisation without members."""
    made = Organisation(id=new_id(), sequence=1, facts=facts, bank_access=bank_access)
    store.add(uow, made)
    uow.emit(_event(made), sequence=1)
    return made


async def change(uow: UnitOfWork, current: Organisation, wanted: Change, *, now: datetime) -> Organisation:
    """Change facts, access or state.

    Tokens say what an organisation may, so when it loses something its people and systems are signed out.
    """
    changed = replace(
        current,
        facts=wanted.facts or current.facts,
        bank_access=current.bank_access if wanted.bank_access is None else wanted.bank_access,
        state=wanted.state or current.state,
    )
    if changed == current:
        return current
    if (current.bank_access and not changed.bank_access) or (current.active and not changed.active):
        await end_all(uow, {"organisation": current.id}, EndReason.ROLE_LOST, now=now)
    return _keep(uow, changed)


async def set_member(
    uow: UnitOfWork, current: Organisation, account: str, roles: tuple[MemberRole, ...], *, now: datetime
) -> Organisation:
    """Give an account exactly these roles; sessions in a role that it loses end."""
    lost = set(current.roles_of(account)) - set(roles)
    await _sign_out(uow, current, account, lost, now)
    return _keep(uow, current.with_member(account, roles))


async def add_roles(uow: UnitOfWork, organisation_id: str, account: str, roles: tuple[MemberRole, ...]) -> Organisation:
    """Give an account these roles beside the ones it has."""
    current = await get(uow, organisation_id)
    return _keep(uow, current.with_member(account, (*current.roles_of(account), *roles)))


async def remove_member(uow: UnitOfWork, current: Organisation, account: str, *, now: datetime) -> Organisation:
    """Take an account out; its sessions for the organisation end."""
    changed = current.without_member(account)
    await _sign_out(uow, current, account, set(current.roles_of(account)), now)
    return _keep(uow, changed)


async def _sign_out(uow: UnitOfWork, current: Organisation, account: str, lost: set[MemberRole], now: datetime) -> None:
    where = {"organisation": current.id, "account": account, "role": {"$in": sorted(role.value for role in lost)}}
    if lost:
        await end_all(uow, where, EndReason.ROLE_LOST, now=now)


def _keep(uow: UnitOfWork, changed: Organisation) -> Organisation:
    kept = replace(changed, sequence=store.save(uow, changed))
    uow.emit(_event(kept), sequence=kept.sequence)
    return kept


def _event(one: Organisation) -> OrganisationEvent:
    members = tuple(MemberFacts(account=member.account, roles=tuple(r.value for r in member.roles)) for member in one.members)
    return OrganisationEvent(
        organisation=one.id, name=one.facts.name, state=one.state.value, bank_access=one.bank_access, members=members
    )
