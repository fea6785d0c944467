"""Events with a sealed part, from the sender's side: sealed to a key in its first week, or kept until there is one.

The receiver's public keys come by event (`on_sealing_key`). While none is in its first week, the event waits in
`waiting_events` with its details under the sender's own data key, and `release_waiting` sends it when a key has come. An
aggregate has one waiting row, which its next event replaces or removes: an older state never leaves after a newer one.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, Protocol, Self

import structlog
from nacl.public import PublicKey, SealedBox
from pydantic import BaseModel
from pydantic_core import to_json
from pymongo import ASCENDING, IndexModel

from chassis import outbox
from chassis.crypto import UnreadableError, decrypt, encrypt
from chassis.inbox import Incoming
from chassis.keyring import Keyring, NoKeyError
from chassis.mongo import Indexes, Mongo, transact
from chassis.outbox import OutEvent
from chassis.uow import Document, Reads, UnitOfWork
from chassis.wrapped import UnusableKeyError

KNOWN: Final = "known_sealing_keys"
WAITING: Final = "waiting_events"
KLASS: Final = "waiting"
"""The retention class of details that wait."""
INDEXES: Final[Indexes] = {WAITING: [IndexModel([("receiver", ASCENDING)]), IndexModel([("subject", ASCENDING)])], KNOWN: []}
BATCH: Final = 200
FIELD: Final = "sealed"
"""The field of an event that holds its sealed part (`key_id` and `box`)."""
log = structlog.get_logger()

Details = Mapping[str, Any] | BaseModel


class Seal(NamedTuple):
    """A sealed box in base64 and the id of the key that opens it."""

    key_id: str
    box: str


_NONE_YET: Final = Seal("none-yet", "AAAA")  # stands in so that an event is checked when it is asked for, not when it leaves


class SealedEvent(OutEvent, Protocol):
    """An event with a field `sealed`: the contracts' models fit."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Return the event of these fields, or refuse them."""
        ...

    def model_dump(self, *, mode: str, exclude: set[str]) -> dict[str, Any]:
        """Return its fields."""
        ...


class AnnouncedKey(Protocol):
    """What `<service>.sealing-key.v1` says."""

    key_id: str
    public_key: str
    first_day: date
    used_until: date


EventOn = Callable[[str], type[SealedEvent]]
"""Gives the event of a topic by its name; `contracts.topics.event_on` fits."""


async def on_sealing_key(incoming: Incoming[Any], uow: UnitOfWork) -> None:
    """Keep or forget a public key; the handler for every `<service>.sealing-key.v1`."""
    key: AnnouncedKey | None = incoming.event
    if key is None:
        uow.delete(KNOWN, {"_id": incoming.key})
        return
    row = {
        "_id": key.key_id,
        "receiver": incoming.topic.partition(".")[0],
        "public_key": key.public_key,
        "first_day": key.first_day.isoformat(),
        "used_until": key.used_until.isoformat(),
    }
    uow.replace(KNOWN, row, upsert=True)


async def seal_for(reads: Reads, receiver: str, details: bytes, *, today: date) -> Seal | None:
    """Seal to the receiver's newest key whose days of use contain today (domain time); None when there is none."""
    key = await _usable_key(reads, receiver, today)
    return None if key is None else _seal(key, details)


