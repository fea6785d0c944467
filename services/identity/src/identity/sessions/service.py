"""Starts, lists and ends sessions. Whatever ends one early tells every service in the same transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.ids import new_id, new_secret
from chassis.known import store_ended_session
from chassis.uow import Reads, UnitOfWork
from contracts.identity.session import SessionEvent

from identity.sessions import store
from identity.sessions.model import Acting, EndReason, RefreshTokens, Session, Terms


@dataclass(frozen=True)
class Started:
    """A new session with the refresh token that only its owner gets to see."""

    session: Session
    refresh_token: str


def start(
    uow: UnitOfWork, *, account: str, acting: Acting, amr: tuple[str, ...], tokens: RefreshTokens, terms: Terms, now: datetime
) -> Started:
    """Start a person's session."""
    session_id = new_id()
    token = tokens.first(session_id, new_secret())
    session = Session(
        id=session_id,
        sequence=1,
        account=account,
        role=acting.role,
        organisation=acting.organisation,
        amr=amr,
        started_at=now,
        used_at=now,
        over_at=now + terms.absolute,
        token_hash=tokens.hash(token),
    )
    store.add(uow, session)
    return Started(session, token)


def start_for_client(uow: UnitOfWork, *, client: str, organisation: str, over_at: datetime, now: datetime) -> Session:
    """Start what a machine client's access token belongs to: it lives as long as the token and can be ended like any other."""
    session = Session(
        id=new_id(),
        sequence=1,
        account=client,
        role="system",
        organisation=organisation,
        amr=("secret",),
        started_at=now,
        used_at=now,
        over_at=over_at,
    )
    store.add(uow, session)
    return session


async def get(reads: Reads, session_id: str) -> Session | None:
    """Return a session, ended or not."""
    return await store.session(reads, session_id)


def rotate(uow: UnitOfWork, session: Session, *, successor_hash: str, nonce: str, now: datetime) -> None:
    """Put the next refresh token in force. Of two at once one is kept; the other is run again and sees it."""
    store.save(uow, session.rotated(successor_hash, nonce, now))


def end(uow: UnitOfWork, session: Session, reason: EndReason, *, now: datetime) -> None:
    """End a session before its time, unless it has ended already."""
    if session.ended_at is not None:
        return
    sequence = store.save(uow, session.ended(reason, now))
    store_ended_session(uow, session=session.id, at=now)
    uow.emit(SessionEvent(session=session.id, account=session.account, ended_at=now, reason=reason.value), sequence=sequence)


async def end_of_account(uow: UnitOfWork, session_id: str, account: str, reason: EndReason, *, now: datetime) -> bool:
    """End one session if it is this account's, and tell whether it was."""
    session = await store.session(uow, session_id)
    if session is None or session.account != account:
        return False
    end(uow, session, reason, now=now)
    return True


async def end_all(uow: UnitOfWork, where: dict[str, Any], reason: EndReason, *, now: datetime) -> int:
    """End all open sessions of an account, an organisation, or an account in an organisation."""
    found = await store.open_sessions(uow, where, now)
    for session in found:
        end(uow, session, reason, now=now)
    return len(found)


async def open_sessions(reads: Reads, account: str, *, now: datetime, terms: Terms) -> list[Session]:
    """Return an account's living sessions, the youngest first."""
    return [one for one in await store.open_sessions(reads, {"account": account}, now) if one.alive(now, terms)]


async def forget(uow: UnitOfWork, account: str) -> int:
    """Drop all sessions of an account, ended or not, and return how many; it is closed, so that none is left to be used."""
    found = await store.of_account(uow, account)
    for session in found:
        store.remove(uow, session)
    return len(found)


async def remove_over(uow: UnitOfWork, *, before: datetime, limit: int) -> int:
    """Drop sessions that were over before that moment: no token of theirs lives any more."""
    gone = await store.over(uow, before, limit)
    for session in gone:
        store.remove(uow, session)
    return len(gone)
