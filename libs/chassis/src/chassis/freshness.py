"""How fresh a projection is: when its consumer last saw that it is at the end of a topic.

Search must not show what may have been withdrawn meanwhile, so it asks here, and answers 503 when too long ago. The worker
writes what it sees, the API reads it; Kafka away counts as not seen.
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from aiokafka import TopicPartition
from pymongo.errors import PyMongoError

from chassis.consume import Consumer
from chassis.mongo import Mongo
from chassis.outbox import EventTopic

log = structlog.get_logger()

COLLECTION = "freshness"
LOOK_SERVES = 1.0
"""Seconds for which one look serves: what was seen then is no younger now, so its age is told too high and never too low."""


class Freshness:
    """One topic's freshness in one service."""

    def __init__(self, mongo: Mongo, topic: EventTopic) -> None:
        self._mongo, self._topic = mongo, topic
        self._looked: tuple[datetime | None, float] = (None, 0.0)

    async def seen_at(self) -> datetime | None:
        """Return the machine time at which the stalest partition was last at its end; None when one never was."""
        row = await self._mongo.find_one(COLLECTION, {"_id": self._topic.name})
        seen = [] if row is None else [row["at"].get(str(number)) for number in range(self._topic.partitions)]
        return min(seen) if seen and all(seen) else None

    async def within(self, limit: timedelta) -> bool:
        """Tell whether every partition was at its end within the last `limit`."""
        now = asyncio.get_running_loop().time()
        seen, looked = self._looked
        if seen is None or now - looked >= LOOK_SERVES:
            seen = await self.seen_at()
            self._looked = seen, now
        return seen is not None and self._mongo.clock.machine() - seen <= limit

    async def watch(self, consumer: Consumer, *, every: timedelta = timedelta(seconds=2)) -> None:
        """Write what this worker's consumer sees, until cancelled."""
        while True:
            await asyncio.sleep(every.total_seconds())
            ended = await self._at_end(consumer, every)
            try:
                if ended:
                    now = self._mongo.clock.machine()
                    stamps = {f"at.{number}": now for number in ended}
                    await self._mongo.database[COLLECTION].update_one({"_id": self._topic.name}, {"$set": stamps}, upsert=True)
            except PyMongoError as error:
                log.warning("freshness_not_written", error=type(error).__name__)

    async def _at_end(self, consumer: Consumer, every: timedelta) -> list[int]:
        source = consumer.consumer
        if source is None or consumer.flooded:
            return []
        fresh_since = self._mongo.clock.machine() - every * 5
        mine = [tp for tp in source.assignment() if tp.topic == self._topic.name and tp not in consumer.troubled]
        return [
            tp.partition for tp in mine if _polled_since(source.last_poll_timestamp(tp), fresh_since) and await _ended(source, tp)
        ]


def _polled_since(stamp_ms: int | None, moment: datetime) -> bool:
    return stamp_ms is not None and stamp_ms / 1000 >= moment.timestamp()


async def _ended(source: object, tp: TopicPartition) -> bool:
    position, end = await source.position(tp), source.highwater(tp)  # type: ignore[attr-defined]  # aiokafka carries no types
    return end is not None and position >= end
