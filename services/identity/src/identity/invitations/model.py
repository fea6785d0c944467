"""An invitation into an organisation: an offer that only the person who reads the mail can accept."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from identity.accounts.model import Language
from identity.organisations.model import MemberRole


class InvitationState(StrEnum):
    """Accepted by the invited person, or withdrawn because a newer one took its place."""

    OPEN = "open"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Invitation:
    """`account` is the id that the person gets if they have no account yet; their address lies under its data key."""

    id: str
    organisation: str
    account: str
    roles: tuple[MemberRole, ...]
    language: Language
    address_hash: str
    secret_hash: str
    invited_by: str
    valid_until: datetime
    erase_at: datetime
    state: InvitationState = InvitationState.OPEN
    address: bytes = b""

    def works(self, now: datetime) -> bool:
        """Tell whether its link may still be accepted."""
        return self.state is InvitationState.OPEN and now < self.valid_until

    def closed(self, state: InvitationState) -> Self:
        """Return what stays of it until it is erased: nothing about a person but the account's id."""
        return replace(self, state=state, address=b"", address_hash="")
