"""Makes a worker the version that comes next: its events say a field more, and it follows a topic more.

It runs beside workers of today's version, in the same group and on the same outbox: neither may lose anything.
"""

import json
from dataclasses import replace
from typing import Any, ClassVar

from chassis.inbox import Incoming, Listens, Subscription
from chassis.uow import UnitOfWork
from contracts.envelope import STREAM, Event, Topic
from pydantic import create_model

FIELD = "of_the_next_version"
SEEN = "seen_by_the_next_version"
"""The collection in which the next version notes what only it follows."""


class NoticeEvent(Event):
    """An event that today's version does not know."""

    topic: ClassVar[Topic] = Topic(
        "identity.notice.v1",
        kind=STREAM,
        key="a name that a fault made",
        says="Nothing: the fault suite's next version has it so that there is a topic more.",
        tombstone="Nothing.",
        followed_by=(),
    )

    notice: str

    @property
    def key(self) -> str:
        """The name."""
        return self.notice


def upgrade(app: Any) -> None:
    """Let a service's composition root build the next version, from outside and before it builds."""
    todays: tuple[Subscription | Listens[Any], ...] = app.SUBSCRIPTIONS
    notices = (
        Subscription(NoticeEvent, _note) if isinstance(todays[0], Subscription) else Listens[Any](NoticeEvent, lambda _: _note)
    )
    app.SUBSCRIPTIONS = (*map(_with_field, todays), notices)
    say = Event.model_dump_json

    def more(event: Event, **options: Any) -> str:
        return json.dumps({**json.loads(say(event, **options)), FIELD: "yes"})

    events: Any = Event
    events.model_dump_json = more


def _with_field(listens: Subscription | Listens[Any]) -> Subscription | Listens[Any]:
    told: Any = {FIELD: (str | None, None)}
    return replace(listens, event=create_model(listens.event.__name__, __base__=listens.event, **told))


async def _note(item: Incoming[Any], uow: UnitOfWork) -> None:
    uow.replace(SEEN, {"_id": item.key}, upsert=True)
