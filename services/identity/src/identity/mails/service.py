"""What identity tells notifications: where an account's holder is mailed, and which mails are due. What is personal is sealed.

Causes are `identity:<what>:<id>…`: the same cause is mailed once, however often it is asked.
"""

from collections.abc import Mapping
from datetime import date

from chassis.clock import day_of
from chassis.sealed_events import Sealer
from chassis.uow import UnitOfWork
from contracts.identity.contact import ContactDetails, ContactEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.shapes.mail_request import MailDetails

from identity.accounts.model import Account, Language, Registration
from identity.invitations.model import Invitation


class Post:
    """The outgoing side, sealed to notifications."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def contact(self, uow: UnitOfWork, account: Account, *, address: str) -> None:
        """Say where an account's holder is mailed; its sequence is the account's."""
        await self._sealer.emit(
            uow,
            ContactEvent,
            {"account": account.id, "language": account.language.value},
            details=ContactDetails(address=address),
            subject=account.id,
            sequence=account.sequence,
        )

    async def confirm_address(self, uow: UnitOfWork, one: Registration, *, secret: str, address: str) -> None:
        """Mail the link that confirms a registration."""
        facts = {"valid-until": day_of(one.valid_until).isoformat()}
        details = MailDetails(address=address, secret=secret)
        await self._ask(uow, "confirm-address", one.id, subject=one.account, language=one.language, facts=facts, details=details)

    async def address_known(self, uow: UnitOfWork, account: Account, *, on: date) -> None:
        """Tell an account's holder that somebody registered their address: once a day, however often it happens."""
        once = f"{account.id}:{on.isoformat()}"
        await self._ask(uow, "address-known", once, subject=account.id, language=account.language)

    async def invitation(self, uow: UnitOfWork, one: Invitation, *, organisation: str, secret: str, address: str) -> None:
        """Mail the link that accepts an invitation."""
        facts = {"organisation": organisation, "valid-until": day_of(one.valid_until).isoformat()}
        details = MailDetails(address=address, secret=secret)
        await self._ask(uow, "invitation", one.id, subject=one.account, language=one.language, facts=facts, details=details)

    async def session_stolen(self, uow: UnitOfWork, account: Account, *, session: str, on: date) -> None:
        """Tell an account's holder that a refresh token was used twice and the session has been ended."""
        facts = {"ended-on": on.isoformat()}
        await self._ask(uow, "session-stolen", session, subject=account.id, language=account.language, facts=facts)

    async def _ask(
        self,
        uow: UnitOfWork,
        template: str,
        once: str,
        *,
        subject: str,
        language: Language,
        facts: Mapping[str, str] | None = None,
        details: MailDetails | None = None,
    ) -> None:
        """Ask for a mail, one for each `once`: to the address in its details, or to the account's."""
        await self._sealer.request_mail(
            uow,
            IdentityMailRequestEvent,
            cause=f"identity:{template}:{once}",
            subject=subject,
            template=template,
            language=language.value,
            facts=facts,
            address="sealed" if details else "account",
            details=details,
        )
