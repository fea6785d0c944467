"""Makes operators from the command line: the first one, before anybody can sign in. It works on the database directly."""

from datetime import timedelta

from chassis import outbox
from chassis.hashing import NotAnAddressError
from chassis.ids import new_id
from chassis.mongo import transact
from chassis.uow import UnitOfWork
from pydantic import TypeAdapter, ValidationError

from identity.accounts.model import Account, AccountRole, AccountState, Language
from identity.accounts.service import AddressTakenError, open_account
from identity.addresses.model import Address
from identity.app import INDEXES, Parts, parts
from identity.passwords.model import fault
from identity.settings import IdentitySettings


class OperatorError(Exception):
    """The operator was not made; the message says why, for the person at the terminal."""


async def create_operator(settings: IdentitySettings, *, email: str, password: str, language: str = "nl") -> str:
    """Make an operator's account and return its id. Whoever can do this owns the machine, so the address is taken as proven.

    Raises:
        OperatorError: The address or password is refused, or the address has an account, which stays as it is.
    """
    made = parts(settings, patience=timedelta(seconds=20))
    try:
        await made.mongo.ensure_indexes(outbox.INDEXES, *INDEXES)
        account = await _account(made, email, password, Language(language))

        async def work(uow: UnitOfWork) -> None:
            await open_account(uow, account, address=email, post=made.post)

        await transact(made.mongo, work)
    except AddressTakenError:
        raise OperatorError("this address has an account already; nothing was changed") from None
    finally:
        await made.close()
    return account.id


async def _account(made: Parts, email: str, password: str, language: Language) -> Account:
    try:
        hashed = made.addresses.hash(TypeAdapter(Address).validate_python(email))
    except (NotAnAddressError, ValidationError):
        raise OperatorError("this is no e-mail address that can be mailed") from None
    broken = fault(password, address=email)
    if broken:
        raise OperatorError(f"the password on standard input is refused: {broken}")
    account_id = new_id()
    return Account(
        id=account_id,
        sequence=1,
        state=AccountState.CONFIRMED,
        language=language,
        roles=(AccountRole.OPERATOR,),
        confirmed_on=made.clock.today(),
        address_hash=hashed,
        address=await made.addresses.seal(account_id, email),
        password=await made.passwords.hash(password),
    )
