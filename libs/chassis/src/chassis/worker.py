"""What a worker process runs, as plain data: the composition root of each service fills it in, `process.run_worker` runs it.

Tests and the fault tools get the same object from the same root, and may put a wrapper around `consumer.commit`,
`relay.publish` or `relay.delete` before it runs.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from faststream.kafka import KafkaBroker

from chassis.consume import Consumer
from chassis.jobs import Jobs
from chassis.mongo import Indexes, Mongo
from chassis.outbox import EventTopic
from chassis.relay import Relay


@dataclass(frozen=True)
class Worker:
    """One service's worker. `background` are further endless tasks by role, as the mail sender."""

    service: str
    bootstrap: str
    mongo: Mongo
    broker: KafkaBroker
    consumer: Consumer
    relay: Relay
    jobs: Jobs
    topics: Sequence[EventTopic]
    """All that it writes or follows; made at the start where they are missing."""
    indexes: Sequence[Indexes]
    background: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = field(default=())
    """(role, task) pairs."""