@dataclass(frozen=True)
class Sealer:
    """What a service needs in order to send sealed details to `receiver`."""

    keyring: Keyring
    receiver: str = "notifications"

    async def emit(
        self,
        uow: UnitOfWork,
        event: type[SealedEvent],
        fields: Mapping[str, Any],
        *,
        details: Details,
        subject: str,
        sequence: int,
    ) -> bool:
        """Emit an event of these fields with its details sealed; tell whether it left, or waits for a key.

        The details belong to `subject`, under whose data key they wait.
        """
        draft = event.model_validate({**fields, FIELD: _NONE_YET._asdict()})
        seal = await seal_for(uow, self.receiver, to_json(details), today=self._today())
        name = _name(event.topic, draft.key)
        if seal is not None:
            uow.delete(WAITING, {"_id": name})
            uow.emit(event.model_validate({**fields, FIELD: seal._asdict()}), sequence=sequence)
            return True
        key = await self.keyring.key(subject, KLASS)
        row = {
            "receiver": self.receiver,
            "topic": event.topic.name,
            "fields": draft.model_dump(mode="json", exclude={FIELD}),
            "subject": subject,
            "sequence": sequence,
            "details": encrypt(key, to_json(details), subject=subject, path=name),
        }
        # An update, because a unit of work keeps the order of updates and deletes of one row.
        uow.update(WAITING, {"_id": name}, {"$set": row}, upsert=True)
        return False

    async def request_mail(
        self,
        uow: UnitOfWork,
        event: type[SealedEvent],
        *,
        cause: str,
        subject: str,
        template: str,
        language: str,
        facts: Mapping[str, str] | None = None,
        address: str = "account",
        details: Details | None = None,
    ) -> bool:
        """Ask for a mail (`event` is the service's own MailRequestEvent); tell whether the request left, or waits for a key.

        Asking again under the same cause is harmless: it leaves at most once more, and is mailed once.
        """
        fields = {
            "cause": cause,
            "subject": subject,
            "template": template,
            "language": language,
            "facts": dict(facts or {}),
            "address": address,
        }
        if await _in_outbox(uow, event.topic.name, cause):
            return True
        if details is not None:
            return await self.emit(uow, event, fields, details=details, subject=subject, sequence=1)
        uow.emit(event.model_validate(fields), sequence=1)
        return True

    async def release_waiting(self, mongo: Mongo, event_on: EventOn) -> int:
        """Send what waits, once there is a key, and return how much. For a job that runs each second or two."""
        if await _usable_key(mongo, self.receiver, self._today()) is None:
            return 0
        rows = await mongo.find(WAITING, {"receiver": self.receiver}, limit=BATCH)
        return sum([await self._release_one(mongo, row["_id"], event_on) for row in rows])

    async def _release_one(self, mongo: Mongo, name: str, event_on: EventOn) -> bool:
        async def work(uow: UnitOfWork) -> bool:
            row = await uow.find_one(WAITING, {"_id": name})
            return row is not None and await self._release(uow, row, event_on)

        try:
            return await transact(mongo, work)
        except (UnreadableError, UnusableKeyError, ValueError, LookupError) as error:  # one bad row does not hold up the others
            log.error("waiting_event_stuck", waiting=name, error=type(error).__name__)
            return False

    async def _release(self, uow: UnitOfWork, row: Document, event_on: EventOn) -> bool:
        details = await self._details(row)
        if details is None:
            uow.delete(WAITING, {"_id": row["_id"]})
            return False
        seal = await seal_for(uow, self.receiver, details, today=self._today())
        if seal is None:
            return False
        uow.delete(WAITING, {"_id": row["_id"]})
        event = event_on(row["topic"]).model_validate({**row["fields"], FIELD: seal._asdict()})
        uow.emit(event, sequence=row["sequence"])
        return True

    async def _details(self, row: Document) -> bytes | None:
        try:
            key = await self.keyring.existing(row["subject"], KLASS)
        except NoKeyError:  # the person was erased meanwhile: there is nothing left to say
            log.info("waiting_event_dropped", waiting=row["_id"])
            return None
        return decrypt(key, row["details"], subject=row["subject"], path=row["_id"])

    def _today(self) -> date:
        return self.keyring.mongo.clock.today()


def drop_waiting(uow: UnitOfWork, topic: outbox.EventTopic, key: str) -> None:
    """Remove an aggregate's waiting event; whoever emits its tombstone does this with it, or it would come back after."""
    uow.delete(WAITING, {"_id": _name(topic, key)})


async def forget_waiting(uow: UnitOfWork, subject: str) -> int:
    """Remove all that waits of a person who is erased, and return how much."""
    rows = await uow.find(WAITING, {"subject": subject})
    for row in rows:
        uow.delete(WAITING, {"_id": row["_id"]})
    return len(rows)


async def _usable_key(reads: Reads, receiver: str, today: date) -> Document | None:
    day = today.isoformat()
    where = {"receiver": receiver, "first_day": {"$lte": day}, "used_until": {"$gte": day}}
    found = await reads.find(KNOWN, where, sort=[("first_day", -1), ("_id", -1)], limit=1)
    return found[0] if found else None


def _seal(key: Document, details: bytes) -> Seal:
    box = SealedBox(PublicKey(base64.b64decode(key["public_key"]))).encrypt(details)
    return Seal(key["_id"], base64.b64encode(box).decode())


async def _in_outbox(uow: UnitOfWork, topic: str, cause: str) -> bool:
    """Tell whether this very request still waits for the relay: a second row of it would abort the whole transaction."""
    where = {"slot": outbox.slot_of(cause), "topic": topic, "key": cause, "sequence": 1}
    return await uow.find_one(outbox.COLLECTION, where) is not None


def _name(topic: outbox.EventTopic, key: str) -> str:
    return f"{topic.name}:{key}"
