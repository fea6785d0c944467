"""What cannot be handled is set aside, in the consumer's own database and in its transaction: nothing is lost, the rest goes on.

A record that cannot be read is a dead letter at once. A key whose handler keeps failing is parked, with its later events, until
an operator resolves it (`chassis.setaside`). The dead-letter topic tells operators about both, and carries evidence only.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import bson
from aiokafka import ConsumerRecord
from pymongo import ASCENDING, IndexModel

from chassis import inbox, trace
from chassis.clock import Clock
from chassis.crypto import DataKey, decrypt, encrypt
from chassis.ids import new_id
from chassis.inbox import Incoming, Poison, Record
from chassis.outbox import OutEvent
from chassis.uow import Document, UnitOfWork

DEAD_LETTERS = "dead_letters"
PARKED = "parked"
DISCARDED = "discarded"
"""Evidence of what an operator threw away: who, why, which position."""
INDEXES = {
    name: [IndexModel([("at", ASCENDING)]), IndexModel([("ref", ASCENDING)])] for name in (DEAD_LETTERS, PARKED, DISCARDED)
}
MAX_ERROR = 200
_ID = re.compile(r"[A-Za-z0-9._:~-]{1,200}")


class DeadLetterFactory(Protocol):
    """Makes the service's dead-letter event; the contracts' model is one."""

    def __call__(
        self,
        *,
        origin_topic: str,
        origin_partition: int,
        origin_offset: int,
        origin_key: str | None,
        consumer: str,
        reason: Any,
        attempts: int,
        error: str,
        trace: str,
    ) -> OutEvent:
        """Return the event."""
        ...


class Parking:
    """The dead letters and parked keys of one consumer.

    `record_key` gives the data key under which a record's bytes lie: what nobody could read may hold anything.
    """

    def __init__(
        self, *, consumer: str, dead_letter: DeadLetterFactory, record_key: Callable[[], Awaitable[DataKey]], clock: Clock
    ) -> None:
        self._consumer, self._dead_letter, self._record_key, self._clock = consumer, dead_letter, record_key, clock
        self._last_sequence = 0

    async def set_aside(self, uow: UnitOfWork, poisons: Sequence[Poison]) -> None:
        """Keep records that cannot be read, each once however often it is delivered."""
        there = await uow.find(DEAD_LETTERS, {"_id": {"$in": [_position(p.record) for p in poisons]}})
        known = {row["_id"] for row in there}
        key = await self._record_key()
        for poison in poisons:
            position = _position(poison.record)
            if position in known:
                continue
            box = encrypt(key, _whole(poison.record), subject=self._consumer, path=position)
            with trace.begin(f"set aside {poison.record.topic}", poison.trace, trace.Kind.CONSUMER):
                uow.insert(DEAD_LETTERS, self._row(position, poison.record, poison.reason, 1, poison.error) | _dead(poison, box))
                self._tell(uow, poison.record, poison.reason, 1, poison.error)

    async def parked(self, uow: UnitOfWork, items: Sequence[Incoming[Any]]) -> dict[str, Document]:
        """Return the parked rows of the items' keys, by the name of the inbox row."""
        rows = await uow.find(PARKED, {"_id": {"$in": sorted({item.row_id for item in items})}})
        return {row["_id"]: row for row in rows}

    def keep_latest(self, uow: UnitOfWork, row: Document, item: Incoming[Any]) -> None:
        """A later event of a parked key waits with it; as it carries the whole state, the last one is enough."""
        if item.sequence > row["sequence"]:
            row |= _latest(item)
            uow.replace(PARKED, row)

    async def park(self, uow: UnitOfWork, item: Incoming[Any], *, attempts: int, error: str) -> bool:
        """Park a key whose handler keeps failing, and tell whether that was needed.

        Another consumer may have done it meanwhile, or applied the event: two are at work when one was stopped and woken again.
        """
        seen, parked = (await inbox.applied(uow, [item])).get(item.row_id, 0), await self.parked(uow, [item])
        if parked:
            self.keep_latest(uow, parked[item.row_id], item)
        if parked or item.sequence <= seen:
            return False
        inbox.move(uow, {item.row_id: seen})  # written as it is: whoever applies the event at this moment meets a conflict
        row = self._row(item.row_id, item.record, "failed", attempts, error)
        uow.insert(PARKED, row | _latest(item))
        self._tell(uow, item.record, "failed", attempts, error)
        return True

    async def record(self, row: Document) -> Record:
        """Return the record that a row of either collection keeps, with the headers and the key under which it came.

        Raises:
            UnreadableError: The bytes of a dead letter do not open.
            NoKeyError: Their key is gone.
        """
        if "sequence" in row:
            return _rebuilt(row, row["key"].encode(), [(name, value.encode()) for name, value in row["headers"]], row["body"])
        box = decrypt(await self._record_key(), row["body"], subject=row["consumer"], path=row["_id"])
        kept: Document = bson.decode(box)
        return _rebuilt(row, kept["key"], [(name, value) for name, value in kept["headers"]], kept["value"])

    def _row(self, row_id: str, record: Record, reason: str, attempts: int, error: str) -> Document:
        return {
            "_id": row_id,
            "ref": new_id(),
            "consumer": self._consumer,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "reason": reason,
            "attempts": attempts,
            "error": one_line(error),
            "trace": trace.current(),
            "at": self._clock.machine(),
        }

    def _tell(self, uow: UnitOfWork, record: Record, reason: str, attempts: int, error: str) -> None:
        # A happening has no aggregate that counts: its sequence is the time in microseconds, made strictly rising.
        self._last_sequence = max(self._last_sequence + 1, int(self._clock.machine().timestamp() * 1_000_000))
        event = self._dead_letter(
            origin_topic=record.topic,
            origin_partition=record.partition,
            origin_offset=record.offset,
            origin_key=id_or_none(record.key),
            consumer=self._consumer,
            reason=reason,
            attempts=attempts,
            error=one_line(error),
            trace=trace.current(),
        )
        uow.emit(event, sequence=self._last_sequence)


def where(error: Exception) -> str:
    """Name an error by its type and place, never by its text, which may quote a person's data."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = "" if last is None else f" at {last.tb_frame.f_globals.get('__name__', '?')}:{last.tb_lineno}"
    return f"{type(error).__name__}{place}"


def one_line(error: str) -> str:
    """Return an error's kind and place, shortened."""
    return " ".join(error.replace("@", " at ").split())[:MAX_ERROR]


def id_or_none(key: bytes | str | None) -> str | None:
    """Return a key as a text; None when it is no id: it might hold anything, so it is not repeated."""
    text = key if isinstance(key, str) else (key or b"").decode("ascii", "replace")
    return text if _ID.fullmatch(text) else None


def _position(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _dead(poison: Poison, box: bytes) -> Document:
    return {"key": id_or_none(poison.record.key), "body": box}


def _whole(record: Record) -> bytes:
    """Return all that is needed in order to read the record again."""
    headers = [[name, value] for name, value in record.headers]
    return bson.encode({"key": record.key, "headers": headers, "value": record.value})


def _latest(item: Incoming[Any]) -> Document:
    headers = [[name, (value or b"").decode("utf-8", "backslashreplace")] for name, value in item.record.headers]
    return {"key": item.key, "event": item.id, "sequence": item.sequence, "headers": headers, "body": item.record.value}


def _rebuilt(row: Document, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> Record:
    return ConsumerRecord(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(value or b""),
        headers=tuple(headers),
    )
