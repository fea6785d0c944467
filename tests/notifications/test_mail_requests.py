"""Requests for mails and contacts of people, in whatever order they come."""

from datetime import timedelta

import pytest
from chassis.destruction import destroy_due
from chassis.keyring import KeyDestroyedError
from chassis.mongo import transact
from contracts.consent.mail_request import ConsentMailRequestEvent
from contracts.consent.request import SAMPLES as REQUESTS
from contracts.consent.request import RequestEvent
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.kinds import Sealed
from notifications.sending.model import Retries

pytestmark = pytest.mark.integration
DARK = Sealed(key_id="01a20c71-0000-7000-8000-000000000000", box="c2VhbGVkIGJveA==")


async def test_one_cause_is_mailed_once_however_often_it_is_asked(world, postbox, subject):
    request = await world.ask(subject)
    await world.hear(await world.contact(subject, "an@x.example"), request, request)
    sender = world.sender()
    await sender.round()
    await world.hear(request)
    await world.hear(await world.ask(subject))
    assert await sender.round() == 0
    assert len(postbox.mails) == 1
    assert len(await world.deliveries(request.cause)) == 1


@pytest.mark.parametrize("event_type", [IdentityMailRequestEvent, ConsentMailRequestEvent])
async def test_every_service_may_ask_and_is_named_in_the_answer(world, postbox, subject, event_type):
    asker = event_type.topic.owner
    request = event_type(
        cause=f"{asker}:confirm:{subject}:1",
        subject=subject,
        template="confirm-address",
        language="en",
        facts={"valid-until": "2027-03-01"},
        sealed=await world.seal(address="new@x.example", secret="s3cret"),
        address="sealed",
    )
    await world.hear(request)
    await world.sender().round()
    (mail,) = postbox.mails
    assert (mail["To"], mail["Content-Language"]) == ("new@x.example", "en")
    assert "https://portal.example/api/identity/v1/pages/confirm/s3cret" in mail.get_body(("plain",)).get_content()
    assert [one["asker"] for one in await world.deliveries(request.cause)] == [asker]


async def test_a_mail_greets_by_the_sealed_name_and_speaks_the_contacts_language(world, postbox, subject):
    request = await world.ask(subject, sealed=await world.seal(secret="s3cret", greeting="An"), language="nl")
    await world.hear(await world.contact(subject, "an@x.example", "en"), request)
    await world.sender().round()
    (mail,) = postbox.mails
    assert "Hello An," in mail.get_body(("plain",)).get_content()


async def test_a_mail_waits_for_a_contact_that_comes_later_and_goes_then(world, postbox, subject):
    request = await world.ask(subject)
    await world.hear(request)
    slow = Retries(first=timedelta(hours=1), longest=timedelta(hours=1))
    await world.sender(retries=slow).round()
    row = await world.mail(request.cause)
    assert (row["state"], row["reason"], row["waits_for"]) == ("queued", "no-contact", "contact")
    await world.hear(await world.contact(subject, "an@x.example"))
    await world.sender().round()
    assert [mail["To"] for mail in postbox.mails] == ["an@x.example"]


async def test_a_changed_address_is_the_one_that_is_mailed(world, postbox, subject):
    await world.hear(await world.contact(subject, "old@x.example"), await world.ask(subject))
    await world.hear(await world.contact(subject, "new@x.example"))
    await world.sender().round()
    assert [mail["To"] for mail in postbox.mails] == ["new@x.example"]


@pytest.mark.parametrize("closed_first", [True, False])
async def test_whose_account_is_closed_is_not_mailed_whichever_event_comes_first(world, postbox, subject, make, closed_first):
    events = [await world.contact(subject, "an@x.example"), await world.ask(subject)]
    closing = make.account(subject, "closed")
    await world.hear(*([closing, *events] if closed_first else [*events, closing]))
    await world.sender().round()
    assert postbox.mails == []
    assert (await world.mail(events[1].cause))["reason"] == "account-closed"
    assert [one["outcome"] for one in await world.deliveries(events[1].cause)] == ["given-up"]
    assert await world.mongo.find_one("contacts", {"_id": subject}) is None


