"""`relay`, `relay-trips`: the real relay at saturation. `publish-latency`: what its change stream gains over polling."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from chassis import outbox
from chassis.ids import new_id
from chassis.leases import Leases
from chassis.mongo import Mongo, transact
from chassis.outbox import SLOTS
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.uow import Document, UnitOfWork
from pymongo.monitoring import CommandListener

from testkit.bench.figures import Figure, Round, alternate
from testkit.bench.ground import Ground
from testkit.counters import Stream
from testkit.waiting import beside, eventually

BATCH = int(ServiceSettings.model_fields["relay_batch"].default)
ROWS, AGGREGATES = 16_000, 200
PER_SECOND, SECONDS = 200, 5.0
POLL = 0.1


class Gate:
    """Holds a relay back until it serves every slot and could publish, so that its start is not measured."""

    def __init__(self, relay: Relay) -> None:
        self._read, self._waiting, self._open = relay.read, set[int](), asyncio.Event()
        relay.read = self._hold  # type: ignore[assignment, method-assign]  # the wrapper is the point

    async def _hold(self, slot: int, *more: Any) -> list[Document]:
        self._waiting.add(slot)
        if len(self._waiting) == SLOTS:
            self._open.set()
        await self._open.wait()
        return await self._read(slot, *more)

    async def opened(self) -> None:
        """Return when it goes on."""
        await self._open.wait()


async def relay(ground: Ground) -> list[Figure]:
    """Measure events per second at saturation, and how many commands the database gets for one."""
    async with ground.stream() as stream, ground.database(outbox.INDEXES) as mongo:
        rounds = await alternate(
            lambda: _drained(mongo, _relay(mongo, stream, ground)),
            lambda: _drained(mongo, without_kafka(_relay(mongo, stream, ground))),
        )
        trips = await _trips(mongo, stream, ground)
    return [
        Figure("relay", "events/s", "rows/s read and deleted without Kafka", rounds, goal=0.4),
        Figure("relay-trips", "commands", "event", trips, better="lower", goal=0.02),
    ]


def without_kafka(made: Relay) -> Relay:
    """Return the relay so that it reads and deletes, and publishes nothing."""

    async def nothing(_producer: AIOKafkaProducer, _rows: Sequence[Document]) -> None:
        return

    made.publish = nothing  # type: ignore[assignment, method-assign]  # the wrapper is the point
    return made


def _relay(mongo: Mongo, stream: Stream, ground: Ground, *, poll: float = 2.0) -> Relay:
    """Return a relay as the services' settings make it."""
    leases = Leases(mongo, owner=new_id(), term=timedelta(seconds=10))
    return Relay(mongo, leases, service=stream.name, kafka=ground.kafka, batch=BATCH, poll=poll)


async def _drained(mongo: Mongo, made: Relay) -> float:
    """Return the rate at which a full outbox is emptied."""
    await _fill(mongo, made.service)
    gate, deleted, done, delete = Gate(made), 0, asyncio.Event(), made.delete

    async def counting(rows: Sequence[Document]) -> None:
        nonlocal deleted
        await delete(rows)
        deleted += len(rows)
        if deleted >= ROWS:
            done.set()

    made.delete = counting  # type: ignore[method-assign]  # the wrapper is the point
    async with beside(made.run()):
        await gate.opened()
        begun = time.perf_counter()
        await done.wait()
        return ROWS / (time.perf_counter() - begun)


