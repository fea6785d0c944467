"""Events that decide whether a profile can be seen: consent, the account's state, and what became of the mails.

What depends on two streams is derived from both, in any order, so each handler notes its own part in the profile's document
(making an empty draft where there is none) and `Record.in_bank` draws the conclusion.
"""

from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.consent.decision import PORTAL, DecisionEvent
from contracts.identity.account import AccountEvent
from contracts.notifications.delivery import DeliveryEvent

from profiles import records
from profiles.lifecycle.service import Lifecycles
from profiles.records import BLOCKING, FIRST_LANGUAGE, Record, Records

BANK_CONSENT = "candidate-search"
_CONSENT, _ACCOUNT = "consent", "account"


def on_decision(kept: Records) -> Handler:
    """Return the handler of consent for the bank."""

    async def handle(incoming: Incoming[DecisionEvent], uow: UnitOfWork) -> None:
        subject = _bank_subject(incoming.key)
        if subject is None:
            return
        record = await kept.find_or_new(uow, subject)
        before = record.consent, record.held
        record.consent = incoming.event is not None and incoming.event.state == "consented"
        record.held -= {_CONSENT}
        if before != (record.consent, record.held):
            await kept.keep(uow, record)

    return handle


def on_account(kept: Records) -> Handler:
    """Return the handler of accounts: their state and language. A tombstone closes; the erasure itself has a way of its own.

    What blocks somebody is noted of everybody, also of whom nothing is known here: a closed account names no role any more, and
    the person's other events may follow. Otherwise only candidates get a draft.
    """

    async def handle(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
        account, record = incoming.event, await records.find(uow, incoming.key)
        if record is None:
            if account is not None and account.state not in BLOCKING and "candidate" not in account.roles:
                return
            record = await kept.find_or_new(uow, incoming.key)
        before = record.account, record.language, record.held
        record.account = account.state if account else "closed"
        record.language = account.language if account else FIRST_LANGUAGE
        record.held -= {_ACCOUNT}
        if not record.sequence or before != (record.account, record.language, record.held):
            await kept.keep(uow, record)

    return handle


def on_delivery(lifecycles: Lifecycles) -> Handler:
    """Return the handler of what became of our mails."""

    async def handle(incoming: Incoming[DeliveryEvent], uow: UnitOfWork) -> None:
        word = incoming.event
        if word is not None and word.asker == "profiles":
            await lifecycles.prove(uow, cause=word.cause, accepted=word.outcome == "accepted", on=word.on)

    return handle


def hold_decision(kept: Records) -> Handler:
    """Return what hides a person whose decision could not be applied, until an operator resolves it."""

    async def handle(incoming: Incoming[DecisionEvent], uow: UnitOfWork) -> None:
        subject = _bank_subject(incoming.key)
        if subject is not None:
            await _hold(kept, uow, await kept.find_or_new(uow, subject), _CONSENT)

    return handle


def hold_account(kept: Records) -> Handler:
    """Return what hides a person whose account's state could not be applied, until an operator resolves it."""

    async def handle(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
        await _hold(kept, uow, await kept.find_or_new(uow, incoming.key), _ACCOUNT)

    return handle


async def _hold(kept: Records, uow: UnitOfWork, record: Record, stream: str) -> None:
    if stream not in record.held:
        record.held |= {stream}
        await kept.keep(uow, record)


def _bank_subject(key: str) -> str | None:
    """Return whose consent for the bank a decision's key is about; None: it is about something else."""
    subject, _, rest = key.partition(":")
    return subject if rest == f"{BANK_CONSENT}:{PORTAL}" else None
