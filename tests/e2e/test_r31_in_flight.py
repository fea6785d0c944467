"""R31: somebody is erased while mails wait, an alert is being made and a change is on its way: all of it ends with them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from contracts.profiles.profile import ProfileEvent
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import PASSWORD, Portal, fill_in, ok
from testkit.probe import read_topic
from testkit.samples import saved_search, vacancies
from testkit.stack import Stack
from testkit.waiting import eventually
from testkit.whereabouts import Client, left_of

PAGE = "/api/consent/v1/pages/requests/"
HELD = ("notifications-worker", "profiles-worker", "mail")


@pytest.fixture
def mongo(stack: Stack) -> Iterator[Client]:
    """MongoDB as its administrator sees it."""
    with Client(stack.mongo_url(), readConcernLevel="majority") as client:
        yield client


async def publish(cast: Cast, organisation: Organisation) -> None:
    """A vacancy that fits the saved search."""
    fits = next(one for one in vacancies(cast.today) if one.matches_search)
    ok(await organisation.system.post("profiles/v1/vacancies", fits.posting))


def waiting(mongo: Client, subject: str) -> dict[str, int]:
    """How many mails wait for somebody, by template."""
    found = [row["template"] for row in mongo.notifications.mails.find({"subject": subject, "state": "queued"})]
    return {template: found.count(template) for template in found}


async def hold_everything_up(
    cast: Cast, portal: Portal, organisation: Organisation, stack: Stack, mongo: Client, made: Candidate
) -> None:
    """Two mails wait for a dead server, an alert is not made yet, a change has not left the outbox; each is seen to be so."""
    await asyncio.to_thread(stack.stop, "mail")
    await portal.register(made.email)
    await publish(cast, organisation)
    await eventually(lambda: waiting(mongo, made.actor.subject) == {"address-known": 1, "job-alert": 1}, timeout=30)
    await asyncio.to_thread(stack.stop, "notifications-worker")
    await publish(cast, organisation)
    await eventually(lambda: stack.unsent("profiles") == 0, timeout=30)
    await asyncio.to_thread(stack.stop, "profiles-worker")
    await fill_in(made.actor, changed(made))
    assert mongo.profiles.outbox.count_documents({"key": made.actor.subject}) == 1
    assert waiting(mongo, made.actor.subject) == {"address-known": 1, "job-alert": 1}


def changed(made: Candidate) -> dict[str, Any]:
    career = made.person.profile["career"]
    return {**made.person.profile, "career": {**career, "headline": f"{career['headline']} op reis"}}


async def test_r31_what_is_under_way_when_somebody_is_erased_ends_with_them(
    cast: Cast, portal: Portal, organisation: Organisation, stack: Stack, mongo: Client
) -> None:
    made = await cast.active()
    subject = made.actor.subject
    ok(await made.actor.post("notifications/v1/searches", {"criteria": saved_search()}))
    before = {mail.id for mail in await portal.mailbox.all(made.email)}
    try:
        await hold_everything_up(cast, portal, organisation, stack, mongo, made)
        request = ok(await made.actor.post("identity/v1/me/account/erasure", {"password": PASSWORD})).json()["request"]
        await asyncio.to_thread(stack.start, "notifications-worker", "profiles-worker")
        await eventually(lambda: set(waiting(mongo, subject)) == {"erasure-begun", "erased"}, timeout=60)
    finally:
        await asyncio.to_thread(stack.start, *HELD)
    certificate = await eventually(lambda: mongo.consent.requests.find_one({"_id": request, "phase": "closed"}), timeout=60)
    assert set(certificate["parts"]) == {"identity", "profiles", "consent", "notifications"}
    assert certificate["word"] == "accepted"
    await eventually(lambda: not left_of(mongo, subject), timeout=15)
    mails = [mail for mail in await portal.mailbox.all(made.email) if mail.id not in before]
    assert [mail.has_link(PAGE) for mail in mails] == [True, False]
    assert "verwijderd" in mails[1].subject
    told = [one for one in await read_topic(stack.kafka, ProfileEvent.topic.name) if one.key == subject.encode()]
    assert told[-1].value is None
