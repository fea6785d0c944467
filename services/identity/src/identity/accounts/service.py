"""Registers, confirms and changes accounts.

Everything that is slow or random (Argon2, keys, secrets) is made before the transaction, for known and unknown addresses
alike, so that the answer's time tells nothing.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chassis.clock import day_of
from chassis.ids import new_id, new_secret
from chassis.sealed_events import drop_waiting
from chassis.uow import Reads, UnitOfWork
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent

from identity.accounts import store
from identity.accounts.model import Account, AccountRole, AccountState, Language, Registration, RegistrationState, Terms
from identity.addresses.service import Addresses, forget_address
from identity.mails.service import Post


class AddressTakenError(Exception):
    """The address has an account."""


class Outcome(StrEnum):
    """What became of a link: used now, used before, or no link of ours (any more)."""

    DONE = "done"
    ALREADY = "already"
    INVALID = "invalid"


@dataclass(frozen=True)
class Draft:
    """A registration that is ready to be kept, with the two things that are in no database."""

    registration: Registration
    secret: str
    address: str


async def draft(
    *, addresses: Addresses, address: str, password_hash: str, language: Language, terms: Terms, now: datetime
) -> Draft:
    """Prepare a registration: ids, secret, encrypted address."""
    owner, secret = new_id(), new_secret()
    registration = Registration(
        id=new_id(),
        account=owner,
        language=language,
        address_hash=addresses.hash(address),
        secret_hash=addresses.secret_hash(secret),
        made_at=now,
        valid_until=now + terms.valid,
        erase_at=now + terms.kept,
        address=await addresses.seal(owner, address),
        password=password_hash,
    )
    return Draft(registration, secret, address)


async def register(uow: UnitOfWork, one: Draft, *, post: Post, terms: Terms, now: datetime) -> None:
    """Keep a registration and mail its link; of a known address, tell the owner instead (once a day) and keep nothing."""
    store.take_turn(uow, one.registration.address_hash)
    known = await store.account_at(uow, one.registration.address_hash)
    recent = await _mails_today(uow, one.registration.address_hash, now)
    if known is None and recent < terms.mails_per_day:
        store.put_registration(uow, one.registration)
        await post.confirm_address(uow, one.registration, secret=one.secret, address=one.address)
        return
    forget_address(uow, one.registration.account)
    if known is not None and known.usable:
        await post.address_known(uow, known, on=day_of(now))


async def _mails_today(uow: UnitOfWork, hashed: str, now: datetime) -> int:
    since = now - timedelta(hours=24)
    return sum(one.made_at > since for one in await store.registrations_at(uow, hashed))


async def status(reads: Reads, secret_hash: str, *, now: datetime) -> Outcome:
    """Say what a link would do, without doing it: `DONE` means that it would confirm."""
    found = await store.registration(reads, secret_hash)
    if found is None:
        return Outcome.INVALID
    if found.state is not RegistrationState.OPEN:
        return Outcome.ALREADY
    return Outcome.DONE if found.works(now) else Outcome.INVALID


async def confirm(uow: UnitOfWork, secret_hash: str, *, addresses: Addresses, post: Post, now: datetime, today: date) -> Outcome:
    """Make the account that a link confirms, once; all other registrations of the address are done with."""
    outcome = await status(uow, secret_hash, now=now)
    found = await store.registration(uow, secret_hash)
    if outcome is not Outcome.DONE or found is None:
        return outcome
    rivals = [one for one in await store.registrations_at(uow, found.address_hash) if one.id != found.id]
    taken = await store.account_at(uow, found.address_hash) is not None
    if taken:
        rivals.append(found)
    else:
        store.put_registration(uow, found.closed(RegistrationState.DONE))
        await open_account(uow, _confirmed(found, today), address=await addresses.open(found.account, found.address), post=post)
    for rival in rivals:
        _supersede(uow, rival)
    return Outcome.ALREADY if taken else Outcome.DONE


def _confirmed(found: Registration, today: date) -> Account:
    return Account(
        id=found.account,
        sequence=1,
        state=AccountState.CONFIRMED,
        language=found.language,
        roles=(AccountRole.CANDIDATE,),
        confirmed_on=today,
        address_hash=found.address_hash,
        address=found.address,
        password=found.password,
    )


def _supersede(uow: UnitOfWork, rival: Registration) -> None:
    if rival.state is RegistrationState.OPEN:
        store.put_registration(uow, rival.closed(RegistrationState.SUPERSEDED))
        forget_address(uow, rival.account)


async def open_account(uow: UnitOfWork, account: Account, *, address: str, post: Post) -> None:
    """Make an account whose address is proven, and tell everybody.

    Raises:
        AddressTakenError: Its address has an account already.
    """
    if await store.account_at(uow, account.address_hash) is not None:
        raise AddressTakenError
    store.add_account(uow, account)
    uow.emit(_event(account), sequence=account.sequence)
    await post.contact(uow, account, address=address)


async def get(reads: Reads, account_id: str) -> Account | None:
    """Return an account."""
    return await store.account(reads, account_id)


async def find(reads: Reads, hashed: str) -> Account | None:
    """Return the account of an address."""
    return await store.account_at(reads, hashed)


async def change_language(uow: UnitOfWork, current: Account, language: Language, *, addresses: Addresses, post: Post) -> Account:
    """Write to somebody in another language from now on."""
    if current.language is language:
        return current
    changed = replace(current, language=language)
    changed = replace(changed, sequence=store.save_account(uow, changed))
    uow.emit(_event(changed), sequence=changed.sequence)
    await post.contact(uow, changed, address=await addresses.open(changed.id, changed.address))
    return changed


def change_password(uow: UnitOfWork, current: Account, password_hash: str) -> None:
    """Keep the password under other parameters; nobody else needs to know."""
    store.save_account(uow, replace(current, password=password_hash))


def close(uow: UnitOfWork, account: Account) -> None:
    """Close an account for good; `erasure` names the request with which its person is erased everywhere."""
    closed = replace(account, state=AccountState.CLOSED)
    uow.emit(_event(closed), sequence=store.save_account(uow, closed))


async def forget(uow: UnitOfWork, account_id: str) -> int:
    """Remove an account and let every service forget it and its address; return how many there were."""
    current = await store.account(uow, account_id)
    if current is None:
        return 0
    store.remove_account(uow, account_id)
    drop_waiting(uow, ContactEvent.topic, account_id)
    for event in (AccountEvent, ContactEvent):
        uow.emit_tombstone(event.topic, key=account_id, sequence=current.sequence + 1)
    return 1


async def forget_registrations(uow: UnitOfWork, account_id: str, *, address_hash: str | None) -> int:
    """Remove the registrations of an account and of its address, and return how many there were."""
    found = [*await store.registrations_of(uow, account_id)]
    if address_hash is not None:
        found += [one for one in await store.registrations_at(uow, address_hash) if one.account != account_id]
    for one in found:
        store.remove_registration(uow, one)
        if one.state is RegistrationState.OPEN:
            forget_address(uow, one.account)
    return len(found)


async def reseal(uow: UnitOfWork, account_id: str, *, addresses: Addresses, post: Post) -> None:
    """Seal an address again for notifications, under a new sequence; about strangers nothing is said."""
    current = await store.account(uow, account_id)
    if current is None or current.state is AccountState.CLOSED:
        return
    changed = replace(current, sequence=store.save_account(uow, current))
    await post.contact(uow, changed, address=await addresses.open(changed.id, changed.address))


async def erase_due(uow: UnitOfWork, *, now: datetime, limit: int) -> int:
    """Erase registrations whose term is over; an unconfirmed registration takes its data key with it."""
    due = await store.registrations_to_erase(uow, now, limit)
    for one in due:
        store.remove_registration(uow, one)
        if one.state is RegistrationState.OPEN:
            forget_address(uow, one.account)
    return len(due)


def _event(account: Account) -> AccountEvent:
    return AccountEvent(
        account=account.id,
        state=account.state.value,
        language=account.language.value,
        roles=tuple(role.value for role in account.roles),
        confirmed_on=account.confirmed_on,
        erasure=account.erasure,
    )
