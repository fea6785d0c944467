"""Closes an account in one transaction: its sessions end, it acts for nobody any more, and every service is asked to erase."""

from dataclasses import dataclass, replace

from chassis.ids import new_id
from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork

from identity.accounts import service as accounts
from identity.accounts.model import Account, AccountRole
from identity.organisations import service as organisations
from identity.passwords.service import Passwords
from identity.sessions import service as sessions
from identity.sessions.model import EndReason
from identity.throttling import service as throttling
from identity.throttling.service import Try

STAFF = {AccountRole.OPERATOR, AccountRole.PRIVACY_OFFICER}


class WrongPasswordError(Exception):
    """Whoever holds the token does not know the password."""


class StaffAccountError(Exception):
    """The account still has a role at the portal itself, which somebody else has to take over first."""


@dataclass(frozen=True)
class Closing:
    """The use case, with what it needs."""

    mongo: Mongo
    passwords: Passwords

    async def close(self, account_id: str, password: str, attempt: Try) -> str:
        """Close an account and return the id of the request to erase its person; again, it is the same one.

        Raises:
            ThrottledError: Too many tries; nothing was compared.
            WrongPasswordError: The password is another one.
            StaffAccountError: The account has a role at the portal.
            LastAdministratorError: An organisation would be left with members and nobody who may administer them.
        """
        now = self.mongo.clock.machine()
        await transact(self.mongo, lambda uow: throttling.begin(uow, attempt, now=now))
        account = await accounts.get(self.mongo, account_id)
        if not await self.passwords.verify(account.password if account else None, password):
            raise WrongPasswordError
        return await transact(self.mongo, lambda uow: self._close(uow, account_id, attempt))

    async def _close(self, uow: UnitOfWork, account_id: str, attempt: Try) -> str:
        now = self.mongo.clock.machine()
        await throttling.succeeded(uow, attempt, now=now)
        account = await accounts.get(uow, account_id)
        if account is None:
            raise WrongPasswordError
        if account.erasure is not None:
            return account.erasure
        if STAFF & set(account.roles):
            raise StaffAccountError
        for organisation in await organisations.memberships(uow, account_id):
            await organisations.remove_member(uow, organisation, account_id, now=now)
        await sessions.end_all(uow, {"account": account_id}, EndReason.ACCOUNT_CLOSED, now=now)
        return self._ask(uow, account)

    def _ask(self, uow: UnitOfWork, account: Account) -> str:
        request = new_id()
        accounts.close(uow, replace(account, erasure=request))
        return request
