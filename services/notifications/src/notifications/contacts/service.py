"""Keeping where a person can be mailed: their sealed address opened, and kept encrypted under their own key."""

from dataclasses import dataclass
from enum import Enum

import structlog
from chassis.clock import Clock
from chassis.crypto import decrypt, encrypt
from chassis.destruction import schedule_destruction
from chassis.keyring import Keyring, NoKeyError
from chassis.sealing import SealedInbox
from chassis.uow import Reads, UnitOfWork
from contracts.identity.contact import ContactDetails, ContactEvent
from contracts.notifications.reseal import NotificationsResealEvent

from notifications.contacts import store
from notifications.mail import service as mail

log = structlog.get_logger()
KEY_CLASS = "contact"
PATH = "address"
CLOSED = "closed"
LEAVING = "leaving"
"""Closed, and the person is being erased: mails about that still go, and nothing else."""
ERASED = "erased"
UNCLEAR = "unclear"


class Standing(Enum):
    """Whether a person can be mailed, as far as their account goes."""

    OPEN = "open"
    ENDED = "ended"
    """Closed or erased: no mail any more."""

    LEAVING = "leaving"
    """Closed in order to be erased: only mails about that."""

    UNCLEAR = "unclear"
    """The account's latest news could not be handled: it may be that it was closed, so its mails wait."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Where to mail a person, and in which language."""

    address: str
    language: str


@dataclass(frozen=True)
class Contacts:
    """Takes contacts and accounts from identity, and answers with the address when a mail is about to be sent."""

    keyring: Keyring
    inbox: SealedInbox
    clock: Clock

    async def take(self, uow: UnitOfWork, event: ContactEvent, *, sequence: int) -> None:
        """Keep a contact and let the mails that waited for it go; one that is dark is asked for again.

        Whose account was closed is not mailed any more, so their address is not kept, whichever event comes first.
        """
        if await standing(uow, event.account) is Standing.ENDED:
            return None
        opened = await mail.open_box(self.inbox, event.sealed)
        if opened is None:
            return self._ask_again(uow, event, sequence)
        try:
            key = await self.keyring.key(event.account, KEY_CLASS)
        except NoKeyError:
            log.info("contact_of_forgotten_person", subject=event.account)
            return None
        address = ContactDetails.model_validate_json(opened).address
        box = encrypt(key, address.encode(), subject=event.account, path=PATH)
        store.put_contact(uow, event.account, {"address": box, "language": event.language})
        mail.hurry(uow, event.account, waits_for=mail.CONTACT, now=self.clock.machine())
        return None

    def _ask_again(self, uow: UnitOfWork, event: ContactEvent, sequence: int) -> None:
        """Ask under the contact's own sequence: the answer has a higher one, so each dark contact is asked for once."""
        log.error("contact_dark", subject=event.account)
        store.put_contact(uow, event.account, {"address": None, "language": event.language})
        asked = NotificationsResealEvent(subject=event.account, reason="dark", asked_on=self.clock.today())
        uow.emit(asked, sequence=sequence)

    async def of(self, reads: Reads, subject: str) -> Contact | None:
        """Return where to mail a person, or None while that is not known.

        Raises:
            NoKeyError: The person's key is gone.
        """
        row = await store.contact(reads, subject)
        if row is None or row["address"] is None:
            return None
        key = await self.keyring.existing(subject, KEY_CLASS)
        address = decrypt(key, row["address"], subject=subject, path=PATH).decode()
        return Contact(address, row["language"])


async def standing(reads: Reads, subject: str) -> Standing:
    """Return what an account's state means for its person's mail."""
    state = await store.account_state(reads, subject)
    if state in {CLOSED, ERASED}:
        return Standing.ENDED
    if state == LEAVING:
        return Standing.LEAVING
    return Standing.UNCLEAR if state == UNCLEAR else Standing.OPEN


def note_account(uow: UnitOfWork, subject: str, *, state: str) -> None:
    """Keep an account's state; with `closed` or `erased` the address is destroyed."""
    store.put_account(uow, subject, state=state)
    if state in {CLOSED, ERASED}:
        forget(uow, subject)


async def forget_account(uow: UnitOfWork, subject: str) -> int:
    """Remove a person's address and what is known of their account, and return how many addresses there were."""
    known = await store.contact(uow, subject)
    forget(uow, subject)
    store.remove_account(uow, subject)
    return int(known is not None)


def forget(uow: UnitOfWork, subject: str) -> None:
    """Remove a person's address and let its key be destroyed."""
    store.remove_contact(uow, subject)
    schedule_destruction(uow, subject, KEY_CLASS)
