"""Consumers: records in batches, their effects in one transaction, offsets after it.

FastStream owns connection, group and fetching. This module owns what must not be left to defaults: decoding that never kills
a batch, the inbox, halving down to the culprit, pausing a partition while the database is away, parking, and manual commits.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage, Topic
from faststream.kafka.message import KafkaAckableMessage
from pymongo.errors import ConnectionFailure, PyMongoError, WTimeoutError

from chassis import inbox, metrics, trace
from chassis.ids import jitter
from chassis.inbox import Incoming, Poison, Record, Skipped, Subscription
from chassis.mongo import TRANSIENT, UNKNOWN_COMMIT, BusyError, Mongo, transact
from chassis.parking import Parking, where
from chassis.tally import Tally
from chassis.uow import Document, UnitOfWork

log = structlog.get_logger()

TRIES = 5
FLOOD = 20
"""So many keys parked within a minute are a bug, not poison: the consumer stops and alarms."""

Item = Incoming[Any] | Poison


def is_trouble(error: BaseException) -> bool:
    """Tell whether an error is the database's, broker's or network's: wait and try again, nobody's fault."""
    if isinstance(error, BusyError | ConnectionFailure | WTimeoutError | KafkaError | OSError):
        return True
    return isinstance(error, PyMongoError) and (error.has_error_label(TRANSIENT) or error.has_error_label(UNKNOWN_COMMIT))


class Barrier(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka carries no types
    """Makes a rebalance wait for the running batch; without it the successor repeats what is being done."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self.lock, self._forget = asyncio.Lock(), forget

    async def on_partitions_revoked(self, revoked: object) -> None:
        """Wait until the batch is through; whoever gets the partitions begins at the committed offsets, without a pause."""
        async with self.lock:
            self._forget()

    async def on_partitions_assigned(self, assigned: object) -> None:
        """Nothing to do: positions come from the committed offsets."""


