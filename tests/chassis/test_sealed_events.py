"""Sealed events on the real MongoDB: they leave sealed to a fresh key, or wait without anything readable, and once."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from chassis import outbox, sealed_events
from chassis.clock import Clock
from chassis.inbox import Incoming
from chassis.keyfolder import KeyFolder
from chassis.keyring import KEYS, Keyring, SubjectErasedError
from chassis.mongo import Mongo, transact
from chassis.sealed_events import KLASS, KNOWN, WAITING, Sealer, drop_waiting, on_sealing_key, seal_for
from chassis.uow import UnitOfWork
from contracts.identity.contact import ContactDetails, ContactEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.shapes.mail_request import MailDetails
from contracts.topics import event_on
from nacl.public import PrivateKey, SealedBox
from pydantic import ValidationError
from structlog.testing import capture_logs
from testkit.clocks import TurnedClock
from testkit.keys import sealing_key

RECEIVER = PrivateKey(b"r" * 32)
TODAY = date(2027, 3, 1)
ADDRESS = "jan.de.boer@mail.example"
Rows = list[dict[str, Any]]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def mongo(mongo_url: str, mongo_database: str, clock: Clock) -> AsyncIterator[Mongo]:
    connected = Mongo(mongo_url, database=mongo_database, clock=clock)
    await connected.ensure_indexes(outbox.INDEXES, sealed_events.INDEXES)
    yield connected
    await connected.close()


@pytest.fixture
async def sealer(mongo_url: str, mongo_database: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Sealer]:
    connected = Mongo(mongo_url, database=f"{mongo_database}_keyring", clock=clock)
    yield Sealer(Keyring(connected, KeyFolder(tmp_path)))
    await connected.client.drop_database(f"{mongo_database}_keyring")
    await connected.close()


def arrived(event: NotificationsSealingKeyEvent | None, key: str) -> Incoming[NotificationsSealingKeyEvent]:
    topic = NotificationsSealingKeyEvent.topic
    return Incoming(cast("Any", None), topic.name, key, "id", topic.event_type, 1, datetime(2027, 3, 1, tzinfo=UTC), None, event)


async def learn(mongo: Mongo, key_id: str = "k1", *, first_day: date = TODAY, private: PrivateKey = RECEIVER) -> None:
    """The receiver's key arrives."""
    event = sealing_key(private, first_day).model_copy(update={"key_id": key_id})
    await transact(mongo, lambda uow: on_sealing_key(arrived(event, key_id), uow))


async def contact(mongo: Mongo, sealer: Sealer, *, sequence: int = 1, address: str = ADDRESS, account: str = "ann") -> bool:
    async def work(uow: UnitOfWork) -> bool:
        return await sealer.emit(
            uow,
            ContactEvent,
            {"account": account, "language": "nl"},
            details=ContactDetails(address=address),
            subject=account,
            sequence=sequence,
        )

    return await transact(mongo, work)


async def mail(mongo: Mongo, sealer: Sealer, *, cause: str = "identity:confirm:ann:1", **more: Any) -> bool:
    async def work(uow: UnitOfWork) -> bool:
        return await sealer.request_mail(
            uow, IdentityMailRequestEvent, cause=cause, subject="ann", template="confirm-address", language="nl", **more
        )

    return await transact(mongo, work)


async def sent(mongo: Mongo) -> Rows:
    return await mongo.find(outbox.COLLECTION, {}, sort=[("key", 1), ("sequence", 1)])


async def waiting(mongo: Mongo) -> Rows:
    return await mongo.find(WAITING, {})


def opened(row: dict[str, Any], private: PrivateKey = RECEIVER) -> Any:
    event: Any = event_on(row["topic"]).model_validate_json(row["body"])
    details = SealedBox(private).decrypt(base64.b64decode(event.sealed.box))
    return (ContactDetails if isinstance(event, ContactEvent) else MailDetails).model_validate_json(details)


async def test_without_a_key_an_event_waits_and_nothing_readable_lies_anywhere(mongo: Mongo, sealer: Sealer) -> None:
    assert not await contact(mongo, sealer)
    assert await sent(mongo) == []
    rows = await waiting(mongo)
    assert len(rows) == 1
    assert "boer" not in repr(rows)
    assert await sealer.release_waiting(mongo, event_on) == 0
    assert await waiting(mongo) == rows


