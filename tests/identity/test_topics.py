"""Identity's worker on the real Kafka: what its followers get, and what it does with what it follows."""

import json
from datetime import timedelta

import pytest
from chassis.ids import new_id
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent
from contracts.identity.dead_letter import IdentityDeadLetterEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.reseal import NotificationsResealEvent
from identity.app import build_worker, parts
from nacl.public import PrivateKey
from testkit.deliveries import put, saying
from testkit.keys import sealing_key
from testkit.parts import fresh_name, kafka_settings
from testkit.probe import read_topic, send_raw
from testkit.running import working
from testkit.waiting import eventually


@pytest.fixture
async def worker(identity, kafka):
    """The worker on the API's database, in a group of its own, in a year in which no other test has sealing keys."""
    identity.turn(days=3000 + int(new_id()[-4:], 16))
    await identity.mongo.database["known_sealing_keys"].delete_many({})
    settings = identity.settings.model_copy(update=kafka_settings(kafka) | {"relay_poll": timedelta(milliseconds=500)})
    made = parts(settings, patience=timedelta(seconds=20))
    built = build_worker(settings, made=made, group=fresh_name("identity"))
    async with working(built):
        yield built
    await made.close()


async def tell(worker, event, *, sequence: int) -> None:
    """Put an event of notifications on its topic."""
    await put(worker.kafka, saying(event, sequence))


async def announce(identity, worker) -> None:
    """Let notifications announce the sealing key whose private half the test has."""
    identity.sealing = PrivateKey.generate()
    await tell(worker, sealing_key(identity.sealing, identity.clock.today()), sequence=1)


async def told(worker, event, key: str) -> list:
    """What the topic says about a key: contract models in their order, checked against their headers."""
    records = [one for one in await read_topic(worker.kafka, event.topic.name) if one.key == key.encode()]
    for record in records:
        headers = {name: value.decode() for name, value in record.headers}
        assert headers["ce_type"] == event.topic.event_type
        assert headers["ce_source"] == "/identity"
    return [event.model_validate_json(one.value) if one.value else None for one in records]


async def mail_to(worker, identity, email: str) -> dict:
    """The details of the newest mail that was asked for to a sealed address."""
    for record in reversed(await read_topic(worker.kafka, IdentityMailRequestEvent.topic.name)):
        sealed = json.loads(record.value)["sealed"]
        try:
            details = identity.open(sealed) if sealed else {}
        except Exception:  # noqa: BLE001, S112 - another test's box, which this key does not open
            continue
        if details.get("address") == email:
            return details
    raise LookupError(email)


async def test_from_registration_to_sign_out_every_follower_hears_in_order(identity, worker) -> None:
    """The mail waits until notifications has announced a key; then everything flows through outbox, relay and topics."""
    email = identity.new_address()
    await identity.register(email)
    assert len(await identity.mongo.find("waiting_events", {})) == 1
    await announce(identity, worker)
    details = await eventually(lambda: mail_to(worker, identity, email), timeout=40)
    assert (await identity.post(f"/pages/confirm/{details['secret']}")).status_code == 200
    person = await identity.signed_in(email)
    await person.call("DELETE", "/sessions/current")
    [session] = await eventually(lambda: told(worker, SessionEvent, person.answer["session"]), timeout=30)
    assert (session.account, session.reason) == (person.account, "signed-out")
    [account] = await told(worker, AccountEvent, person.account)
    assert (account.state, account.roles) == ("confirmed", ("candidate",))
    [contact] = await told(worker, ContactEvent, person.account)
    assert identity.open(contact.sealed.model_dump()) == {"address": email}
    kid = (await identity.get("/jwks")).json()["keys"][0]["kid"]
    assert len(await told(worker, SigningKeyEvent, kid)) == 1
    await eventually(lambda: nothing_waits(identity), timeout=20)


async def nothing_waits(identity) -> bool:
    return not await identity.mongo.find("outbox", {}) and not await identity.mongo.find("waiting_events", {})


async def test_an_organisations_whole_state_is_on_its_topic(identity, worker) -> None:
    await announce(identity, worker)
    await eventually(lambda: identity.mongo.find("known_sealing_keys", {}), timeout=20)
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    tag = (await operator.call("GET", f"/organisations/{organisation}/details")).headers["etag"]
    await operator.call("PATCH", f"/organisations/{organisation}", json={"state": "suspended"}, headers={"If-Match": tag})

    async def both() -> list:
        events = await told(worker, OrganisationEvent, organisation)
        return events if len(events) == 2 else []

    first, last = await eventually(both, timeout=30)
    assert (first.state, last.state) == ("active", "suspended")
    assert last.name == identity.facts["name"]


async def test_a_contact_that_went_dark_is_sealed_again_once(identity, worker) -> None:
    """A reseal request that is delivered twice answers once; about strangers nothing is said; rubbish holds up nobody."""
    await announce(identity, worker)
    await eventually(lambda: identity.mongo.find("known_sealing_keys", {}), timeout=20)
    email = identity.new_address()
    await identity.register(email)
    details = await eventually(lambda: mail_to(worker, identity, email), timeout=40)
    await identity.post(f"/pages/confirm/{details['secret']}")
    subject = (await identity.mongo.find("accounts", {}))[0]["_id"]

    def wants(subject: str) -> NotificationsResealEvent:
        return NotificationsResealEvent(subject=subject, reason="dark", asked_on=identity.clock.today())

    rubbish, stranger = new_id(), new_id()
    await send_raw(worker.kafka, wants(rubbish).topic.name, rubbish.encode(), b"{", saying(wants(rubbish), 1).headers())
    await tell(worker, wants(stranger), sequence=1)
    for _ in range(2):
        await tell(worker, wants(subject), sequence=1)

    async def twice() -> list:
        events = await told(worker, ContactEvent, subject)
        return events if len(events) >= 2 else []

    events = await eventually(twice, timeout=40)
    assert [identity.open(event.sealed.model_dump()) for event in events] == [{"address": email}] * 2
    await tell(worker, wants(subject), sequence=2)

    async def thrice() -> bool:
        return len(await told(worker, ContactEvent, subject)) == 3

    await eventually(thrice, timeout=40)
    assert await told(worker, ContactEvent, stranger) == []
    letters = await read_topic(worker.kafka, IdentityDeadLetterEvent.topic.name)
    assert [json.loads(one.value)["reason"] for one in letters if one.key == rubbish.encode()] == ["malformed"]
