"""On the real Kafka: what a service knows of others can be dropped and is built again from the topics, the same as before."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from chassis.background import running
from chassis.ids import new_id
from chassis.kafka import Kafka, ensure_topics
from chassis.process import tasks_of
from chassis.resources import connect
from consent.settings import ConsentSettings
from contracts.consent.decision import SAMPLES as DECISIONS
from contracts.identity.account import SAMPLES as ACCOUNTS
from contracts.identity.contact import ContactEvent
from contracts.identity.organisation import SAMPLES as ORGANISATIONS
from contracts.identity.session import SAMPLES as SESSIONS
from contracts.identity.signing_key import SAMPLES as SIGNING_KEYS
from contracts.kinds import Sealed
from contracts.notifications.reseal import NotificationsResealEvent
from contracts.notifications.sealing_key import SAMPLES as SEALING_KEYS
from contracts.profiles.vacancy import SAMPLES as VACANCIES
from identity.settings import IdentitySettings
from notifications.settings import NotificationsSettings
from profiles.settings import ProfilesSettings
from testkit.deliveries import Delivery, history
from testkit.parts import fresh_name, kafka_settings
from testkit.waiting import eventually

pytestmark = pytest.mark.timeout(240)
SERVICES = {
    "identity": (IdentitySettings, {"known_sealing_keys"}),
    "profiles": (ProfilesSettings, {"organisations", "known_sealing_keys", "known_signing_keys", "ended_sessions"}),
    "consent": (ConsentSettings, {"closed_accounts", "known_signing_keys", "ended_sessions"}),
    "notifications": (
        NotificationsSettings,
        {
            "accounts",
            "contacts",
            "vacancies",
            "organisations",
            "outward_organisations",
            "alert_refusals",
            "known_signing_keys",
            "ended_sessions",
        },
    ),
}
"""Each service with its projections: collections that hold nothing but what events said."""


def world(tag: str) -> list[Delivery]:
    """Return what is said under keys of this test's own, each stream with more than one word, and one of its keys gone."""

    def about(sample: Any, field: str, who: str, *states: str, gone: bool = False, **more: Any) -> list[Delivery]:
        said = [sample.model_copy(update={field: f"{tag}{who}", **more, **({"state": one} if one else {})}) for one in states]
        return history(*said, then_gone=gone)

    dark = Sealed(key_id=f"{tag}gone", box="c2VhbGVkIGJveA==")
    contact = ContactEvent(account=f"{tag}anna", sealed=dark, language="nl")
    told = [
        about(ACCOUNTS[0], "account", "anna", "confirmed", "locked", "confirmed"),
        about(ACCOUNTS[0], "account", "bram", "confirmed", "closed"),
        about(ACCOUNTS[0], "account", "cleo", "confirmed", gone=True),
        history(contact),
        about(DECISIONS[0], "subject", "anna", "withdrawn", "consented", "withdrawn", purpose="job-alert"),
        about(DECISIONS[0], "subject", "bram", "withdrawn", "consented", purpose="job-alert"),
        about(ORGANISATIONS[0], "organisation", "a", "active", "suspended"),
        about(ORGANISATIONS[0], "organisation", "b", "active", gone=True),
        about(VACANCIES[0], "vacancy", "open", "open", "closed", "open"),
        about(VACANCIES[0], "vacancy", "gone", "open", gone=True),
        about(SESSIONS[0], "session", "ended", ""),
        about(SIGNING_KEYS[0], "kid", "key", ""),
        about(SIGNING_KEYS[0], "kid", "withdrawn", "", gone=True),
        about(SEALING_KEYS[0], "key_id", "key", ""),
        about(SEALING_KEYS[0], "key_id", "destroyed", "", gone=True),
    ]
    return [one for said in told for one in said]


async def publish(kafka: Kafka, said: list[Delivery]) -> None:
    """Put it on the topics, and a late second copy of all first words after it."""
    await ensure_topics(kafka, list({one.kind.topic.name: one.kind.topic for one in said}.values()))
    producer = AIOKafkaProducer(**kafka.arguments)
    await producer.start()
    try:
        for one in [*said, *(one for one in said if one.sequence == 1)]:
            value = None if one.event is None else one.event.model_dump_json().encode()
            await producer.send_and_wait(one.kind.topic.name, key=one.key.encode(), value=value, headers=one.headers())
    finally:
        await producer.stop()


