"""Where an account's holder is mailed, for notifications only."""

from typing import ClassVar

from contracts.envelope import STREAM, Body, Event, Topic
from contracts.kinds import Id, Language, Sealed


class ContactDetails(Body):
    """What lies inside a contact's sealed box, as JSON. It is no event and stands readable in no log."""

    address: str


class ContactEvent(Event):
    """An account's confirmed e-mail address, sealed to notifications, and the language to write in.

    Happens when the address is confirmed or changed, when the language changes, and again when notifications asks by
    `notifications.reseal.v1`. A consumer that finds the box dark asks again.
    """

    topic: ClassVar[Topic] = Topic(
        "identity.contact.v1",
        kind=STREAM,
        key="account",
        says="An account's e-mail address, sealed to notifications, and its language.",
        tombstone="The person is erased: destroy the address and mail them no more.",
        followed_by=("notifications",),
    )

    account: Id
    sealed: Sealed
    """`ContactDetails`, sealed to notifications."""
    language: Language

    @property
    def key(self) -> str:
        """The account."""
        return self.account


SAMPLES = (
    ContactEvent(
        account="0198c0de-0000-7000-8000-000000000001",
        sealed=Sealed(key_id="0198c0de-0000-7000-8000-00000000000a", box="c2VhbGVkIGJveA=="),
        language="nl",
    ),
)
