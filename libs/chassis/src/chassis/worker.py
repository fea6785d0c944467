"""What a worker process runs, as plain data: the composition root of each service fills it in, `process.run_worker` runs it.

Tests and the fault tools get the same object from the same root, and may put a wrapper around `consumer.commit`,
`relay.publish` or `relay.delete` before it runs.
"""

import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from faststream.kafka import KafkaBroker

from chassis import epochs, keyring, known, outbox, parking, wrapped
from chassis import erasure as erasures
from chassis.consume import Consumer
from chassis.crypto import DataKey
from chassis.destruction import destroy_due
from chassis.epochs import Epochs
from chassis.erasure import Erasure
from chassis.ids import new_id
from chassis.inbox import Subscription
from chassis.jobs import Job, Jobs
from chassis.kafka import Kafka, make_broker
from chassis.leases import Leases
from chassis.metrics import Reading
from chassis.mongo import Indexes, Mongo
from chassis.outbox import EventTopic
from chassis.parking import DeadLetterFactory, Parking
from chassis.relay import Relay
from chassis.resources import Resources
from chassis.settings import ServiceSettings


@dataclass(frozen=True)
class Worker:
    """One service's worker. `background` are further endless tasks by role, as the mail sender."""

    service: str
    kafka: Kafka
    mongo: Mongo
    broker: KafkaBroker
    consumer: Consumer
    relay: Relay
    jobs: Jobs
    topics: Sequence[EventTopic]
    """All that it writes; made at the start where they are missing. What it follows, others make."""
    indexes: Sequence[Indexes]
    close: Callable[[], Awaitable[None]]
    """Closes all connections."""
    before: Callable[[], Awaitable[object]] | None = None
    """Runs once the indexes are there and before anything else does."""
    background: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = field(default=())
    """(role, task) pairs."""
    always: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """Tasks of every process, whatever its roles, by name."""
    readings: Mapping[str, Reading] = field(default_factory=dict)
    """What its page of metrics tells besides what every worker's does, by the name of the source."""


def make_consumer(
    made: Resources[ServiceSettings], group: str, subscriptions: Sequence[Subscription], dead_letter: DeadLetterFactory
) -> Consumer:
    """Return a service's consumer; it applies what it is given also without a broker."""

    async def record_key() -> DataKey:
        return await made.keyring.key("dead-letters", "records")

    parked = Parking(consumer=group, dead_letter=dead_letter, record_key=record_key, clock=made.clock)
    return Consumer(made.mongo, group, subscriptions, parked)


def assemble(
    made: Resources[ServiceSettings],
    consumer: Consumer,
    *,
    topics: Sequence[EventTopic],
    jobs: Sequence[Job],
    indexes: Sequence[Indexes],
    erasure: Erasure | None = None,
    background: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (),
    readings: Mapping[str, Reading] | None = None,
) -> Worker:
    """Put a worker together from what its service brings and what every service has.

    `topics` are those that it writes; what it follows stands in the consumer's subscriptions.
    """
    settings, service = made.settings, made.settings.service()
    owner = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-12:]}"
    leases = Leases(made.mongo, owner=owner, term=settings.relay_lease)
    kafka = Kafka.told(settings)
    broker = make_broker(kafka, client_id=service)
    consumer.attach(
        broker,
        batch=settings.consumer_batch,
        session_ms=int(settings.kafka_session.total_seconds() * 1000),
        heartbeat_ms=int(settings.kafka_heartbeat.total_seconds() * 1000),
    )
    poll, turning = settings.relay_poll.total_seconds(), Epochs(made.keyring)

    async def destroy_keys() -> int:
        return await destroy_due(made.mongo, made.keyring)

    async def turn_epochs() -> int:
        await made.keyring.mongo.ensure_indexes(keyring.INDEXES, wrapped.INDEXES)
        return await turning.turn()

    of_keys = [Job("destroy-keys", timedelta(seconds=2), destroy_keys), Job("turn-epochs", epochs.EVERY, turn_epochs)]
    erasing = [] if erasure is None else [Job("erasures", timedelta(seconds=2), partial(erasure.finish, made.mongo))]

    return Worker(
        service=service,
        kafka=kafka,
        mongo=made.mongo,
        broker=broker,
        consumer=consumer,
        relay=Relay(made.mongo, leases, service=service, kafka=kafka, batch=settings.relay_batch, poll=poll),
        jobs=Jobs([*jobs, *erasing, *of_keys], leases),
        topics=topics,
        indexes=[outbox.INDEXES, parking.INDEXES, known.INDEXES, erasures.INDEXES, *indexes],
        close=made.close,
        before=None if erasure is None else partial(erasure.catch_up, made.mongo),
        background=background,
        always={"forget-keys": lambda: made.keyring.follow(settings.known_poll)},
        readings={"keys": turning.read, **(readings or {})},
    )
