"""Systems of organisations that follow the bank while everything fails, each let in with a user of its own (R36).

Each reads on from where it was, as one with a store of its own does. One acknowledges at once what it has to forget; the other
one only what it is late with, so that it is asked again and reported.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from chassis.clock import day_of
from chassis.kafka import Kafka
from contracts.notifications.bank import BankEvent
from contracts.notifications.organisation import ForOrganisationEvent
from pydantic_core import from_json

from testkit.faults.client import Client
from testkit.faults.clocks import WRONG
from testkit.faults.ledger import Fate, Ledger
from testkit.faults.load import TIME_OUT
from testkit.faults.stored import TERM, Stored
from testkit.faults.tail import Reader
from testkit.faults.world import Asked, Outside, Word
from testkit.letting import admitted, let_out
from testkit.portal import Actor
from testkit.stack import Stack
from testkit.waiting import beside

BANK = BankEvent.topic
PARTS = 3
"""After each third of the term it is asked again; after the last it is late."""


@dataclass
class Memory:
    """What a system holds: handles of the bank, and what its organisation was asked to forget."""

    held: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, word: Word) -> None:
        """Take a word in; a copy, or one that is older than what it knows, is passed over."""
        at = word.topic, word.key
        if word.sequence <= self._known.get(at, 0):
            return
        self._known[at] = word.sequence
        if word.topic == BANK.name:
            self._of_bank(word)
        elif word.body is None:
            self.asked.pop(word.key, None)
        else:
            self.asked[word.key] = word.body["reminder"]
            if self.held.get(word.key, word.body["up_to"] + 1) <= word.body["up_to"]:
                del self.held[word.key]

    def _of_bank(self, word: Word) -> None:
        if word.body is None or word.body["state"] == "gone":
            self.held.pop(word.key, None)
        else:
            self.held[word.key] = word.sequence


@dataclass
class Follower:
    """One organisation's system."""

    organisation: str
    kafka: Kafka
    client: Client
    prompt: bool
    memory: Memory = field(default_factory=Memory)
    words: list[Word] = field(default_factory=list)
    """What it read in this round."""
    _late: set[str] = field(default_factory=set)
    _at: dict[TopicPartition, int] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        """The name of its own topic."""
        return ForOrganisationEvent.topic.of(self.organisation).name

    async def start(self) -> None:
        """Read what was said before the first round."""
        self.memory, self._at = await self._read_all()

    def begin(self, ledger: Ledger) -> None:
        """Take part in another round; one that is slow acknowledges what it was reported for by now."""
        self.client.ledger = ledger
        self.words.clear()
        self._late = {handle for handle, times in self.memory.asked.items() if times == PARTS}

    @property
    def owed(self) -> list[str]:
        """The handles that it has yet to acknowledge, and does."""
        return [handle for handle in self.memory.asked if self.prompt or handle in self._late]

    async def run(self) -> None:
        """Follow until cancelled, whatever happens to Kafka and to the portal."""
        while True:
            with suppress(KafkaError, OSError):
                async with self._reading(self._at) as consumer:
                    while True:
                        await self._take_on(consumer)
            await asyncio.sleep(0.3)

    async def _take_on(self, consumer: AIOKafkaConsumer) -> None:
        for word in await _lap(consumer):
            self.memory.take(word)
            self.words.append(word)
        await self._acknowledge()
        self._at = {tp: await consumer.position(tp) for tp in self._at}

    async def _acknowledge(self) -> None:
        for handle in self.owed:
            path = f"notifications/v1/organisations/{self.organisation}/forgets/{handle}/acknowledgement"
            reply = await self.client.send("POST", path)
            if reply.fate is Fate.ACKNOWLEDGED:
                self.memory.asked.pop(handle, None)
            elif reply.fate is Fate.REFUSED and reply.status:
                self.client.ledger.blame(f"an acknowledgement was refused with {reply.status}")

    def at_rest(self, ends: dict[tuple[str, int], int]) -> bool:
        """Whether it has read everything, and acknowledged what it does."""
        read = all(at > ends.get((tp.topic, tp.partition), -1) for tp, at in self._at.items())
        return read and not self.owed

    async def look(self, stored: Stored) -> Outside:
        """Return what it holds and has to do, beside what it would hold had it read everything again."""
        return Outside(
            organisation=self.organisation,
            prompt=self.prompt,
            words=list(self.words),
            held=frozenset(self.memory.held),
            replayed=frozenset((await self._read_all())[0].held),
            asked=dict(self.memory.asked),
            listed=await self._listed(stored.clock.now()),
            reported=await asyncio.to_thread(stored.reported, self.organisation),
        )

    async def _read_all(self) -> tuple[Memory, dict[TopicPartition, int]]:
        memory, at = Memory(), dict.fromkeys(self._partitions(), 0)
        async with self._reading(at) as consumer:
            ends = await consumer.end_offsets(list(at))
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for word in await _lap(consumer):
                    memory.take(word)
            return memory, {tp: await consumer.position(tp) for tp in at}

    async def _listed(self, now: datetime) -> dict[str, Asked]:
        found: dict[str, Asked] = {}
        path = f"notifications/v1/organisations/{self.organisation}/forgets?limit=100"
        while path:
            page = (await self.client.get(path)).json
            found |= {one["handle"]: _asked(one, now) for one in page["items"]}
            path = (page["next"] or "").removeprefix("/api/")
        return found

    def _partitions(self) -> list[TopicPartition]:
        return [TopicPartition(self.topic, 0), *(TopicPartition(BANK.name, number) for number in range(BANK.partitions))]

    @asynccontextmanager
    async def _reading(self, at: dict[TopicPartition, int]) -> AsyncIterator[AIOKafkaConsumer]:
        asking: dict[str, str | int] = {"isolation_level": "read_committed", "auto_offset_reset": "earliest"}
        async with Reader(self.kafka, **asking, retry_backoff_ms=500) as consumer:
            consumer.assign(list(at))
            for tp, offset in at.items():
                consumer.seek(tp, offset)
            yield consumer