class Consumer:
    """One group's consumption of its subscriptions."""

    def __init__(self, mongo: Mongo, group: str, subscriptions: Sequence[Subscription], parking: Parking) -> None:
        self.group, self.subscriptions = group, tuple(subscriptions)
        self.troubled: set[TopicPartition] = set()
        self.waiting: dict[TopicPartition, Record] = {}
        """The oldest record of each partition that was received and is not done."""
        self.flooded, self.skipped = False, 0
        self._mongo, self._parking = mongo, parking
        self._types = {(s.topic.name, s.topic.event_type): s for s in subscriptions}
        self._barrier, self._delays = Barrier(self._forget), dict[TopicPartition, float]()
        self._parked_at, self._told = deque[float](maxlen=FLOOD), dict[str, float]()
        self._subscriber: Any = None

    def attach(self, broker: KafkaBroker, *, batch: int, session_ms: int, heartbeat_ms: int) -> None:
        """Register with FastStream's broker; the topics must exist before it starts."""
        self._subscriber = broker.subscriber(
            *(Topic(s.topic.name, declare=False) for s in self.subscriptions),
            group_id=self.group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            batch=True,
            max_records=batch,
            batch_timeout_ms=100,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=heartbeat_ms,
            parser=self._parse,
            decoder=self._decode,
            listener=self._barrier,
            no_reply=True,
        )
        self._subscriber(self._receive)

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """Return aiokafka's consumer, which FastStream makes at each start."""
        return self._subscriber.consumer

    @property
    def ready(self) -> bool:
        """Tell whether events flow: it consumes, no partition waits for database or broker, and no flood stopped it."""
        return self._subscriber is not None and self._subscriber.consumer is not None and not self.troubled and not self.flooded

    async def _parse(self, records: tuple[Record, ...], original: object) -> KafkaMessage:
        # FastStream's own parser decodes headers strictly, and one bad header would fail the whole batch.
        return KafkaAckableMessage(
            body=b"",
            headers={},
            batch_headers=[],
            message_id="",
            correlation_id="",
            raw_message=records,
            path={},
            consumer=self.consumer,
        )

    async def _decode(self, message: KafkaMessage, original: object) -> list[Incoming[Any] | Poison | Skipped]:
        records: Any = message.raw_message
        return [inbox.decode(record, self._types) for record in records]

    async def _receive(self, items: Any) -> None:
        async with self._barrier.lock:
            consumer, first = self.consumer, _first_offsets(items)
            self.waiting |= _at(items, first)
            if self.flooded:
                return self._halt(first)
            try:
                halted = await self._settle(self._wanted(items), {})
                self._halt(halted)
                self.waiting |= _at(items, halted)
                for tp in first.keys() - halted.keys():
                    self.waiting.pop(tp, None)
                    self._delays.pop(tp, None)
                    self.troubled.discard(tp)
                await self.commit(_done(items, halted, consumer.assignment()))
            except BaseException:  # anything unforeseen: without the seek the next commit would bury these records
                for tp, offset in first.items():
                    if tp in consumer.assignment():
                        consumer.seek(tp, offset)
                raise
        return None

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Commit offsets; one whose partition was lost meanwhile is harmless, because the inbox absorbs the replay."""
        try:
            if offsets:
                await self.consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            log.info("offsets_of_lost_partitions", group=self.group)

    async def _settle(self, items: list[Item], halted: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Apply in one transaction; halve on failure until the culprit is alone. Return where partitions had to stop."""
        items = [item for item in items if _tp(item) not in halted]
        if not items:
            return halted
        began = perf_counter()
        try:
            await self.apply(items)
        except Exception as error:  # noqa: BLE001 - every failure has its way below, none is swallowed
            metrics.CONSUMER_BATCH.labels("waits" if is_trouble(error) else "failed").observe(perf_counter() - began)
            if len(items) > 1 and (isinstance(error, BusyError) or not is_trouble(error)):
                middle = len(items) // 2
                return await self._settle(items[middle:], await self._settle(items[:middle], halted))
            if is_trouble(error):
                log.warning("consumer_waits", group=self.group, error=type(error).__name__)
                return halted | _first_offsets(items)
            return await self._retry(items[0], error, halted)
        metrics.CONSUMER_BATCH.labels("done").observe(perf_counter() - began)
        return halted

    async def _retry(self, item: Item, error: Exception, halted: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Try the culprit again, alone; then park its key."""
        for attempt in range(1, TRIES):
            await asyncio.sleep(jitter(0.05 * 2**attempt))
            metrics.CONSUMER_RETRIES.labels(item.record.topic).inc()
            try:
                await self.apply([item])
            except Exception as again:  # noqa: BLE001 - the last one is told when the key is parked
                if is_trouble(again):
                    return halted | _first_offsets([item])
                error = again
            else:
                return halted
        return await self._park(item, error, halted)

    async def _park(self, item: Item, error: Exception, halted: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        if isinstance(item, Poison):  # setting aside fails by itself: nothing may be acknowledged
            return halted | _first_offsets([item])
        with self._span("park", item):
            return await self._park_key(item, error, halted)

    async def _park_key(
        self, item: Incoming[Any], error: Exception, halted: dict[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        subscription = self._types[item.topic, item.type]

        async def work(uow: UnitOfWork) -> bool:
            needed = await self._parking.park(uow, item, attempts=TRIES, error=where(error))
            if needed and subscription.when_parked is not None:
                await subscription.when_parked(item, uow)
            return needed

        try:
            parked = await transact(self._mongo, work)
        except Exception as failed:  # noqa: BLE001 - not parked, so not acknowledged: the partition waits
            log.error("parking_failed", group=self.group, topic=item.topic, error=type(failed).__name__)
            return halted | _first_offsets([item])
        if parked:
            log.error("key_parked", group=self.group, topic=item.topic, event_id=item.id, error=where(error))
            metrics.CONSUMER_EVENTS.labels(item.topic, "parked").inc()
            self._count_parked()
        return halted

    def _count_parked(self) -> None:
        now = asyncio.get_running_loop().time()
        self._parked_at.append(now)
        if len(self._parked_at) == FLOOD and now - self._parked_at[0] < 60:
            self.flooded = True
            log.critical("consumer_stopped_by_flood", group=self.group, parked=FLOOD)

    async def apply(self, items: Sequence[Item]) -> None:
        """Apply events, and set aside what cannot be read, in one transaction with their inbox rows."""
        events = [item for item in items if isinstance(item, Incoming)]
        poisons = [item for item in items if isinstance(item, Poison)]

        async def work(uow: UnitOfWork) -> Tally:
            tally = Tally()
            if poisons:
                await self._parking.set_aside(uow, poisons)
            if events:
                await self._apply(uow, events, tally)
            return tally

        (await transact(self._mongo, work)).tell(events, poisons)

    async def read_again(self, row: Document) -> Incoming[Any] | Poison | Skipped:
        """Read what was set aside, as today's subscriptions understand it."""
        return inbox.decode(await self._parking.record(row), self._types)

    async def apply_within(self, uow: UnitOfWork, item: Incoming[Any]) -> bool:
        """Apply one event in a transaction of the caller's, exactly as when it arrives, and tell whether its handler ran."""
        return bool(await self._apply(uow, [item], Tally()))

    async def _apply(self, uow: UnitOfWork, events: Sequence[Incoming[Any]], tally: Tally) -> dict[str, int]:
        seen, parked, moved = await inbox.applied(uow, events), await self._parking.parked(uow, events), dict[str, int]()
        for item in events:
            if item.row_id in parked:
                self._parking.keep_latest(uow, parked[item.row_id], item)
                tally.waiting[item.topic] += 1
            elif item.sequence > seen.get(item.row_id, 0):
                began = perf_counter()
                with self._span("process", item):
                    await _uncancelled(self._types[item.topic, item.type], item, uow)
                seen[item.row_id] = moved[item.row_id] = item.sequence
                tally.applied[item.topic] += 1
                tally.seconds[item.topic] += perf_counter() - began
        inbox.move(uow, moved)
        return moved

    def _span(self, doing: str, item: Incoming[Any]) -> trace.Span:
        """Begin the span of one event, from its own headers: a batch holds events of many traces."""
        fields: trace.Fields = {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": item.topic,
            "messaging.consumer.group.name": self.group,
            "messaging.message.id": item.id,
        }
        return trace.begin(f"{doing} {item.topic}", item.trace, trace.Kind.CONSUMER, fields)

    def _halt(self, offsets: dict[TopicPartition, int]) -> None:
        """Put partitions back to these offsets and let them wait, while polling and the other partitions go on."""
        consumer = self.consumer
        for tp, offset in offsets.items():
            if tp not in consumer.assignment():
                continue
            delay = self._delays[tp] = min(self._delays.get(tp, 0.1) * 2, 15)
            consumer.seek(tp, offset)
            consumer.pause(tp)
            self.troubled.add(tp)
            metrics.CONSUMER_HALTS.labels(tp.topic).inc()
            if not self.flooded:
                asyncio.get_running_loop().call_later(jitter(delay), self._resume, consumer, tp)

    def _forget(self) -> None:
        self.troubled.clear()
        self.waiting.clear()

    def _resume(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
        if tp in consumer.assignment():
            consumer.resume(tp)
        else:
            self.troubled.discard(tp)

    def _wanted(self, items: Sequence[Item | Skipped]) -> list[Item]:
        """Leave out what is of an unknown type, and say so once a minute."""
        now = asyncio.get_running_loop().time()
        for skipped in (item for item in items if isinstance(item, Skipped)):
            self.skipped += 1
            metrics.CONSUMER_EVENTS.labels(skipped.record.topic, "unknown").inc()
            if now - self._told.get(skipped.type, now - 61) > 60:
                self._told[skipped.type] = now
                log.warning("unknown_type_skipped", group=self.group, type=skipped.type[:100], skipped=self.skipped)
        return [item for item in items if not isinstance(item, Skipped)]


async def _uncancelled(subscription: Subscription, item: Incoming[Any], uow: UnitOfWork) -> None:
    """Run a handler; a CancelledError of its own making would end FastStream's loop without a word, so it becomes a failure."""
    try:
        await subscription.handler(item, uow)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise RuntimeError("the handler was cancelled from within") from error


def _tp(item: Item | Skipped) -> TopicPartition:
    return TopicPartition(item.record.topic, item.record.partition)


def _first_offsets(items: Sequence[Item | Skipped]) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for item in items:
        first.setdefault(_tp(item), item.record.offset)
    return first


def _at(items: Sequence[Item | Skipped], offsets: dict[TopicPartition, int]) -> dict[TopicPartition, Record]:
    """Return the records at these offsets."""
    return {tp: item.record for item in items if offsets.get(tp := _tp(item)) == item.record.offset}


def _done(
    items: Sequence[Item | Skipped], halted: dict[TopicPartition, int], assigned: set[TopicPartition]
) -> dict[TopicPartition, int]:
    """Return the offsets to commit: after the last record of each partition that is still ours, up to where it stopped."""
    done: dict[TopicPartition, int] = {}
    for item in items:
        tp, offset = _tp(item), item.record.offset
        if tp in assigned and offset < halted.get(tp, offset + 1):
            done[tp] = offset + 1
    return done
