"""Takes single mechanisms away from a process, from outside, to show that the suite fails without each of them."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pymongo.write_concern
from chassis import inbox, mongo, relay, uow
from chassis.ids import new_id

INBOX: Any = inbox
MONGO: Any = mongo
RELAY: Any = relay
UOW: Any = uow
"""Modules in which something is put in the place of what belongs there."""


def without_sequence_check() -> None:
    """Apply every event, also one that was applied before or is older than the last."""

    async def nothing_applied(*_: object) -> dict[str, int]:
        return {}

    INBOX.applied = nothing_applied


def without_fencing() -> None:
    """Let each producer of the relay have a name of its own: the broker cannot tell a woken one from its successor."""
    producer = RELAY.AIOKafkaProducer

    def unfenced(**options: Any) -> Any:
        return producer(**{**options, "transactional_id": f"{options['transactional_id']}-{new_id()}"})

    RELAY.AIOKafkaProducer = unfenced


def without_majority() -> None:
    """Take a write for done when one node has it in memory."""
    client = MONGO.AsyncIOMotorClient

    def hasty(*arguments: Any, **options: Any) -> Any:
        return client(*arguments, **{**options, "w": 1, "journal": False})

    def one(*_: object, **__: object) -> pymongo.write_concern.WriteConcern:
        return pymongo.write_concern.WriteConcern(1)

    MONGO.AsyncIOMotorClient = hasty
    MONGO.WriteConcern = one


def without_cause_key() -> None:
    """Write an effect again whenever it is offered."""

    def write(self: uow.UnitOfWork, collection: str, document: uow.Document) -> None:
        self.replace(collection, document, upsert=True)

    UOW.UnitOfWork.offer = write


def without_told_once() -> None:
    """Take each search by itself for whom a vacancy is news to, and not their owner."""
    news: Any = import_module("notifications.news.service")
    news.row_id = lambda subject, vacancy: f"{subject}:{vacancy}:{new_id()}"


def without_mark() -> None:
    """Hand a mail of at most once over without writing down that one is about to."""
    sending: Any = import_module("notifications.sending.service")

    async def unmarked(*_: object) -> None:
        return

    sending.Sender._mark = unmarked


def without_gone() -> None:
    """Take a person from the list of who is told of outside, and say nothing of it."""
    outward: Any = import_module("notifications.outward.service")

    async def silent(_: object, unit: uow.UnitOfWork, subject: str) -> int:
        outward.store.remove_person(unit, subject)
        return 1

    outward.Outward.forget = silent


def without_outbox_order() -> None:
    """Delete outbox rows before the broker has them."""
    publish, delete = relay.Relay.publish, relay.Relay.delete

    async def careless(self: relay.Relay, producer: Any, rows: Any) -> None:
        await delete(self, rows)
        await publish(self, producer, rows)

    RELAY.Relay.publish = careless


MECHANISMS: dict[str, Callable[[], None]] = {
    "sequence-check": without_sequence_check,
    "fencing": without_fencing,
    "majority": without_majority,
    "cause-key": without_cause_key,
    "told-once": without_told_once,
    "mark": without_mark,
    "outbox-order": without_outbox_order,
    "gone": without_gone,
}