async def _lap(consumer: AIOKafkaConsumer) -> list[Word]:
    return [_word(one) for records in (await consumer.getmany(timeout_ms=200)).values() for one in records]


def _word(record: "ConsumerRecord[bytes, bytes]") -> Word:
    key, value, headers = (record.key or b"").decode(), record.value, dict(record.headers)
    raw = f"{record.topic} {key} {(value or b'').decode()} {headers}"
    return Word(record.topic, key, int(headers["ce_sequence"]), from_json(value) if value else None, raw)


def _asked(listed: dict[str, Any], now: datetime) -> Asked:
    since, wrong = now - datetime.fromisoformat(listed["asked_at"]), timedelta(seconds=WRONG)
    fewest, most = [min(PARTS, max(0, time // (TERM / PARTS))) for time in (since - wrong, since + wrong)]
    return Asked(listed["reminders"], fewest, most, day_of(datetime.fromisoformat(listed["acknowledge_before"])))


@asynccontextmanager
async def following(stack: Stack, operator: Actor, *organisations: str) -> AsyncIterator[list[Follower]]:
    """Let the systems of organisations follow beside the block; the first one's is prompt."""
    with closing(Stored(stack.mongo_url(), stack.clock)) as stored:
        for left in await asyncio.to_thread(stored.followers):
            await asyncio.to_thread(let_out, stack, left)  # by a run that was killed
    async with AsyncExitStack() as ending:
        http = await ending.enter_async_context(httpx.AsyncClient(base_url=stack.gateway, trust_env=False, timeout=TIME_OUT))
        made = await asyncio.gather(*(_let_in(stack, operator, http, one) for one in organisations))
        followers = [replace(one, prompt=number == 0) for number, one in enumerate(made)]
        for one in followers:
            ending.push_async_callback(asyncio.to_thread, let_out, stack, one.organisation)
        for one in followers:
            await one.start()
            await ending.enter_async_context(beside(one.run()))
        yield followers


async def _let_in(stack: Stack, operator: Actor, http: httpx.AsyncClient, organisation: str) -> Follower:
    wanted = {"name": "Kandidatensysteem", "scopes": ["bank:follow"]}
    client = (await operator.post(f"identity/v1/organisations/{organisation}/clients", wanted)).json()
    login = replace(stack.kafka, user=f"organisation.{organisation}", password=await admitted(stack, organisation))
    system = Client(http, Ledger(), secret=(client["id"], client["secret"]), scope="bank:follow", actor=Actor(http))
    return Follower(organisation, login, system, prompt=False)
