"""Queued mails against a real SMTP server: what it says, what it does not say, and who dies meanwhile."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta

import pytest
from chassis.ids import new_id
from chassis.keyring import KEYS
from chassis.mongo import transact
from notifications.mail import service as queue
from notifications.sending.model import Retries
from notifications.sending.service import give_up_overdue
from notifications.smtp import UnreachableError
from pymongo.errors import AutoReconnect
from testkit.waiting import eventually

pytestmark = pytest.mark.integration
CONTENT = {"facts", "details", "language", "target", "tags", "due_at", "lease", "marked_at", "waits_for", "dark"}


@pytest.fixture
async def asked(world, subject):
    """The cause of a must-arrive mail to a person whose address is known."""
    request = await world.ask(subject)
    await world.hear(await world.contact(subject, "an@x.example"), request)
    return request.cause


@pytest.fixture
async def told(world, subject):
    """The cause of an at-most-once mail to the same person."""
    request = await world.renewed(subject)
    await world.hear(await world.contact(subject, "an@x.example"), request)
    return request.cause


async def until(world, sender, cause, state):
    """Send rounds until the mail is in that state."""

    async def reached():
        await sender.round()
        return (await world.mail(cause))["state"] == state

    await eventually(reached)


async def test_a_mail_is_sent_once_and_its_asker_told_on_which_day(world, postbox, asked):
    world.turn_days(100)
    sender = world.sender()
    assert await sender.round() == 1
    assert await sender.round() == 0
    (mail,) = postbox.mails
    assert (mail["To"], mail["From"]) == ("an@x.example", "Kandidatenbank <portaal@kandidatenbank.example>")
    text = mail.get_body(("plain",)).get_content()
    assert "https://portal.example/api/profiles/v1/pages/renew/s3cret" in text
    assert "1 maart 2027" in text
    delivery = {"cause": asked, "asker": "profiles", "outcome": "accepted", "on": world.clock.today().isoformat()}
    assert await world.deliveries(asked) == [delivery]


async def test_the_log_of_mails_keeps_no_address_and_no_content(world, asked, subject):
    await world.sender().round()
    row = await world.mail(asked)
    assert not CONTENT & row.keys()
    assert (row["subject"], row["template"], row["attempts"], row["reason"]) == (subject, "renewal-asked", 1, "taken")


async def test_one_connection_carries_several_mails_and_is_made_anew_when_it_has_gone(world, postbox, subject):
    sender = world.sender()
    await world.hear(await world.contact(subject, "an@x.example"))
    for number in range(3):
        await world.hear(await world.ask(subject, cause=f"profiles:ask:{subject}:{number}"))
    await sender.round()
    assert (len(postbox.mails), postbox.sessions) == (3, 1)
    await postbox.stop()
    await postbox.start()
    await world.hear(await world.ask(subject, cause=f"profiles:ask:{subject}:9"))
    await sender.round()
    assert (len(postbox.mails), postbox.sessions) == (4, 2)


@pytest.mark.parametrize("answer", ["421 idle for too long", "500 what?"])
async def test_a_connection_that_is_of_no_use_any_more_is_made_anew_and_no_try_is_lost(world, postbox, asked, subject, answer):
    sender = world.sender()
    await sender.round()
    postbox.to_rset.append(answer)
    await world.hear(await world.ask(subject, cause=f"profiles:ask:{subject}:2"))
    await sender.round()
    assert (len(postbox.mails), postbox.sessions) == (2, 2)


@pytest.mark.parametrize("where", ["to_rcpt", "to_data"])
async def test_a_deferred_mail_is_tried_again_and_taken(world, postbox, asked, where):
    getattr(postbox, where).extend(["451 later", "421 not now"])
    await until(world, world.sender(), asked, "accepted")
    assert len(postbox.mails) == 1
    assert (await world.mail(asked))["attempts"] == 3
    assert [one["outcome"] for one in await world.deliveries(asked)] == ["accepted"]


@pytest.mark.parametrize("where", ["to_rcpt", "to_data"])
async def test_a_deferred_mail_of_the_other_class_is_tried_again_too(world, postbox, told, where):
    getattr(postbox, where).append("451 later")
    await until(world, world.sender(), told, "accepted")
    assert len(postbox.mails) == 1


@pytest.mark.parametrize("where", ["to_rcpt", "to_data"])
async def test_a_refused_mail_bounces_at_once(world, postbox, asked, where):
    getattr(postbox, where).append("550 no such person")
    await until(world, world.sender(), asked, "bounced")
    assert [one["outcome"] for one in await world.deliveries(asked)] == ["bounced"]
    assert postbox.mails == []


async def test_while_no_server_answers_no_mail_uses_up_its_tries(world, postbox, asked):
    await postbox.stop()
    sender = world.sender()
    with pytest.raises(UnreachableError):
        await sender.round()
    assert (await world.mail(asked))["attempts"] == 0
    running = asyncio.create_task(sender.run())
    await postbox.start()
    await eventually(lambda: len(postbox.mails) == 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await world.mail(asked))["state"] == "accepted"


async def test_when_unsure_a_mail_that_must_arrive_is_sent_again_under_the_same_message_id(world, postbox, asked, make):
    postbox.to_data.append(make.drop)
    await until(world, world.sender(), asked, "accepted")
    first, second = postbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert [one["outcome"] for one in await world.deliveries(asked)] == ["accepted"]


async def test_when_unsure_a_mail_of_at_most_once_is_never_sent_again(world, postbox, told, make):
    postbox.to_data.append(make.drop)
    await until(world, world.sender(), told, "given-up")
    assert len(postbox.mails) == 1
    assert (await world.mail(told))["reason"] == "unsure"
    assert [one["outcome"] for one in await world.deliveries(told)] == ["given-up"]


async def kill_in_data(world, postbox, cause):
    """Run a real mail worker and kill it (SIGKILL) when the server has the message, before it hears that."""
    settings = world.settings
    environment = {
        **os.environ,
        "NOTIFICATIONS_PRODUCTION": "false",
        "NOTIFICATIONS_WORKER_PORT": "0",
        "NOTIFICATIONS_SMTP_PORT": str(postbox.port),
        "NOTIFICATIONS_MONGO_URL": settings.mongo_url.get_secret_value(),
        "NOTIFICATIONS_MONGO_DATABASE": settings.mongo_database,
        "NOTIFICATIONS_KEYRING_URL": settings.keyring_url.get_secret_value(),
        "NOTIFICATIONS_KEYRING_DATABASE": settings.keyring_database,
        "NOTIFICATIONS_MASTER_KEYS": str(settings.master_keys),
        "NOTIFICATIONS_HASH_KEY": settings.hash_key.get_secret_value(),
        "NOTIFICATIONS_MAIL_LEASE": "PT2S",
    }

    def die() -> str:
        worker.send_signal(signal.SIGKILL)
        return "250 OK"

    postbox.to_data.append(die)
    command = (sys.executable, "-m", "notifications", "worker", "--roles", "mail")
    worker = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(worker.wait(), 30) == -signal.SIGKILL
    assert (await world.mail(cause))["state"] == "queued"
    assert len(postbox.mails) == 1


async def test_a_worker_killed_before_the_commit_sends_a_mail_that_must_arrive_again(world, postbox, asked):
    await kill_in_data(world, postbox, asked)
    await until(world, world.sender(), asked, "accepted")
    first, second = postbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert len(await world.deliveries(asked)) == 1


async def test_a_worker_killed_before_the_commit_never_sends_a_mail_of_at_most_once_again(world, postbox, told):
    await kill_in_data(world, postbox, told)
    await until(world, world.sender(), told, "given-up")
    assert len(postbox.mails) == 1
    assert (await world.mail(told))["reason"] == "unsure"


async def test_while_the_database_is_away_what_the_server_said_is_kept_and_the_mail_goes_once(world, postbox, asked, monkeypatch):
    commit, away = world.mongo.commit, [AutoReconnect("away")] * 3

    async def commits(session):
        if postbox.mails and away:
            raise away.pop()
        await commit(session)

    monkeypatch.setattr(world.mongo, "commit", commits)
    await world.sender().round()
    assert (not away, (await world.mail(asked))["state"], len(postbox.mails)) == (True, "accepted", 1)


async def test_two_senders_at_once_send_each_mail_once(world, postbox, subject):
    await world.hear(await world.contact(subject, "an@x.example"))
    causes = [f"profiles:ask:{subject}:{number}" for number in range(30)]
    await world.hear(*[await world.ask(subject, cause=cause) for cause in causes])
    running = [asyncio.create_task(world.sender().run()) for _ in range(3)]
    await eventually(lambda: len(postbox.mails) >= 30)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert len(postbox.mails) == 30
    assert len({mail["Message-ID"] for mail in postbox.mails}) == 30
    assert {(await world.mail(cause))["state"] for cause in causes} == {"accepted"}


async def test_a_sender_that_lost_its_lease_changes_nothing(world, asked):
    sender = world.sender()
    now = world.clock.machine()

    async def claim(uow):
        return await queue.claim(uow, now=now, until=now, token="late", limit=1)

    (held,) = await transact(world.mongo, claim)
    await sender.round()
    assert (await world.mail(asked))["state"] == "accepted"
    assert not await transact(world.mongo, lambda uow: queue.holds(uow, held["_id"], "late"))


async def test_stopping_finishes_the_mail_that_is_being_handed_over(world, postbox, asked):
    running = asyncio.create_task(world.sender().run())

    def stop_meanwhile() -> str:
        running.cancel()
        return "250 OK"

    postbox.to_data.append(stop_meanwhile)
    await asyncio.gather(running, return_exceptions=True)
    assert (await world.mail(asked))["state"] == "accepted"


async def test_a_mail_is_given_up_after_its_term_even_while_no_server_answers(world, postbox, asked):
    await postbox.stop()
    retries = Retries(give_up_after=timedelta(seconds=0.1))
    await eventually(lambda: give_up_overdue(world.mongo, clock=world.clock, retries=retries))
    assert (await world.mail(asked))["reason"] == "too-old"
    assert [one["outcome"] for one in await world.deliveries(asked)] == ["given-up"]
    assert await give_up_overdue(world.mongo, clock=world.clock, retries=retries) == 0
    await postbox.start()


async def test_a_mail_that_is_always_deferred_is_given_up_after_its_term(world, postbox, asked):
    postbox.to_rcpt.extend(["451 later"] * 1000)
    sender = world.sender(retries=Retries(timedelta(milliseconds=10), timedelta(milliseconds=20), timedelta(seconds=0.5)))
    await until(world, sender, asked, "given-up")
    assert (await world.mail(asked))["reason"] == "too-old"


async def test_a_mail_without_what_its_words_need_waits_for_a_mended_release_and_is_not_sent_half(world, postbox, subject):
    request = await world.ask(subject, facts={})
    await world.hear(await world.contact(subject, "an@x.example"), request)
    await world.sender().round()
    row = await world.mail(request.cause)
    assert (row["state"], row["reason"], postbox.mails) == ("queued", "unfit", [])


async def test_a_mail_whose_key_does_not_open_waits_and_holds_up_no_other(world, postbox, asked, subject):
    other = new_id()
    await world.hear(await world.contact(other, "jan@x.example"), await world.ask(other))
    await world.keyring.mongo.database[KEYS].update_many({"subject": subject}, {"$set": {"wrapped": b"damaged"}})
    world.keyring.forget(subject, "contact")
    world.keyring.forget(subject, "mail")
    await world.sender().round()
    assert [mail["To"] for mail in postbox.mails] == ["jan@x.example"]
    row = await world.mail(asked)
    assert (row["state"], row["reason"]) == ("queued", "unfit")


async def test_an_address_with_accents_is_sent_as_smtputf8(world, postbox, subject):
    await world.hear(await world.contact(subject, "andré@café.example"), await world.ask(subject))
    await world.sender().round()
    assert [mail["To"] for mail in postbox.mails] == ["andré@xn--caf-dma.example"]


async def test_nothing_that_names_a_person_lies_readable_in_the_queue(world, asked):
    stored = json.dumps([await world.mongo.find(name, {}) for name in ("mails", "contacts", "outbox")], default=str)
    assert asked in stored
    assert "an@x.example" not in stored
    assert "s3cret" not in stored