async def test_with_the_account_the_key_of_the_address_ends_and_late_events_about_it_are_no_failure(world, subject, make):
    await world.hear(await world.contact(subject, "an@x.example"))
    await world.hear_tombstone(AccountEvent, subject)
    await destroy_due(world.mongo, world.keyring)
    with pytest.raises(KeyDestroyedError):
        await world.keyring.existing(subject, "contact")
    await world.hear(await world.contact(subject, "an@x.example"))
    assert await world.mongo.find_one("contacts", {"_id": subject}) is None


async def test_a_contacts_tombstone_destroys_it(world, subject):
    await world.hear(await world.contact(subject, "an@x.example"))
    await world.hear_tombstone(ContactEvent, subject)
    await destroy_due(world.mongo, world.keyring)
    assert await world.mongo.find_one("contacts", {"_id": subject}) is None
    await world.hear(await world.contact(subject, "an@x.example"))
    assert await world.mongo.find_one("contacts", {"_id": subject}) is None


async def test_a_dark_contact_is_asked_for_again_once_and_its_mails_wait_for_the_answer(world, postbox, subject):
    await world.hear(ContactEvent(account=subject, sealed=DARK, language="nl"), await world.ask(subject))
    asked = await world.mongo.find("outbox", {"topic": "notifications.reseal.v1", "key": subject})
    assert len(asked) == 1
    await world.sender().round()
    assert postbox.mails == []
    await world.hear(await world.contact(subject, "an@x.example"))
    await world.sender().round()
    assert [mail["To"] for mail in postbox.mails] == ["an@x.example"]


async def test_a_mail_whose_secret_is_dark_is_given_up_so_that_its_asker_goes_on(world, postbox, subject):
    request = await world.ask(subject, sealed=DARK)
    await world.hear(await world.contact(subject, "an@x.example"), request)
    await world.sender().round()
    assert postbox.mails == []
    assert (await world.mail(request.cause))["reason"] == "dark"
    assert [one["outcome"] for one in await world.deliveries(request.cause)] == ["given-up"]


async def test_sealed_details_go_dark_by_themselves_two_weeks_after_their_key_began(world, subject):
    contact = await world.contact(subject, "an@x.example")
    world.turn_days(14)
    await world.turn_keys()
    world.made.keyring.forget(subject, "contact")
    await world.hear(contact)
    row = await world.mongo.find_one("contacts", {"_id": subject})
    assert row["address"] is None


async def test_an_account_whose_news_could_not_be_handled_is_not_mailed_meanwhile(world, postbox, subject, make):
    (subscription,) = [one for one in world.consumer.subscriptions if one.event is AccountEvent]
    request = await world.ask(subject)
    await world.hear(await world.contact(subject, "an@x.example"), request)
    await transact(world.mongo, lambda uow: subscription.when_parked(world.incoming(make.account(subject)), uow))
    await world.sender().round()
    assert (postbox.mails, (await world.mail(request.cause))["state"]) == ([], "queued")
    await world.hear(make.account(subject))
    await world.sender().round()


async def test_a_last_mail_that_is_asked_for_again_after_the_erasure_leaves_no_row_and_its_asker_goes_on(world, subject):
    """A topic is read again beside an older dump, in which it was never sent."""
    request = ConsentMailRequestEvent(
        cause=f"consent:erased:{subject}",
        subject=subject,
        template="erased",
        language="nl",
        facts={"dark-on": "2027-03-01", "kept-until": "2032-03-01"},
        address="account",
    )
    asked = RequestEvent.model_validate({**REQUESTS[0].model_dump(), "subject": subject, "phase": "services"})
    await world.hear(await world.contact(subject, "an@x.example"), asked, request)
    assert (await world.mail(request.cause))["state"] == "queued"
    await world.hear(asked.model_copy(update={"phase": "contact"}))
    await world.parts.erasure.finish(world.mongo)
    await world.hear(request)
    assert await world.mail(request.cause) is None
    assert [one["outcome"] for one in await world.deliveries(request.cause)] == ["given-up"]
