"""What became of a mail that somebody asked for."""

from datetime import date, timedelta
from typing import ClassVar, Literal

from contracts.envelope import HAPPENING, Event, Topic
from contracts.kinds import Code, Id


class DeliveryEvent(Event):
    """The mail of one cause was taken by the mail server, refused for good, or given up.

    Happens once the outcome is certain, in the transaction that records it. `accepted` proves that the mail server took it, not
    that anybody read it; a bounce may still follow with a higher sequence.
    """

    topic: ClassVar[Topic] = Topic(
        "notifications.delivery.v1",
        kind=HAPPENING,
        key="cause",
        says="A mail was accepted by the mail server, bounced, or was given up, and on which day.",
        followed_by=("profiles", "consent"),
        kept=timedelta(days=30),
    )

    cause: Id
    asker: Code
    """The service that asked for the mail; the others pass over it."""
    outcome: Literal["accepted", "bounced", "given-up"]
    on: date
    """The domain day; terms that start with the mail are counted from it."""

    @property
    def key(self) -> str:
        """The cause."""
        return self.cause


SAMPLES = (
    DeliveryEvent(
        cause="profiles:ask:0198c0de-0000-7000-8000-000000000001:1",
        asker="profiles",
        outcome="accepted",
        on=date(2027, 3, 3),
    ),
)
