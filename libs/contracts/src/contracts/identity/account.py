"""Accounts: who may sign in, as far as others must know."""

from datetime import date
from typing import ClassVar, Literal

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Id, Language


class AccountEvent(Event):
    """The state of an account; its id is the person's subject id everywhere.

    Happens when the address is confirmed (there is no account before that) and at every change. A consumer may conclude that a
    `closed` account acts no more and gets no mail, and that a `locked` one may come back. Order across topics is not promised:
    a subject that is unknown here may exist.
    """

    topic: ClassVar[Topic] = Topic(
        "identity.account.v1",
        kind=STREAM,
        key="account",
        says="An account is confirmed, locked or closed; its language and its roles at the portal.",
        tombstone="The person is erased: forget everything about this account.",
        followed_by=("profiles", "consent", "notifications"),
    )

    account: Id
    state: Literal["confirmed", "locked", "closed"]
    language: Language
    roles: tuple[Literal["candidate", "privacy-officer", "operator"], ...]
    """Roles at the portal itself; those in an organisation stand in `identity.organisation.v1`."""
    confirmed_on: date
    erasure: Id | None = None
    """The request that its closing opened, when the person asked to be erased; consent asks every service."""

    @property
    def key(self) -> str:
        """The account."""
        return self.account


SAMPLES = (
    AccountEvent(
        account="0198c0de-0000-7000-8000-000000000001",
        state="confirmed",
        language="nl",
        roles=("candidate",),
        confirmed_on=date(2026, 3, 2),
    ),
    AccountEvent(
        account="0198c0de-0000-7000-8000-000000000002",
        state="closed",
        language="en",
        roles=(),
        confirmed_on=date(2025, 11, 30),
        erasure="0198c0de-0000-7000-8000-0000000000e1",
    ),
)
