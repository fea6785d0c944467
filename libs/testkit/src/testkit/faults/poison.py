"""Faults of content: records that nobody can read among good ones, and a dead-letter topic that cannot be written."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from chassis.ids import new_id
from contracts.envelope import HAPPENING, STREAM, Event, Kind, Topic
from contracts.topics import TOPICS, event_on
from localstack.kafka import configure
from localstack.layout import services
from localstack.topics import settings

from testkit.deliveries import saying
from testkit.faults.broker import producing, when_up
from testkit.faults.fault import Fault
from testkit.faults.site import Site

MANY = 100
TINY = {"max.message.bytes": "200"}
"""Less than any dead letter; the broker's own marks of transactions still fit."""
KEYLESS = "no key"
"""Only topics that are not compacted can have it."""
HUGE = b'{"nothing": "' + b"x" * 700_000 + b'"}'
Headers = list[tuple[str, bytes]]
Raw = tuple[bytes | None, bytes | None, Headers]
Shape = Callable[[Event], Raw]


def _said(event: Event, key: bytes | None = None, value: bytes | None = None, **headers: bytes | None) -> Raw:
    """An event's record with another key, body or headers; a header of None is left out."""
    said = saying(event, 1)
    spoilt = {f"ce_{name}": text for name, text in headers.items()}
    kept = [(name, spoilt.get(name, text)) for name, text in said.headers()]
    name = f"poison-{new_id()}".encode() if key is None else key
    return name, said.record().value if value is None else value, [(name, text) for name, text in kept if text is not None]


SHAPES: dict[str, Shape] = {
    "no headers": lambda event: (b"poison", saying(event, 1).record().value, []),
    "no JSON": lambda event: _said(event, value=b"{not json"),
    "an empty body": lambda event: _said(event, value=b""),
    "another document": lambda event: _said(event, value=b'{"something": "else"}'),
    "no object": lambda event: _said(event, value=b"[1, 2]"),
    "a huge body": lambda event: _said(event, value=HUGE),
    "somebody else's body": lambda event: _said(event),
    KEYLESS: lambda event: (None, *_said(event)[1:]),
    "an empty key": lambda event: _said(event, key=b""),
    "a key that is no text": lambda event: _said(event, key=b"\xff\xfe"),
    "a header that is no text": lambda event: _said(event, id=b"\xff\xfe"),
    "no sequence": lambda event: _said(event, sequence=None),
    "a sequence in words": lambda event: _said(event, sequence=b"first"),
    "a sequence that no database holds": lambda event: _said(event, key=event.key.encode(), sequence=b"9" * 25),
    "a sequence below the first": lambda event: _said(event, key=event.key.encode(), sequence=b"-1"),
    "no time": lambda event: _said(event, time=b"yesterday"),
    "another specification": lambda event: _said(event, specversion=b"0.3"),
}
"""Everything that no consumer can read, each made from an event that it could."""


def sample(topic: str) -> Event:
    """An event of a topic, from the contracts' own samples."""
    kind = event_on(topic)
    samples: Sequence[Any] = sys.modules[kind.__module__].SAMPLES
    return next(one for one in samples if isinstance(one, kind))


async def put(site: Site, topic: str, shape: str) -> None:
    """Put a record of that shape on a topic, and note where it lies."""
    key, value, headers = SHAPES[shape](sample(topic))
    async with producing(site.stack.kafka) as producer:
        await _send(site, producer, topic, (key, value, headers))


async def _send(site: Site, producer: AIOKafkaProducer, topic: str, raw: Raw) -> None:
    key, value, headers = raw
    at = await producer.send_and_wait(topic, key=key, value=value, headers=headers)
    site.poisoned.add(f"{at.topic}/{at.partition}/{at.offset}")


async def hundred(site: Site, dice: Random) -> str:
    """Put a hundred records on followed topics, each shape several times."""
    followed = [topic for topic in TOPICS if topic.followed_by]
    topics = [topic.name for kind, many in ((HAPPENING, 1), (STREAM, 3)) for topic in _some(dice, followed, kind, many)]
    shapes = [*SHAPES, *dice.choices([shape for shape in SHAPES if shape != "a huge body"], k=MANY - len(SHAPES))]
    dice.shuffle(shapes)
    async with producing(site.stack.kafka) as producer:
        for shape in shapes:
            topic = dice.choice([topic for topic in topics if shape != KEYLESS or event_on(topic).topic.kind is HAPPENING])
            await _send(site, producer, topic, SHAPES[shape](sample(topic)))
    return f"{len(shapes)} records that nobody can read on {', '.join(topics)}"


def _some(dice: Random, topics: Sequence[Topic], kind: Kind, many: int) -> list[Topic]:
    return dice.sample([topic for topic in topics if topic.kind is kind], many)


@asynccontextmanager
async def unwritable(site: Site, names: Sequence[str]) -> AsyncIterator[None]:
    """Let the broker refuse every record on these topics."""
    theirs = {topic.name: settings(topic) for topic in TOPICS if topic.name in names}
    await when_up(lambda: configure(site.stack.kafka, {name: told | TINY for name, told in theirs.items()}))
    try:
        yield
    finally:
        await when_up(lambda: configure(site.stack.kafka, theirs))


async def dead_letters_refused(site: Site, dice: Random) -> str:
    """Put poison on topics while the broker takes no dead letters."""
    async with unwritable(site, [f"{service}.dead-letter.v1" for service in services()]):
        told = await hundred(site, dice)
        await asyncio.sleep(dice.uniform(3, 6))
    return f"{told}, while no dead letter could be published"


FAULTS = (Fault("poison-hundred", hundred), Fault("poison-dead-letters-refused", dead_letters_refused, heavy=True))