async def _fill(mongo: Mongo, service: str) -> None:
    topic = f"{service}.counter.v1"
    keys = [new_id() for _ in range(AGGREGATES)]
    rows = [_row(mongo, topic, keys[number % AGGREGATES], number // AGGREGATES + 1) for number in range(ROWS)]
    await mongo.database[outbox.COLLECTION].insert_many(rows, ordered=False)


def _row(mongo: Mongo, topic: str, key: str, sequence: int) -> dict[str, Any]:
    body = b'{"counter":"%s","value":%d}' % (key.encode(), sequence)
    return {
        "_id": new_id(),
        "slot": outbox.slot_of(key),
        "topic": topic,
        "key": key,
        "sequence": sequence,
        "type": f"nl.kandidatenbank.{topic.rpartition('.')[0]}",
        "body": body,
        "time": mongo.clock.machine(),
        "traceparent": f"00-{'1' * 32}-{'2' * 16}-01",
    }


class Counting(CommandListener):
    """Counts the commands that a client sends."""

    def __init__(self) -> None:
        self.commands = 0

    def started(self, event: object) -> None:
        """One more."""
        self.commands += 1

    def succeeded(self, event: object) -> None:
        """Nothing to do."""

    def failed(self, event: object) -> None:
        """Nothing to do."""


async def _trips(mongo: Mongo, stream: Stream, ground: Ground) -> tuple[Round, ...]:
    """Count all that a relay sends to the database while it empties the outbox, its leases and its change stream included."""
    found = []
    for _ in range(3):
        counting = Counting()
        counted = Mongo(ground.mongo_url, database=mongo.database.name, clock=mongo.clock)
        filler, counted.client = counted.client, type(counted.client)(ground.mongo_url, tz_aware=True, event_listeners=[counting])
        counted.database = counted.client[mongo.database.name]
        made = _relay(counted, stream, ground)
        await _drained(counted, made)
        filler.close()
        await counted.close()
        found.append(Round(counting.commands / ROWS, 1.0))
    return tuple(found)


async def publish_latency(ground: Ground) -> list[Figure]:
    """Measure from the commit of a change to the broker's word for its event, at a steady pace."""
    async with ground.stream() as stream, ground.database(outbox.INDEXES) as mongo:
        rounds = await alternate(
            lambda: _latency(mongo, _relay(mongo, stream, ground), stream),
            lambda: _latency(mongo, polling(_relay(mongo, stream, ground)), stream),
            warm=False,
        )
    baseline = f"ms, by a relay that polls each {POLL * 1000:.0f} ms"
    return [Figure("publish-latency", "ms (p99)", baseline, rounds, better="lower", goal=0.25)]


def polling(made: Relay) -> Relay:
    """Return the relay so that it looks at each slot at fixed times instead of following inserts."""

    async def tick(_slots: frozenset[int]) -> None:
        while True:
            await asyncio.sleep(POLL)
            for slot in range(SLOTS):
                made._wake[slot].set()

    made._follow = tick  # type: ignore[assignment, method-assign]  # the baseline is this relay with another alarm
    return made


async def _latency(mongo: Mongo, made: Relay, stream: Stream) -> float:
    gate, publish = Gate(made), made.publish
    committed, acknowledged = dict[str, float](), dict[str, float]()

    async def noting(producer: AIOKafkaProducer, rows: Sequence[Document]) -> None:
        await publish(producer, rows)
        now = time.perf_counter()
        acknowledged.update({row["_id"]: now for row in rows})

    async def one() -> None:
        counter = new_id()

        async def work(uow: UnitOfWork) -> str:
            return uow.emit(stream.event.model_validate({"counter": counter, "value": 1}), sequence=1)

        event = await transact(mongo, work)
        committed[event] = time.perf_counter()

    made.publish = noting  # type: ignore[method-assign]  # the wrapper is the point
    async with beside(made.run()):
        await gate.opened()
        await at_a_pace(one, PER_SECOND, SECONDS)
        await eventually(lambda: len(acknowledged) == len(committed))
    waits = sorted(acknowledged[event] - at for event, at in committed.items())
    return max(0.0, waits[int(len(waits) * 0.99)]) * 1000


async def at_a_pace(once: Any, per_second: float, seconds: float) -> None:
    """Begin one after the other at fixed times, whether the former has ended or not, and return when all have."""
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
            group.create_task(once())
