"""What a scrape asks of a worker's database, consumer and relay: each reading is bounded and holds what it found."""

from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

from aiokafka import TopicPartition

from chassis import freshness, metrics, outbox, parking
from chassis.consume import Consumer
from chassis.metrics import State
from chassis.mongo import Mongo
from chassis.relay import Relay

MOST_OUTBOX, MOST_ASIDE = 100_000, 10_000
"""Where counting stops."""
UNREADABLE, UNHANDLED = ("malformed", "invalid"), ("failed",)
"""Why a record is a dead letter, and why a key is parked; anything else is counted as `other`."""
SILENT = 30
"""Seconds without an answer of the broker, after which a partition's end is not known any more."""


class SilentBrokerError(Exception):
    """The broker has not told the end of a partition for too long."""


async def read_outbox(mongo: Mongo) -> None:
    """Hold how many events wait, and how long the oldest has."""
    rows = await mongo.count(outbox.COLLECTION, {"_id": {"$gt": ""}}, limit=MOST_OUTBOX)
    first = await mongo.find(outbox.COLLECTION, {}, sort=[("_id", 1)], limit=1)  # ids sort by the time they were made
    metrics.OUTBOX_ROWS.hold(rows)
    metrics.OUTBOX_OLDEST.hold(age(mongo, _made_at(first[0]["_id"])) if first else 0)


async def read_set_aside(mongo: Mongo) -> None:
    """Hold what waits for an operator."""
    await _read_aside(mongo, parking.DEAD_LETTERS, UNREADABLE, metrics.DEAD_LETTERS, metrics.DEAD_LETTERS_OLDEST)
    await _read_aside(mongo, parking.PARKED, UNHANDLED, metrics.PARKED, metrics.PARKED_OLDEST)


async def _read_aside(mongo: Mongo, collection: str, reasons: tuple[str, ...], rows: State, oldest: State) -> None:
    cursor = mongo.database[collection].find({}, {"reason": 1, "at": 1}, sort=[("at", 1)], limit=MOST_ASIDE)
    since: dict[str, list[datetime]] = {reason: [] for reason in reasons}
    for row in await cursor.to_list(None):
        since.setdefault(row["reason"] if row["reason"] in reasons else "other", []).append(row["at"])
    for reason, moments in since.items():
        rows.hold(len(moments), reason)
        oldest.hold(age(mongo, moments[0]) if moments else 0, reason)


async def read_freshness(mongo: Mongo) -> None:
    """Hold how long ago the consumers were last seen at the end of the topics that somebody watches."""
    for row in await mongo.find(freshness.COLLECTION, {}, limit=100):
        if row["at"]:
            metrics.FRESHNESS.hold(age(mongo, min(row["at"].values())), row["_id"])


async def read_relay(relay: Relay) -> None:
    """Hold which share of the outbox this worker has."""
    metrics.RELAY_SLOTS.hold(len(relay.slots))
    metrics.RELAY_FAILING.hold(len(relay.failing))


async def read_consumer(consumer: Consumer, mongo: Mongo) -> None:
    """Hold what this worker's partitions have before them.

    Raises:
        SilentBrokerError: The broker does not tell the end of some partitions; their topics are left out.
    """
    metrics.CONSUMER_FLOODED.hold(consumer.flooded)
    metrics.CONSUMER_HALTED.hold(len(consumer.troubled))
    source, now = consumer.consumer, mongo.clock.machine().timestamp()
    mine = sorted(source.assignment()) if source is not None else []
    silent = {tp.topic for tp in mine if _is_silent(consumer, tp, now)}
    for topic, group in groupby(mine, key=lambda tp: str(tp.topic)):
        partitions = list(group)
        metrics.CONSUMER_PARTITIONS.hold(len(partitions), topic)
        if topic not in silent:
            metrics.CONSUMER_LAG.hold(sum([await _behind(consumer, tp) for tp in partitions]), topic)
            metrics.CONSUMER_OLDEST.hold(max(_waits_since(consumer, tp, now) for tp in partitions), topic)
    if silent:
        raise SilentBrokerError(f"{len(silent)} topics")


def _is_silent(consumer: Consumer, tp: TopicPartition, now: float) -> bool:
    """Tell whether the broker has told nothing of a partition that is asked for."""
    if tp in consumer.waiting:
        return False
    told = consumer.consumer.last_poll_timestamp(tp)
    return told is None or now - told / 1000 > SILENT


async def _behind(consumer: Consumer, tp: TopicPartition) -> int:
    source, first = consumer.consumer, consumer.waiting.get(tp)
    done = first.offset if first is not None else await source.position(tp)
    return max(0, int(source.highwater(tp) or 0) - int(done))


def _waits_since(consumer: Consumer, tp: TopicPartition, now: float) -> float:
    first = consumer.waiting.get(tp)
    return max(0.0, now - first.timestamp / 1000) if first is not None else 0.0


def _made_at(event_id: str) -> datetime:
    """Return the moment in a UUIDv7, whose first 48 bits are milliseconds."""
    return datetime.fromtimestamp((UUID(event_id).int >> 80) / 1000, UTC)


def age(mongo: Mongo, moment: datetime) -> float:
    """Return how many seconds ago that was; 0 for what another machine's clock puts into the future."""
    return max(0.0, (mongo.clock.machine() - moment).total_seconds())
