"""Signs people in and keeps them signed in.

A sign-in answers the same, after the same work, whether the address is unknown, the password wrong or the account locked. It
runs in three steps, because Argon2 must not run inside a transaction: count the try, compare, start the session.
"""

from dataclasses import dataclass
from datetime import datetime

from chassis.clock import day_of
from chassis.ids import new_secret
from chassis.mongo import Mongo, transact
from chassis.tokens import Caller
from chassis.uow import UnitOfWork

from identity.accounts import service as accounts
from identity.accounts.model import Account
from identity.keys.service import AccessToken, Signer
from identity.mails.service import Post
from identity.organisations import service as organisations
from identity.passwords.service import Passwords
from identity.sessions import service as sessions
from identity.sessions.model import Acting, EndReason, RefreshTokens, Session, Terms, Verdict, judge
from identity.sessions.service import Started
from identity.signin.model import ActingError, Wanted, acting
from identity.throttling import service as throttling
from identity.throttling.service import Try

AMR = ("pwd",)


class CredentialsError(Exception):
    """Address and password do not open an account; why is nobody's business."""


@dataclass(frozen=True)
class SignedIn:
    """What a person's client gets: an access token, and what renews it."""

    access: AccessToken
    refresh_token: str
    session: str
    acting: Acting


class SignIn:
    """The use cases of this slice, with what they need."""

    def __init__(
        self, *, mongo: Mongo, passwords: Passwords, signer: Signer, tokens: RefreshTokens, terms: Terms, post: Post
    ) -> None:
        self._mongo, self._passwords, self._signer = mongo, passwords, signer
        self._tokens, self._terms, self._post = tokens, terms, post

    async def sign_in(self, *, address_hash: str, password: str, wanted: Wanted, attempt: Try) -> SignedIn:
        """Start a session.

        Raises:
            ThrottledError: Too many tries; nothing was compared.
            CredentialsError: No such account, another password, or an account that may not sign in.
            ActingError: The person is who they say, but not what they ask to act as.
        """
        now = self._mongo.clock.machine()
        await transact(self._mongo, lambda uow: throttling.begin(uow, attempt, now=now))
        account = await accounts.find(self._mongo, address_hash)
        fits = await self._passwords.verify(account.password if account else None, password)
        if account is None or not fits or not account.usable:
            raise CredentialsError
        newer = await self._passwords.hash(password) if self._passwords.outdated(account.password) else None

        async def work(uow: UnitOfWork) -> tuple[Started, Acting] | ActingError:
            return await self._start(uow, account.id, wanted, attempt, newer)

        outcome = await transact(self._mongo, work)
        if isinstance(outcome, ActingError):
            raise outcome
        started, as_what = outcome
        return await self._signed_in(started.session, started.refresh_token, as_what)

    async def _start(
        self, uow: UnitOfWork, account_id: str, wanted: Wanted, attempt: Try, newer_hash: str | None
    ) -> tuple[Started, Acting] | ActingError:
        now = self._mongo.clock.machine()
        await throttling.succeeded(uow, attempt, now=now)
        account = await accounts.get(uow, account_id)
        if account is None or not account.usable:
            raise CredentialsError
        if newer_hash is not None:
            accounts.change_password(uow, account, newer_hash)
        try:
            as_what = acting(account.id, account.roles, await organisations.memberships(uow, account.id), wanted)
        except ActingError as error:
            return error  # returned and not raised: the try was no failure, and that has to be kept
        started = sessions.start(
            uow, account=account.id, acting=as_what, amr=AMR, tokens=self._tokens, terms=self._terms, now=now
        )
        return started, as_what

    async def refresh(self, token: str) -> SignedIn | None:
        """Replace a refresh token; None when it opens nothing (any more), which may just have ended a stolen session."""
        session_id = self._tokens.session_of(token)
        if session_id is None:
            return None
        nonce = new_secret()
        renewed = await transact(self._mongo, lambda uow: self._refresh(uow, session_id, token, nonce))
        return await self._signed_in(*renewed) if renewed else None

    async def _refresh(self, uow: UnitOfWork, session_id: str, token: str, nonce: str) -> tuple[Session, str, Acting] | None:
        now = self._mongo.clock.machine()
        session = await sessions.get(uow, session_id)
        if session is None:
            return None
        verdict = judge(session, self._tokens.hash(token), now=now, terms=self._terms)
        if verdict is Verdict.OVER:
            return None
        account = await accounts.get(uow, session.account)
        if verdict is Verdict.STOLEN:
            await self._stolen(uow, session, account, now)
            return None
        as_what = await self._still(uow, session, account)
        if as_what is None:
            sessions.end(uow, session, EndReason.ROLE_LOST, now=now)
            return None
        if verdict is Verdict.REPEAT:
            return session, self._tokens.successor(token, session.nonce), as_what
        successor = self._tokens.successor(token, nonce)
        sessions.rotate(uow, session, successor_hash=self._tokens.hash(successor), nonce=nonce, now=now)
        return session, successor, as_what

    async def _stolen(self, uow: UnitOfWork, session: Session, account: Account | None, now: datetime) -> None:
        sessions.end(uow, session, EndReason.THEFT, now=now)
        if account is not None:
            await self._post.session_stolen(uow, account, session=session.id, on=day_of(self._mongo.clock.now()))

    async def _still(self, uow: UnitOfWork, session: Session, account: Account | None) -> Acting | None:
        """Return in which role the session goes on, as things are now; None when it may not."""
        if account is None or not account.usable:
            return None
        wanted = Wanted(session.organisation, session.role)
        try:
            return acting(account.id, account.roles, await organisations.memberships(uow, account.id), wanted)
        except ActingError:
            return None

    async def _signed_in(self, session: Session, refresh_token: str, as_what: Acting) -> SignedIn:
        caller = Caller(
            subject=session.account,
            role=as_what.role,
            org=as_what.organisation,
            bank=as_what.bank,
            session=session.id,
            amr=session.amr,
        )
        return SignedIn(await self._signer.access_token(caller), refresh_token, session.id, as_what)