async def test_a_waiting_event_leaves_when_a_key_arrives(mongo: Mongo, sealer: Sealer) -> None:
    await contact(mongo, sealer, sequence=3)
    await learn(mongo)
    assert await sealer.release_waiting(mongo, event_on) == 1
    assert await waiting(mongo) == []
    (row,) = await sent(mongo)
    assert (row["topic"], row["key"], row["sequence"]) == ("identity.contact.v1", "ann", 3)
    assert opened(row).address == ADDRESS
    assert await sealer.release_waiting(mongo, event_on) == 0


async def test_with_a_key_an_event_leaves_at_once_sealed(mongo: Mongo, sealer: Sealer) -> None:
    await learn(mongo)
    assert await contact(mongo, sealer)
    (row,) = await sent(mongo)
    assert b"boer" not in row["body"]
    assert opened(row).address == ADDRESS
    assert await waiting(mongo) == []


@pytest.mark.parametrize(("day", "usable"), [(-1, False), (0, True), (6, True), (7, False)])
async def test_a_key_is_used_in_its_first_week_only(day: int, *, usable: bool, mongo: Mongo, sealer: Sealer) -> None:
    await learn(mongo, first_day=TODAY - timedelta(days=day))
    assert await contact(mongo, sealer) is usable


async def test_the_newest_usable_key_is_taken(mongo: Mongo, sealer: Sealer) -> None:
    newest = PrivateKey(b"n" * 32)
    await learn(mongo, "old", first_day=TODAY - timedelta(days=5))
    await learn(mongo, "newest", first_day=TODAY, private=newest)
    await learn(mongo, "next", first_day=TODAY + timedelta(days=1))
    await contact(mongo, sealer)
    (row,) = await sent(mongo)
    assert opened(row, newest).address == ADDRESS


async def test_a_revoked_key_is_never_sealed_to(mongo: Mongo, sealer: Sealer) -> None:
    await learn(mongo)
    await transact(mongo, lambda uow: on_sealing_key(arrived(None, "k1"), uow))
    assert not await contact(mongo, sealer)
    assert await mongo.find(KNOWN, {}) == []


async def test_another_receivers_key_is_not_taken(mongo: Mongo) -> None:
    await learn(mongo)
    assert await seal_for(mongo, "profiles", b"x", today=TODAY) is None
    assert await seal_for(mongo, "notifications", b"x", today=TODAY) is not None


async def test_a_newer_state_takes_the_place_of_the_one_that_waits(mongo: Mongo, sealer: Sealer) -> None:
    await contact(mongo, sealer, sequence=1, address="old@mail.example")
    await contact(mongo, sealer, sequence=2)
    await learn(mongo)
    await sealer.release_waiting(mongo, event_on)
    (row,) = await sent(mongo)
    assert (row["sequence"], opened(row).address) == (2, ADDRESS)


async def test_an_older_state_never_leaves_after_a_newer_one(mongo: Mongo, sealer: Sealer) -> None:
    """Compaction keeps what was written last, so the old address would come back."""
    await contact(mongo, sealer, sequence=1, address="old@mail.example")
    await learn(mongo)
    await contact(mongo, sealer, sequence=2)
    assert await sealer.release_waiting(mongo, event_on) == 0
    assert [row["sequence"] for row in await sent(mongo)] == [2]


async def test_a_tombstone_takes_the_waiting_event_with_it(mongo: Mongo, sealer: Sealer) -> None:
    await contact(mongo, sealer)

    async def erase(uow: UnitOfWork) -> None:
        drop_waiting(uow, ContactEvent.topic, "ann")

    await transact(mongo, erase)
    await learn(mongo)
    assert await sealer.release_waiting(mongo, event_on) == 0
    assert await sent(mongo) == []


async def test_an_erased_persons_waiting_event_is_dropped_and_none_can_be_added(mongo: Mongo, sealer: Sealer) -> None:
    await contact(mongo, sealer)
    await sealer.keyring.erase("ann")
    with pytest.raises(SubjectErasedError):
        await contact(mongo, sealer, sequence=2)
    await learn(mongo)
    assert await sealer.release_waiting(mongo, event_on) == 0
    assert await waiting(mongo) == []
    assert await sent(mongo) == []


