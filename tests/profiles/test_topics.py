"""The worker on the real Kafka: what others say arrives, what changed is published, in whatever order it comes."""

from itertools import permutations

import pytest
from contracts.identity.account import AccountEvent
from contracts.profiles.profile import ProfileEvent
from testkit.deliveries import put, saying
from testkit.parts import kafka_settings
from testkit.probe import read_topic, send_raw
from testkit.running import working as running_worker
from testkit.waiting import eventually

COMPLETE = {
    "identity": {"given_name": "Sanne", "family_name": "van der Meer", "place": "Utrecht"},
    "wishes": {"titles": ["Souschef"], "place": "Amersfoort"},
}


def said(world, subject):
    """Return what the others say about a person, with the sequence of each word in its stream."""
    states = ("consented", "withdrawn", "consented")
    words = [(world.decision(subject, state), number) for number, state in enumerate(states, 1)]
    account = AccountEvent(account=subject, state="confirmed", language="en", roles=("candidate",), confirmed_on=world.today)
    return [*words, (account, 1)]


async def test_whatever_the_order_and_however_often_the_end_is_the_same(world):
    """Streams promise order only within themselves, and not even that when a record comes late: the sequence decides."""
    ends = set()
    for order in permutations(range(4)):
        candidate = world.candidate()
        await candidate.tell(COMPLETE)
        await candidate.activate()
        words = said(world, candidate.subject)
        for number in (*order, *reversed(order)):
            event, sequence = words[number]
            await world.hear(event, sequence=sequence)
        told = (await world.events("profile", candidate.subject))[-1]
        row = await world.made.mongo.find_one("profiles", {"_id": candidate.subject})
        ends.add((told["state"], told["in_bank"], row["consent"], row["account"], row["language"]))
    assert ends == {("active", True, True, "confirmed", "en")}


@pytest.fixture
def settings(settings, kafka):
    """Let the worker find the real Kafka."""
    return settings.model_copy(update=kafka_settings(kafka))


@pytest.fixture
async def working(world, kafka):
    """Run the worker beside the API."""
    async with running_worker(world.worker):
        yield world


async def published(kafka, subject):
    """Return what the topic says of a profile, in order."""
    records = await read_topic(kafka, ProfileEvent.topic.name)
    return [ProfileEvent.model_validate_json(record.value) for record in records if record.key == subject.encode()]


async def test_r15_consent_over_kafka_puts_a_waiting_profile_into_the_bank_and_the_topic_says_so(working, kafka):
    candidate = working.candidate()
    await candidate.tell(COMPLETE)
    assert (await candidate.activate()).json()["waiting_for"] == ["consent"]
    event = said(working, candidate.subject)[0][0]
    await put(kafka, saying(event, 1))

    async def in_bank():
        return (await candidate.get("/me/lifecycle"))["in_bank"]

    await eventually(in_bank, timeout=60)

    async def told():
        return [event.in_bank for event in await published(kafka, candidate.subject)][-1:] == [True]

    await eventually(told, timeout=60)
    assert [event.state for event in await published(kafka, candidate.subject)] == ["draft", "active", "active"]


async def test_what_cannot_be_read_is_set_aside_and_the_rest_goes_on(working, kafka):
    candidate = working.candidate()
    event = working.decision(candidate.subject, "consented")
    broken = {"malformed": b"{broken", "invalid": b'{"subject":"x"}'}
    for value in broken.values():
        await send_raw(kafka, event.topic.name, event.key.encode(), value, saying(event, 1).headers())
    await put(kafka, saying(event, 1))

    async def consented():
        row = await working.made.mongo.find_one("profiles", {"_id": candidate.subject})
        return row is not None and row["consent"]

    await eventually(consented, timeout=60)
    rows = await working.made.mongo.find("dead_letters", {"topic": event.topic.name})
    assert set(broken) <= {row["reason"] for row in rows}