@asynccontextmanager
async def reading(lab: Any, said: list[Delivery]) -> AsyncIterator[Any]:
    """Run the service's consumer in a group that has read nothing yet, until it has read all that was said."""
    worker = lab.worker()
    followed = {one.topic.name for one in worker.consumer.subscriptions}
    wanted = {f"{one.kind.topic.name}|{one.key}": one.sequence for one in said if one.kind.topic.name in followed}

    async def read() -> bool:
        rows = await lab.mongo.find("inbox", {"_id": {"$in": list(wanted)}})
        return {row["_id"]: row["sequence"] for row in rows} == wanted

    async with running(tasks_of(worker, frozenset({"consume"}))):
        await eventually(read, timeout=90)
        yield


async def known(lab: Any, tag: str) -> dict[str, dict[str, Any]]:
    """Return what the projections say under this test's keys; the topics hold what other tests said, too."""
    stored = await lab.stored()
    mine = {name: {key: row for key, row in stored.get(name, {}).items() if tag in key} for name in lab.projections}
    return {name: rows for name, rows in mine.items() if rows}


@pytest.fixture
async def lab(common: dict[str, Any], kafka: Kafka, laboratory: Any, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A service over an empty store."""
    kind, projections = SERVICES[request.param]
    app, told = importlib.import_module(f"{request.param}.app"), kind(**common, **kafka_settings(kafka))
    made = getattr(app, "parts", connect)(told)
    one = laboratory(made.mongo, made.keyring)
    await one.begin_again()
    one.projections, one.mongo = projections, made.mongo
    one.worker = lambda: app.build_worker(told, made=made, group=fresh_name(request.param))
    yield one
    await made.close()


@pytest.mark.parametrize("lab", SERVICES, indirect=True)
async def test_projections_that_were_dropped_are_built_again_from_the_topics(lab: Any, kafka: Kafka) -> None:
    tag = f"{new_id()[-12:]}-"
    said = world(tag)
    await publish(kafka, said)
    async with reading(lab, said):
        before = await known(lab, tag)
    assert before.keys() == lab.projections
    for name in (*lab.projections, "inbox", "outbox"):
        await lab.mongo.database[name].delete_many({})
    assert await known(lab, tag) == {}
    async with reading(lab, said):
        assert await known(lab, tag) == before


@pytest.mark.parametrize("lab", ["notifications"], indirect=True)
async def test_after_a_rebuild_an_address_whose_key_is_gone_is_asked_for_again(lab: Any, kafka: Kafka) -> None:
    """Each reading from the beginning asks once, under the contact's own sequence; identity knows a question it has answered."""
    tag = f"{new_id()[-12:]}-"
    said = [one for one in world(tag) if one.kind is ContactEvent]
    await publish(kafka, said)
    for _ in range(2):
        for name in ("contacts", "inbox", "outbox"):
            await lab.mongo.database[name].delete_many({})
        async with reading(lab, said):
            asked = await lab.mongo.find("outbox", {"topic": NotificationsResealEvent.topic.name, "key": said[0].key})
        assert [row["sequence"] for row in asked] == [1]


@pytest.mark.parametrize("lab", ["profiles"], indirect=True)
async def test_what_profiles_derived_for_people_is_derived_again_from_the_topics(lab: Any, kafka: Kafka) -> None:
    """Consent and account stand in each profile's own document, which no topic can give back: only they are derived anew."""
    tag = f"{new_id()[-12:]}-"
    said = history(ACCOUNTS[0].model_copy(update={"account": f"{tag}anna"}))
    said += history(*(one.model_copy(update={"subject": f"{tag}anna"}) for one in (DECISIONS[1], DECISIONS[0])))
    await publish(kafka, said)
    async with reading(lab, said):
        before = await lab.mongo.find_one("profiles", {"_id": f"{tag}anna"})
    assert (before["consent"], before["account"]) == (True, "confirmed")
    await lab.mongo.database["profiles"].update_many({}, {"$set": {"consent": None, "account": None}})
    await lab.mongo.database["inbox"].delete_many({})
    async with reading(lab, said):
        after = await lab.mongo.find_one("profiles", {"_id": f"{tag}anna"})
    assert {name: after[name] for name in before if name != "sequence"} == {n: v for n, v in before.items() if n != "sequence"}
