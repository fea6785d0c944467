"""What consent follows and what it tells, over the real Kafka: its worker runs beside its API."""

from datetime import date

import pytest
from chassis.clock import Clock
from chassis.ids import new_id
from chassis.resources import connect
from consent.app import PREFIX, build_worker
from contracts.consent.decision import DecisionEvent
from contracts.identity.account import AccountEvent
from contracts.identity.session import SessionEvent
from testkit.deliveries import put, saying, tombstone
from testkit.keys import Signer
from testkit.parts import fresh_name, kafka_settings
from testkit.probe import read_topic
from testkit.running import working
from testkit.waiting import eventually

PURPOSE = "candidate-search"


@pytest.fixture
async def worker(consent, kafka):
    """The worker on the API's database, in a group of its own."""
    settings = consent.settings.model_copy(update=kafka_settings(kafka))
    made = connect(settings)
    built = build_worker(settings, made=made, group=fresh_name("consent"))
    async with working(built):
        yield built
    await made.close()


async def tell(worker, event, *, sequence: int) -> None:
    """Put an event of identity on its topic."""
    await put(worker.kafka, saying(event, sequence))


async def tell_gone(worker, event, *, sequence: int) -> None:
    """Put the tombstone of an event's key on its topic."""
    await put(worker.kafka, tombstone(type(event), event.key, sequence))


def account(subject: str, state: str) -> AccountEvent:
    return AccountEvent(account=subject, state=state, language="nl", roles=("candidate",), confirmed_on=date(2027, 1, 1))


async def refused(person, presentation: str) -> bool:
    answer = await person.decide(presentation)
    return answer.status_code == 409 and answer.json()["type"].endswith("account-closed")


async def test_decisions_reach_the_topic_in_order_and_leave_the_outbox(consent, worker):
    anna = consent.person()
    await anna.decide(await anna.shown())
    await anna.withdraw()
    await eventually(lambda: nothing_waits(consent), timeout=20)
    key = f"{anna.subject}:{PURPOSE}:portal".encode()
    records = [one for one in await read_topic(worker.kafka, DecisionEvent.topic.name) if one.key == key]
    events = [DecisionEvent.model_validate_json(one.value) for one in records]
    assert [event.state for event in events] == ["shown", "consented", "withdrawn"]
    assert [dict(one.headers)["ce_sequence"] for one in records] == [b"1", b"2", b"3"]
    assert all(event.statement_version == "2027-01" for event in events)


async def nothing_waits(consent) -> bool:
    return not await consent.mongo.find("outbox", {})


async def test_a_closed_account_decides_nothing_but_may_still_withdraw(consent, worker):
    anna, bert = consent.person(), consent.person()
    presentation, berts = await anna.shown(), await bert.shown()
    await anna.decide(presentation)
    await tell(worker, account(anna.subject, "closed"), sequence=2)
    await eventually(lambda: refused(anna, presentation), timeout=20)
    assert (await anna.post("/presentations", {"purposes": [PURPOSE]})).status_code == 409
    assert (await anna.withdraw()).json()["state"] == "withdrawn"
    assert (await bert.decide(berts)).status_code == 200


async def test_the_account_that_came_last_counts_whatever_arrives_late(consent, worker):
    """An old event, a second copy and a replay change nothing; an erased person (tombstone) decides nothing."""
    anna, mark = consent.person(), consent.person()
    presentation = await anna.shown()
    await tell(worker, account(anna.subject, "closed"), sequence=3)
    for sequence in (1, 2, 3):
        await tell(worker, account(anna.subject, "confirmed"), sequence=sequence)
    await eventually(lambda: refused(anna, presentation), timeout=20)
    await tell(worker, account(mark.subject, "confirmed"), sequence=1)
    await eventually(lambda: consent.mongo.find_one("inbox", {"_id": f"{AccountEvent.topic.name}|{mark.subject}"}), timeout=20)
    assert await refused(anna, presentation)
    await tell(worker, account(anna.subject, "confirmed"), sequence=4)
    await eventually(lambda: accepted(anna, presentation), timeout=20)
    await tell_gone(worker, account(anna.subject, "confirmed"), sequence=5)
    await eventually(lambda: refused(anna, presentation), timeout=20)


async def accepted(person, presentation: str) -> bool:
    return (await person.decide(presentation)).status_code == 200


async def test_tokens_are_checked_with_what_came_by_event(consent, worker):
    """A new key, an ended session, a withdrawn key: each is known in seconds, without asking identity."""
    other = Signer(consent.settings.public_url)
    subject, session = new_id(), new_id()

    async def answers(token: str, status: int) -> bool:
        answer = await consent.client.get(f"{PREFIX}/decisions", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code == status

    first, second = other.token(subject, session=session), other.token(subject)
    assert await answers(first, 401)
    key = other.announcement()
    await tell(worker, key, sequence=1)
    await eventually(lambda: answers(first, 200), timeout=20)
    ended = SessionEvent(session=session, account=subject, ended_at=Clock().machine(), reason="signed-out")
    await tell(worker, ended, sequence=2)
    await eventually(lambda: answers(first, 401), timeout=20)
    assert await answers(second, 200)
    await tell_gone(worker, key, sequence=2)
    await eventually(lambda: answers(second, 401), timeout=20)