async def test_an_event_that_breaks_its_contract_is_refused_when_asked_and_not_when_it_leaves(
    mongo: Mongo, sealer: Sealer
) -> None:
    async def work(uow: UnitOfWork) -> None:
        fields = {"account": "ann", "language": "fr"}
        await sealer.emit(uow, ContactEvent, fields, details={"address": ADDRESS}, subject="ann", sequence=1)

    with pytest.raises(ValidationError):
        await transact(mongo, work)
    assert await waiting(mongo) == []


async def test_workers_that_release_at_once_send_each_event_once(mongo: Mongo, sealer: Sealer) -> None:
    people = [f"person-{number}" for number in range(5)]
    for account in people:
        await contact(mongo, sealer, account=account)
    await learn(mongo)
    counts = await asyncio.gather(*(sealer.release_waiting(mongo, event_on) for _ in range(3)))
    assert sum(counts) == 5
    assert [row["key"] for row in await sent(mongo)] == people


async def test_a_crash_while_releasing_loses_nothing(mongo: Mongo, sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    await contact(mongo, sealer)
    await learn(mongo)

    def dies(*_: object, **__: object) -> None:
        raise ConnectionError("killed")

    monkeypatch.setattr(UnitOfWork, "emit", dies)
    with pytest.raises(ConnectionError):
        await sealer.release_waiting(mongo, event_on)
    monkeypatch.undo()
    assert await sealer.release_waiting(mongo, event_on) == 1


@pytest.mark.parametrize("damaged", ["the row", "its key"])
async def test_one_bad_row_does_not_hold_up_the_others(damaged: str, mongo: Mongo, sealer: Sealer) -> None:
    await contact(mongo, sealer, account="ann")
    await contact(mongo, sealer, account="bob")
    if damaged == "the row":
        await mongo.database[WAITING].update_one({"subject": "ann"}, {"$set": {"details": b"damaged"}})
    else:
        await sealer.keyring.mongo.database[KEYS].update_one({"subject": "ann"}, {"$set": {"wrapped": b"damaged"}})
        sealer.keyring.forget("ann", KLASS)
    await learn(mongo)
    with capture_logs() as logs:
        assert await sealer.release_waiting(mongo, event_on) == 1
    stuck = [(one["waiting"], one["error"]) for one in logs if one["event"] == "waiting_event_stuck"]
    assert stuck == [("identity.contact.v1:ann", "UnreadableError" if damaged == "the row" else "UnusableKeyError")]
    assert [row["key"] for row in await sent(mongo)] == ["bob"]


async def test_a_mail_to_a_sealed_address_waits_and_leaves(mongo: Mongo, sealer: Sealer) -> None:
    details = MailDetails(address=ADDRESS, secret="the-links-secret")
    assert not await mail(mongo, sealer, address="sealed", details=details, facts={"valid-until": "2027-03-03"})
    assert "secret" not in repr(await waiting(mongo))
    await learn(mongo)
    await sealer.release_waiting(mongo, event_on)
    (row,) = await sent(mongo)
    assert opened(row) == details
    event = IdentityMailRequestEvent.model_validate_json(row["body"])
    assert (event.cause, event.address, event.facts) == ("identity:confirm:ann:1", "sealed", {"valid-until": "2027-03-03"})


@pytest.mark.parametrize("details", [None, {"secret": "s"}])
async def test_asking_twice_for_one_mail_is_harmless(details: dict[str, str] | None, mongo: Mongo, sealer: Sealer) -> None:
    """A second outbox row of one event would abort the whole transaction, with everybody else's changes in it."""
    await learn(mongo)
    assert await mail(mongo, sealer, details=details)
    assert await mail(mongo, sealer, details=details)
    assert len(await sent(mongo)) == 1


async def test_asking_twice_while_it_waits_is_harmless(mongo: Mongo, sealer: Sealer) -> None:
    await mail(mongo, sealer, details={"secret": "one"})
    await mail(mongo, sealer, details={"secret": "two"})
    await learn(mongo)
    assert await sealer.release_waiting(mongo, event_on) == 1
    (row,) = await sent(mongo)
    assert opened(row).secret == "two"


async def test_a_mail_without_details_needs_no_key(mongo: Mongo, sealer: Sealer) -> None:
    assert await mail(mongo, sealer)
    (row,) = await sent(mongo)
    assert IdentityMailRequestEvent.model_validate_json(row["body"]).sealed is None
