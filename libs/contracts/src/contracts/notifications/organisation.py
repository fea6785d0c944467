"""What only one organisation may know. Each has a topic of its own, which its systems read and nobody else's."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Id, Moment

EVERY_HANDLE = "all"
"""Stands for all handles in a word to forget; no handle is so short."""


class ForOrganisationEvent(Event):
    """The organisation has to forget a handle, with all that it stored under it, and to acknowledge it through the API.

    Happens when a profile leaves the bank, takes another handle or is erased, again as a reminder, and for `all` handles when the
    organisation loses its access to the bank. A consumer passes over a `says` that it does not know.
    """

    topic: ClassVar[Topic] = Topic(
        "organisation.{id}.v1",
        kind=STREAM,
        key="handle, or `all`",
        says="This organisation has to forget a handle, and until when it can acknowledge that it did.",
        tombstone="It was acknowledged, or the handle came back before it was: nothing has to be done.",
        followed_by=(),
        partitions=1,
    )

    handle: Id
    says: Literal["forget"]
    up_to: Annotated[int, Field(ge=0)]
    """The sequence on `outward.bank.v1` up to which the handle is forgotten: what that topic says of it later holds. 0 for `all`,
    which means everything that was read before this."""
    acknowledge_before: Moment
    reminder: Annotated[int, Field(ge=0)]
    """How often it was asked before."""

    @property
    def key(self) -> str:
        """The handle."""
        return self.handle


SAMPLES = (
    ForOrganisationEvent.model_validate(
        {"handle": "k7f3q9x2", "says": "forget", "up_to": 4, "acknowledge_before": "2027-03-05T09:30:00Z", "reminder": 0}
    ),
)
