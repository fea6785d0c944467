"""The public keys to which others seal what only this service may read."""

from datetime import date

from pydantic import model_validator

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Id, Key


class SealingKeyEvent(Event):
    """A public sealing key with its days (domain time).

    Happens each week, when the service makes a new key pair. A sender seals to the newest key whose days of use contain today,
    and waits for one when there is none.
    """

    key_id: Id
    public_key: Key
    """X25519, 32 bytes in base64."""
    first_day: date
    """The first day on which senders seal to it."""
    used_until: date
    """The last day on which senders seal to it: six days after the first."""
    destroyed_on: date
    """The day on which its private half is destroyed, and all that was sealed to it goes dark: 14 days after the first."""

    @model_validator(mode="after")
    def _days_are_in_order(self) -> "SealingKeyEvent":
        if not self.first_day <= self.used_until < self.destroyed_on:
            raise ValueError("first_day, used_until and destroyed_on are in this order")
        return self

    @property
    def key(self) -> str:
        """The key's id."""
        return self.key_id


def topic(service: str, *, followed_by: tuple[str, ...]) -> Topic:
    """The topic on which this service announces its sealing keys."""
    return Topic(
        f"{service}.sealing-key.v1",
        kind=STREAM,
        key="key id",
        says="A public sealing key of this service, and the days on which it is used and destroyed.",
        tombstone="The private key is destroyed: forget the public one and never seal to it.",
        followed_by=followed_by,
    )


def sample() -> dict[str, object]:
    """Values of a key in its first week."""
    return {
        "key_id": "0198c0de-0000-7000-8000-00000000000a",
        "public_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
        "first_day": "2026-03-02",
        "used_until": "2026-03-08",
        "destroyed_on": "2026-03-16",
    }
