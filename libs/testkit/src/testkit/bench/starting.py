"""`start`, `memory`: each process of each service, against an empty process of what it is made of."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.terminal import say
from contracts.topics import TOPICS
from localstack.layout import services

from testkit.bench.figures import Figure, Round, worst
from testkit.bench.ground import Ground
from testkit.bench.processes import environment, kafka_variables, running, variables
from testkit.counters import Stream
from testkit.parts import fresh_name
from testkit.ports import free_port

ROUNDS = 3
EMPTY = {"api": "an empty Litestar process", "worker": "an empty FastStream process"}


@dataclass(frozen=True)
class _Seen:
    """How a process began: seconds until it was ready, and its memory then."""

    seconds: float
    megabytes: float


async def start(ground: Ground) -> list[Figure]:
    """Start everything some times, one after the other, and look at it when it is ready."""
    found: dict[str, list[tuple[_Seen, _Seen]]] = {}
    async with ground.stream(1) as stream:
        for number in range(ROUNDS):
            empty = {kind: await _empty(ground, stream, kind) for kind in EMPTY}
            for service in services():
                for kind in EMPTY:
                    seen = await _started(ground, service, kind)
                    found.setdefault(f"{service}-{kind}", []).append((seen, empty[kind]))
            say(f"    round {number + 1} of {ROUNDS}")
    starts = [_figure(f"start-{name}", "s", [(a.seconds, b.seconds) for a, b in seen]) for name, seen in found.items()]
    memory = [_figure(f"memory-{name}", "MB", [(a.megabytes, b.megabytes) for a, b in seen]) for name, seen in found.items()]
    told = [replace(one, goal=None) for one in (*starts, *memory)]
    return [worst(starts, name="start", goal=2), worst(memory, name="memory", goal=2), *told]


def _figure(name: str, unit: str, seen: list[tuple[float, float]]) -> Figure:
    baseline = f"{unit}, {EMPTY[name.rpartition('-')[2]]}"
    return Figure(name, unit, baseline, tuple(Round(*one) for one in seen), better="lower", goal=2)


async def _empty(ground: Ground, stream: Stream, kind: str) -> _Seen:
    port, which = free_port(), {"api": "empty", "worker": "consumer"}[kind]
    told = environment("bench", kafka_variables(ground)) | {"BENCH_TOPIC": stream.topic.name}
    return await _seen("testkit.bench.bare", which, str(port), told=told, port=port)


async def _started(ground: Ground, service: str, kind: str) -> _Seen:
    async with ground.database_name() as database:
        port = free_port()
        told = environment(service, variables(ground, database, port))
        if kind == "api":
            return await _seen(service, "api", told=told, port=port)
        async with _group_at_the_end(ground) as group:
            return await _seen("testkit.bench.worker", service, group, told=told, port=port)


async def _seen(module: str, *arguments: str, told: Mapping[str, str], port: int) -> _Seen:
    with tempfile.NamedTemporaryFile() as log:
        async with running(module, *arguments, told=told, port=port, log=Path(log.name)) as process:
            return _Seen(process.started_in, process.megabytes)


@asynccontextmanager
async def _group_at_the_end(ground: Ground) -> AsyncIterator[str]:
    """A group that has read what stands on all topics: what others left there is not this worker's start."""
    group = fresh_name("bench")
    consumer = AIOKafkaConsumer(**ground.kafka.arguments, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        here = await consumer.topics() & {topic.name for topic in TOPICS}
        every = [TopicPartition(name, number) for name in here for number in consumer.partitions_for_topic(name) or ()]
        if every:
            consumer.assign(every)
            await consumer.commit(await consumer.end_offsets(every))
    finally:
        await consumer.stop()
    yield group
