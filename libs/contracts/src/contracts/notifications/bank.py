"""The candidate bank as systems of organisations may follow it: that there is somebody, and when they have to be forgotten."""

from typing import ClassVar, Literal

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import ApiPath, Code, Id


class BankEvent(Event):
    """Somebody can be found in the bank under this handle, or not any more; who it is and what they tell is read by the API.

    Happens when a profile enters the bank, when it changes, and when it leaves it. One that goes anonymous leaves under its old
    handle and may appear under another; nothing tells that the two are one. `gone` means: forget the handle and all that was
    stored under it. A handle may come back, as the same person's.
    """

    topic: ClassVar[Topic] = Topic(
        "outward.bank.v1",
        kind=STREAM,
        key="handle",
        says="A profile appeared in the candidate bank, changed, or is gone; what it tells is read at the link.",
        tombstone="The handle is gone, and the time in which it had to be forgotten is over.",
        followed_by=(),
    )

    handle: Id
    state: Literal["appeared", "changed", "gone"]
    visible_groups: tuple[Code, ...]
    """Groups of fields of which something may be read: identity, contact, picture, career, wishes; none once it is gone."""
    link: ApiPath
    """Where the portal's API answers with it; each read states its purpose and is logged."""

    @property
    def key(self) -> str:
        """The handle."""
        return self.handle


SAMPLES = (
    BankEvent(handle="k7f3q9x2", state="appeared", visible_groups=("career",), link="/api/profiles/v1/bank/profiles/k7f3q9x2"),
    BankEvent(handle="p4m8z1c6", state="gone", visible_groups=(), link="/api/profiles/v1/bank/profiles/p4m8z1c6"),
)
