"""Sessions that ended before their tokens did."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Id, Moment


class SessionEvent(Event):
    """A session ended early: its tokens (claim `sid`) are refused from now on.

    Happens at sign-out, when a refresh token is used twice, when a role is lost and when the account closes. Sessions that end by
    themselves are not told. It is kept for a day, which outlives every access token.
    """

    topic: ClassVar[Topic] = Topic(
        "identity.session.v1",
        kind=STREAM,
        key="session",
        says="A session ended early; its tokens are refused at once.",
        tombstone="The session's last token has run out: forget it.",
        followed_by=("profiles", "consent", "notifications"),
        kept=timedelta(days=1),
    )

    session: Id
    account: Id
    ended_at: Moment
    """Machine time, as in tokens."""
    reason: Literal["signed-out", "theft", "role-lost", "account-closed"]

    @property
    def key(self) -> str:
        """The session."""
        return self.session


SAMPLES = (
    SessionEvent(
        session="0198c0de-0000-7000-8000-00000000005e",
        account="0198c0de-0000-7000-8000-000000000001",
        ended_at=datetime(2026, 3, 2, 10, 15, tzinfo=UTC),
        reason="signed-out",
    ),
)
