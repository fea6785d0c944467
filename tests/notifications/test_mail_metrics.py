"""What is counted of mails: every try by template, outcome and reason; and how many wait, how late."""

import asyncio
from datetime import timedelta

import pytest
from chassis import metrics
from localstack.figures import Page
from notifications.metrics import count_mail, read_mails
from notifications.sending.model import Retries
from notifications.sending.service import give_up_overdue
from testkit.waiting import eventually

pytestmark = pytest.mark.integration


def counted(template="renewal-asked"):
    found = Page.read(metrics.generate_latest(metrics.REGISTRY).decode()).all("mails_total")
    return {(outcome, reason): count for (outcome, reason, of), count in found.items() if of == template}


def since(before, template="renewal-asked"):
    return {what: count - before.get(what, 0) for what, count in counted(template).items() if count != before.get(what, 0)}


async def told(world):
    return Page.read((await metrics.scrape({"mails": lambda: read_mails(world.mongo, world.clock)})).decode())


async def test_every_try_is_counted_with_its_outcome_and_reason(world, postbox, subject):
    before = counted()
    postbox.to_rcpt.extend(["451 later", "250 OK", "550 no such box"])
    await world.hear(await world.contact(subject, "an@x.example"), await world.ask(subject))
    sender = world.sender()

    async def reached(count):
        await sender.round()
        return sum(since(before).values()) == count

    await eventually(lambda: reached(2))
    await world.hear(await world.ask(subject, cause=f"profiles:ask:{subject}:2"))
    await eventually(lambda: reached(3))
    assert since(before) == {("again", "deferred"): 1, ("accepted", "taken"): 1, ("bounced", "refused"): 1}


async def test_mails_that_are_given_up_are_counted(world, subject):
    before = counted()
    await world.hear(await world.ask(subject))
    assert await give_up_overdue(world.mongo, clock=world.clock, retries=Retries(give_up_after=timedelta(0))) == 1
    assert since(before) == {("given-up", "too-old"): 1}


def test_a_template_that_nobody_knows_makes_no_series_of_its_own():
    before = counted("other")
    count_mail({"template": "jan@example.nl"}, "given-up", "unfit")
    assert since(before, "other") == {("given-up", "unfit"): 1}
    assert counted("jan@example.nl") == {}


async def test_the_queue_is_told_with_its_length_and_its_delay(world, subject):
    page = await told(world)
    assert (page.get("mails_waiting"), page.get("mails_overdue_seconds")) == (0, 0)
    await world.hear(await world.contact(subject, "an@x.example"), await world.ask(subject))
    await world.hear(await world.ask(subject, cause=f"profiles:ask:{subject}:2"))
    past = world.clock.machine() - timedelta(seconds=100)
    await world.mongo.database["mails"].update_one({"_id": f"profiles:ask:{subject}:1"}, {"$set": {"due_at": past}})
    page = await told(world)
    assert page.get("mails_waiting") == 2
    assert 100 <= page.get("mails_overdue_seconds") < 160
    sender = world.sender()
    await sender.round()
    page = await told(world)
    assert (page.get("mails_waiting"), page.get("mails_overdue_seconds"), page.get("unread", "mails")) == (0, 0, 0)


async def test_a_mail_server_that_is_away_is_counted(world, postbox, subject):
    before = metrics.REGISTRY.get_sample_value("kandidatenbank_mail_server_away_total")
    await world.hear(await world.contact(subject, "an@x.example"), await world.ask(subject))
    await postbox.stop()
    sender = world.sender()
    await _run_until(sender, lambda: metrics.REGISTRY.get_sample_value("kandidatenbank_mail_server_away_total") > before)


async def _run_until(sender, reached):
    task = asyncio.create_task(sender.run())
    try:
        assert await eventually(reached)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
