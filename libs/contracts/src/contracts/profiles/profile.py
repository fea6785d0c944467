"""Profiles: where in its year a profile is and how much of it others may see; never what it says."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Code, Id


class ProfileEvent(Event):
    """The state of a candidate's profile.

    Happens at every step of its life and at every change of what is visible. `in_bank` is the owner's own answer to 'can
    recruiters find it now'; a consumer takes it and derives nothing from the other fields. A handle that is no longer the current
    one is forgotten.
    """

    topic: ClassVar[Topic] = Topic(
        "profiles.profile.v1",
        kind=STREAM,
        key="profile, which is its person's subject id",
        says="A profile's state and days, whether it is anonymous, which groups are visible, its current handle.",
        tombstone="The person is erased: forget the profile and every handle of it.",
        followed_by=("notifications",),
    )

    subject: Id
    state: Literal["draft", "active", "asked", "inactive"]
    reason: Literal["by-candidate", "expired", "unreachable"] | None
    """Why it is inactive; None in every other state."""
    cycle: Annotated[int, Field(ge=0)]
    """Which year it is: raised by each activation and renewal."""
    visible_until: date | None
    """The last day of the year that runs; None when none runs."""
    answer_before: date | None
    """The last day on which the candidate can renew by a click; None until the question reached them or failed to."""
    anonymity: Literal["open", "anonymous", "permanent"]
    visible_groups: tuple[Code, ...]
    """Groups of fields of which the candidate shows at least one: identity, contact, picture, career, wishes."""
    handle: Id
    """How the profile is known outside; a new one each time it goes anonymous."""
    in_bank: bool

    @property
    def key(self) -> str:
        """The person."""
        return self.subject


SAMPLES = (
    ProfileEvent(
        subject="0198c0de-0000-7000-8000-000000000001",
        state="active",
        reason=None,
        cycle=1,
        visible_until=date(2027, 3, 2),
        answer_before=None,
        anonymity="open",
        visible_groups=("career", "wishes"),
        handle="k7f3q9x2",
        in_bank=True,
    ),
    ProfileEvent(
        subject="0198c0de-0000-7000-8000-000000000002",
        state="inactive",
        reason="expired",
        cycle=2,
        visible_until=None,
        answer_before=None,
        anonymity="permanent",
        visible_groups=(),
        handle="p4m8z1c6",
        in_bank=False,
    ),
)
