"""Invites people into an organisation and takes their acceptance.

Who invites does not learn whether the address has an account. Who has one accepts with a button; who has none chooses a
password on the same page, and gets an account without being a candidate.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chassis.ids import new_id, new_secret
from chassis.uow import Reads, UnitOfWork

from identity.accounts import service as accounts
from identity.accounts.model import Account, AccountState, Language, Terms
from identity.addresses.service import Addresses, forget_address
from identity.invitations import store
from identity.invitations.model import Invitation, InvitationState
from identity.mails.service import Post
from identity.organisations import service as organisations
from identity.organisations.model import MemberRole, Organisation, ordered


class Standing(StrEnum):
    """What an invitation's link needs now."""

    PASSWORD = "password"  # noqa: S105 - the name of a state, not a password
    ACCEPT = "accept"
    ALREADY = "already"
    INVALID = "invalid"


@dataclass(frozen=True)
class Offer:
    """An invitation's standing, with the organisation that it is about and the address that it went to."""

    standing: Standing
    organisation: Organisation | None = None
    invitation: Invitation | None = None


@dataclass(frozen=True)
class Draft:
    """An invitation that is ready to be kept, with the two things that are in no database."""

    invitation: Invitation
    secret: str
    address: str


@dataclass(frozen=True)
class Invited:
    """Whom an organisation invites, and as what."""

    address: str
    roles: tuple[MemberRole, ...]
    language: Language


async def draft(
    *, addresses: Addresses, organisation: str, invited: Invited, invited_by: str, terms: Terms, now: datetime
) -> Draft:
    """Prepare an invitation: ids, secret, encrypted address."""
    owner, secret = new_id(), new_secret()
    invitation = Invitation(
        id=new_id(),
        organisation=organisation,
        account=owner,
        roles=ordered(invited.roles),
        language=invited.language,
        address_hash=addresses.hash(invited.address),
        secret_hash=addresses.secret_hash(secret),
        invited_by=invited_by,
        valid_until=now + terms.valid,
        erase_at=now + terms.kept,
        address=await addresses.seal(owner, invited.address),
    )
    return Draft(invitation, secret, invited.address)


async def invite(uow: UnitOfWork, one: Draft, *, organisation: Organisation, post: Post) -> None:
    """Keep an invitation and mail its link; an earlier one of the same address for the same organisation is withdrawn."""
    for earlier in await store.open_for(uow, one.invitation.organisation, one.invitation.address_hash):
        store.put(uow, earlier.closed(InvitationState.WITHDRAWN))
        forget_address(uow, earlier.account)
    store.put(uow, one.invitation)
    await post.invitation(uow, one.invitation, organisation=organisation.facts.name, secret=one.secret, address=one.address)


async def offer(reads: Reads, secret_hash: str, *, now: datetime) -> Offer:
    """Say what a link would do, without doing it."""
    found = await store.invitation(reads, secret_hash)
    if found is None:
        return Offer(Standing.INVALID)
    organisation = await organisations.get(reads, found.organisation)
    if found.state is InvitationState.ACCEPTED:
        return Offer(Standing.ALREADY, organisation)
    if not found.works(now) or not organisation.active:
        return Offer(Standing.INVALID)
    known = await accounts.find(reads, found.address_hash)
    if known is not None and not known.usable:
        return Offer(Standing.INVALID)
    return Offer(Standing.PASSWORD if known is None else Standing.ACCEPT, organisation, found)


async def accept(
    uow: UnitOfWork, secret_hash: str, *, password_hash: str | None, addresses: Addresses, post: Post, now: datetime, today: date
) -> Offer:
    """Make the invited person a member, once; `PASSWORD` comes back while a password is missing, and nothing has changed."""
    found = await offer(uow, secret_hash, now=now)
    invitation = found.invitation
    if invitation is None or (found.standing is Standing.PASSWORD and password_hash is None):
        return found
    account = await accounts.find(uow, invitation.address_hash)
    if account is None:
        account = _account(invitation, str(password_hash), today)
        await accounts.open_account(uow, account, address=await addresses.open(invitation.account, invitation.address), post=post)
    else:
        forget_address(uow, invitation.account)
    store.put(uow, invitation.closed(InvitationState.ACCEPTED))
    await organisations.add_roles(uow, invitation.organisation, account.id, invitation.roles)
    return Offer(Standing.ACCEPT, found.organisation)


def _account(invitation: Invitation, password_hash: str, today: date) -> Account:
    return Account(
        id=invitation.account,
        sequence=1,
        state=AccountState.CONFIRMED,
        language=invitation.language,
        roles=(),
        confirmed_on=today,
        address_hash=invitation.address_hash,
        address=invitation.address,
        password=password_hash,
    )


async def forget(uow: UnitOfWork, account: str, *, address_hash: str | None) -> int:
    """Remove the invitations of an account and of its address, and return how many there were."""
    found = [*await store.of_account(uow, account)]
    if address_hash is not None:
        found += [one for one in await store.at_address(uow, address_hash) if one.account != account]
    for one in found:
        store.remove(uow, one)
        if one.state is InvitationState.OPEN:
            forget_address(uow, one.account)
    return len(found)


async def erase_due(uow: UnitOfWork, *, now: datetime, limit: int) -> int:
    """Erase invitations whose term is over; one that nobody accepted takes its data key with it."""
    due = await store.to_erase(uow, now, limit)
    for one in due:
        store.remove(uow, one)
        if one.state is InvitationState.OPEN:
            forget_address(uow, one.account)
    return len(due)
