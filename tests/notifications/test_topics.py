"""The worker on the real Kafka: what others ask arrives, what became of it is published, and a lost store is rebuilt."""

import asyncio
import json

import pytest
from chassis.kafka import Kafka
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.mail_request import ProfilesMailRequestEvent
from notifications.app import build_worker
from testkit.deliveries import put, saying
from testkit.parts import kafka_settings
from testkit.probe import read_topic, send_raw
from testkit.running import working
from testkit.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
PROJECTIONS = ("contacts", "accounts", "vacancies", "organisations", "alert_refusals", "inbox")


@pytest.fixture
def settings(settings, kafka):
    return settings.model_copy(update=kafka_settings(kafka))


def fresh_worker(world, make):
    """Return a whole worker whose group has read nothing yet."""
    return build_worker(world.settings, made=world.made, group=make.name("notifications"))


async def tell(world, event, sequence: int) -> None:
    await put(Kafka.told(world.settings), saying(event, sequence))


async def published(world, event_type, key: str) -> list[dict]:
    records = await read_topic(Kafka.told(world.settings), event_type.topic.name)
    return [json.loads(record.value) for record in records if record.key == key.encode() and record.value]


async def test_a_request_becomes_one_mail_and_its_asker_is_told_over_kafka(world, postbox, subject, make):
    request, contact = await world.ask(subject), await world.contact(subject, "an@x.example")
    async with working(fresh_worker(world, make)):
        await eventually(lambda: published(world, NotificationsSealingKeyEvent, contact.sealed.key_id), timeout=30)
        await send_raw(Kafka.told(world.settings), ProfilesMailRequestEvent.topic.name, subject.encode(), b"{", [])
        for event in (request, contact, request, contact):
            await tell(world, event, 1)
        await eventually(lambda: published(world, DeliveryEvent, request.cause), timeout=60)
        refused = await world.mongo.find("dead_letters", {"topic": ProfilesMailRequestEvent.topic.name})
    assert [mail["To"] for mail in postbox.mails] == ["an@x.example"]
    assert [one["outcome"] for one in await published(world, DeliveryEvent, request.cause)] == ["accepted"]
    assert "malformed" in {row["reason"] for row in refused}


async def test_a_store_that_was_lost_is_rebuilt_from_the_topics_and_mails_nobody_twice(world, postbox, api, subject, make):
    word = subject.replace("-", "")  # the topics hold the vacancies of earlier runs too
    await api.save(subject, words=word)
    vacancy = make.vacancy(title=f"Werkvoorbereider {word}", published_on=world.clock.today(), valid_through=None)
    contact = await world.contact(subject, "an@x.example")
    for event in (make.account(subject), contact, make.organisation(), vacancy):
        await tell(world, event, 1)

    async def known():
        row = await world.mongo.find_one("vacancies", {"_id": vacancy.vacancy})
        return row, await world.parts.contacts.of(world.mongo, subject), await world.mongo.find_one("accounts", {"_id": subject})

    async def complete():
        return all(await known())

    async with working(fresh_worker(world, make)):
        await eventually(complete, timeout=60)
        await eventually(lambda: len(postbox.mails) == 1, timeout=30)
    before = await known()
    for name in PROJECTIONS:
        await world.mongo.database[name].delete_many({})
    async with working(fresh_worker(world, make)):
        await eventually(complete, timeout=60)
        await asyncio.wait_for(idle(world), 30)
    assert await known() == before
    assert len(postbox.mails) == 1


async def idle(world) -> None:
    """Wait until the sender has looked at everything that is due."""

    async def nothing_due():
        now = world.clock.machine()
        return not await world.mongo.find("mails", {"state": "queued", "due_at": {"$lte": now}, "waits_for": None})

    await eventually(nothing_due, timeout=25)
