"""A profile's year through API, events, jobs and mails (R15 to R18, R44)."""

import pytest
from chassis.mongo import transact
from contracts.consent.decision import DecisionEvent
from contracts.topics import event_on
from profiles.lifecycle.model import Step

COMPLETE = {
    "identity": {"given_name": "Sanne", "family_name": "van der Meer", "place": "Utrecht"},
    "wishes": {"titles": ["Souschef"], "place": "Amersfoort"},
}
RENEW = "/api/profiles/v1/pages/renew/"


@pytest.fixture
async def sanne(world):
    """Somebody whose profile is in the bank."""
    candidate = world.candidate()
    await candidate.tell(COMPLETE)
    await world.consent(candidate.subject)
    assert (await candidate.activate()).status_code == 200
    return candidate


async def life(candidate):
    return await candidate.get("/me/lifecycle")


async def in_bank(world, candidate):
    told = (await world.events("profile", candidate.subject))[-1]
    assert told["in_bank"] == (await life(candidate))["in_bank"]
    return told["in_bank"]


async def test_r09_activation_names_what_is_missing(world):
    candidate = world.candidate()
    await candidate.tell({"identity": {"given_name": "Sanne"}})
    answer = await candidate.activate()
    assert answer.status_code == 422
    missing = ["identity.family_name", "identity.place", "wishes.place", "wishes.titles"]
    assert [error["field"] for error in answer.json()["errors"]] == missing
    assert (await life(candidate))["missing"] == missing
    assert (await life(candidate))["state"] == "draft"


async def test_r44_activation_needs_the_word_or_the_age(world):
    candidate = world.candidate()
    await candidate.tell(COMPLETE)
    silent = await candidate.send("POST", "/me/activation", {})
    assert [error["field"] for error in silent.json()["errors"]] == ["sixteen_or_older"]
    young = {**COMPLETE, "identity": {**COMPLETE["identity"], "birth_date": str(world.today.replace(year=world.today.year - 15))}}
    await candidate.tell(young)
    assert [error["rule"] for error in (await candidate.activate()).json()["errors"]] == ["under-age"]
    assert (await life(candidate))["state"] == "draft"


async def test_r44_an_active_profile_cannot_become_that_of_a_child_or_lose_what_it_needs(world, sanne):
    young = {**COMPLETE["identity"], "birth_date": str(world.today.replace(year=world.today.year - 15))}
    assert (await sanne.tell({**COMPLETE, "identity": young})).status_code == 422
    assert (await sanne.tell({})).status_code == 422
    assert (await sanne.get("/me/profile"))["identity"] == COMPLETE["identity"]


async def test_r15_activation_waits_for_consent_and_completes_by_itself(world):
    candidate = world.candidate()
    await candidate.tell(COMPLETE)
    answer = await candidate.activate()
    assert (answer.status_code, answer.json()["waiting_for"]) == (202, ["consent"])
    assert not await in_bank(world, candidate)
    await world.consent(candidate.subject)
    assert await in_bank(world, candidate)
    assert (await life(candidate))["waiting_for"] == []


async def test_r15_consent_before_anything_else_is_kept(world):
    candidate = world.candidate()
    await world.consent(candidate.subject)
    await candidate.tell(COMPLETE)
    assert (await candidate.activate()).status_code == 200
    assert await in_bank(world, candidate)


async def test_r26_withdrawing_takes_the_profile_out_and_consenting_brings_it_back(world, sanne):
    await world.consent(sanne.subject, "withdrawn")
    assert not await in_bank(world, sanne)
    await world.consent(sanne.subject)
    assert await in_bank(world, sanne)


async def test_r26_consent_out_of_order_and_twice_ends_in_the_last_word(world, sanne):
    await world.consent(sanne.subject, "withdrawn", sequence=9)
    await world.consent(sanne.subject, "consented", sequence=8)
    await world.consent(sanne.subject, "withdrawn", sequence=9)
    assert not await in_bank(world, sanne)


@pytest.mark.parametrize("state", ["shown", "acknowledged", "withdrawn", "expired"])
async def test_r26_only_consent_is_consent(world, sanne, state):
    await world.consent(sanne.subject, state)
    assert not await in_bank(world, sanne)


async def test_r26_a_forgotten_decision_is_no_consent(world, sanne):
    await world.hear_tombstone(DecisionEvent, f"{sanne.subject}:candidate-search:portal")
    assert not await in_bank(world, sanne)


async def test_consent_for_something_else_changes_nothing(world, sanne):
    await world.consent(sanne.subject, "withdrawn", purpose="newsletter")
    await world.consent(sanne.subject, "withdrawn", controller="0198c0de-0000-7000-8000-0000000000aa")
    assert await in_bank(world, sanne)


@pytest.mark.parametrize(("state", "visible"), [("locked", False), ("closed", False), ("confirmed", True)])
async def test_r06_a_blocked_account_is_not_in_the_bank(world, sanne, state, visible):
    await world.account(sanne.subject, state)
    assert await in_bank(world, sanne) is visible


async def test_a_decision_that_cannot_be_applied_hides_the_person_until_it_can(world, sanne):
    listened = {one.topic.name: one for one in world.worker.consumer.subscriptions}
    parked = listened["consent.decision.v1"].when_parked

    class Item:
        key = f"{sanne.subject}:candidate-search:portal"
        event = None

    await transact(world.made.mongo, lambda uow: parked(Item(), uow))
    assert not await in_bank(world, sanne)
    await world.consent(sanne.subject)
    assert await in_bank(world, sanne)


async def test_r18_deactivated_and_reactivated_at_any_moment(world, sanne):
    first = await life(sanne)
    stopped = await sanne.send("POST", "/me/deactivation")
    assert (stopped.json()["state"], stopped.json()["reason"]) == ("inactive", "by-candidate")
    assert not await in_bank(world, sanne)
    refused = await sanne.activate()
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:kandidatenbank:problem:reactivate-instead")
    world.turn(30)
    again = (await sanne.send("POST", "/me/reactivation")).json()
    assert again["cycle"] == first["cycle"] + 1
    assert again["visible_until"] > first["visible_until"]
    assert await in_bank(world, sanne)


async def test_r15_activating_twice_is_once(world, sanne):
    before = await world.events("profile", sanne.subject)
    assert (await sanne.activate()).status_code == 200
    assert await world.events("profile", sanne.subject) == before


async def test_r18_a_draft_can_be_neither_stopped_nor_reactivated(world):
    candidate = world.candidate()
    assert (await candidate.send("POST", "/me/deactivation")).status_code == 409
    assert (await candidate.send("POST", "/me/reactivation")).status_code == 409


async def test_r16_the_question_comes_after_the_year_and_not_a_day_early(world, sanne):
    world.turn(364)
    assert await world.sweep() == 0
    mail = await world.a_year_passed(sanne)
    assert mail["cause"] == f"profiles:ask:{sanne.subject}:1"
    assert (mail["template"], mail["address"], mail["facts"]["period-days"]) == ("renewal-asked", "account", "28")
    assert (await life(sanne))["state"] == "asked"
    assert await in_bank(world, sanne)


async def test_r16_sweeping_again_asks_nothing_again(world, sanne):
    await world.a_year_passed(sanne)
    assert await world.sweep() == 0
    assert len(await world.mails(sanne.subject)) == 1


async def test_r16_two_workers_at_the_same_step_take_it_once(world, sanne):
    world.turn(370)
    await world.announce_sealing_key()
    take = world.made.lifecycles.take
    await transact(world.made.mongo, lambda uow: take(uow, subject=sanne.subject, step=Step.ASK, cycle=1))
    late = await transact(world.made.mongo, lambda uow: take(uow, subject=sanne.subject, step=Step.ASK, cycle=1))
    assert late is False
    assert len(await world.mails(sanne.subject)) == 1


async def test_r16_without_a_sealing_key_the_question_waits_for_one(world, sanne):
    world.turn(370)
    assert await world.sweep() == 1
    assert await world.mails(sanne.subject) == []
    await world.announce_sealing_key()
    assert await world.made.sealer.release_waiting(world.made.mongo, event_on) == 1
    assert (await world.mails(sanne.subject))[0]["secret"]


async def test_r16_the_link_shows_to_scanners_and_renews_by_the_button_once(world, sanne):
    mail = await world.a_year_passed(sanne)
    await world.deliver(mail["cause"])
    before = await life(sanne)
    for method in ("GET", "HEAD", "GET", "GET"):
        assert (await world.client.request(method, RENEW + mail["secret"])).status_code == 200
    assert await life(sanne) == before
    page = (await world.client.get(RENEW + mail["secret"])).text
    assert '<form method="post">' in page
    assert "Sanne" not in page
    for _ in range(2):
        pressed = await world.client.post(RENEW + mail["secret"])
        assert pressed.status_code == 200
        assert "nog een jaar" in pressed.text
    after = await life(sanne)
    assert (after["state"], after["cycle"]) == ("active", 2)
    assert after["visible_until"] == str(world.today.replace(year=world.today.year + 1))
    assert "form" not in (await world.client.get(RENEW + mail["secret"])).text


async def test_r16_the_secret_is_kept_only_as_a_hash(world, sanne):
    mail = await world.a_year_passed(sanne)
    names = await world.made.mongo.database.list_collection_names()
    assert "renewals" in names
    assert not [name for name in names if mail["secret"] in repr(await world.made.mongo.find(name, {}))]


async def test_r16_a_link_that_nobody_sent_leads_nowhere(world):
    assert (await world.client.get(RENEW + "x" * 43)).status_code == 404
    assert (await world.client.post(RENEW + "x" * 43)).status_code == 404


async def test_r17_nobody_expires_who_was_never_asked(world, sanne):
    await world.a_year_passed(sanne)
    world.turn(400)
    assert await world.sweep() == 0
    assert (await life(sanne))["state"] == "asked"


async def reminded_to_the_end(world, candidate):
    """Let the whole period pass with every mail delivered, and return the mails."""
    mail = await world.a_year_passed(candidate)
    await world.deliver(mail["cause"])
    for days in (14, 11, 4):
        world.turn(days - 1)
        assert await world.sweep() == 0
        world.turn(1)
        await world.announce_sealing_key()
        assert await world.sweep() == 1
        mails = await world.mails(candidate.subject)
        await world.deliver(mails[-1]["cause"])
    return mails


async def test_r17_reminders_then_gone_from_the_bank_and_told_so(world, sanne):
    mails = await reminded_to_the_end(world, sanne)
    assert [mail["template"] for mail in mails] == ["renewal-asked", "renewal-reminder", "renewal-reminder", "profile-expired"]
    assert [mail["cause"].split(":")[1] for mail in mails] == ["ask", "remind-1", "remind-2", "end"]
    assert len({mail["secret"] for mail in mails}) == 4
    ended = await life(sanne)
    assert (ended["state"], ended["reason"], ended["notices"]) == ("inactive", "expired", [])
    assert not await in_bank(world, sanne)


async def test_r17_an_expired_link_says_so_and_reactivation_works(world, sanne):
    mails = await reminded_to_the_end(world, sanne)
    for method in ("GET", "POST"):
        answer = await world.client.request(method, RENEW + mails[0]["secret"])
        assert answer.status_code == 410
        assert "opnieuw activeren" in answer.text
    assert (await life(sanne))["state"] == "inactive"
    assert (await sanne.send("POST", "/me/reactivation")).json()["cycle"] == 2
    assert await in_bank(world, sanne)


async def test_r17_any_reminders_link_renews_too(world, sanne):
    mail = await world.a_year_passed(sanne)
    await world.deliver(mail["cause"])
    answer_before = (await life(sanne))["answer_before"]
    world.turn(14)
    await world.announce_sealing_key()
    await world.sweep()
    reminder = (await world.mails(sanne.subject))[-1]
    assert reminder["facts"] == {"answer-before": answer_before}
    assert (await world.client.post(RENEW + reminder["secret"])).status_code == 200
    assert (await life(sanne))["state"] == "active"


@pytest.mark.parametrize("outcome", ["bounced", "given-up"])
async def test_r17_who_cannot_be_reached_ends_as_unreachable_and_is_told_at_the_next_sign_in(world, sanne, outcome):
    mail = await world.a_year_passed(sanne)
    await world.deliver(mail["cause"], outcome)
    world.turn(28)
    assert await world.sweep() == 0
    assert await in_bank(world, sanne)
    world.turn(1)
    assert await world.sweep() == 1
    ended = await life(sanne)
    assert (ended["state"], ended["reason"], ended["notices"]) == ("inactive", "unreachable", ["unreachable"])
    assert len(await world.mails(sanne.subject)) == 1


async def test_r17_word_of_an_old_year_or_of_somebody_unknown_changes_nothing(world, sanne):
    mail = await world.a_year_passed(sanne)
    await world.client.post(RENEW + mail["secret"])
    before = await life(sanne)
    await world.deliver(mail["cause"])
    for cause in (f"profiles:ask:{sanne.subject[:-1]}0:1", "profiles:renewed:x", "profiles:ask:x:y"):
        await world.deliver(cause)
    assert await life(sanne) == before


async def test_r17_after_a_long_absence_each_step_still_waits_for_the_one_before(world, sanne):
    mail = await world.a_year_passed(sanne)
    world.turn(300)
    await world.announce_sealing_key()
    await world.deliver(mail["cause"])
    assert await world.sweep() == 0
    answer_before = (await life(sanne))["answer_before"]
    assert answer_before > str(world.today)


async def test_a_profile_whose_step_fails_does_not_hold_up_the_others(world, sanne, monkeypatch):
    other = world.candidate()
    await other.tell(COMPLETE)
    await other.activate()
    world.turn(370)
    await world.announce_sealing_key()
    told = type(world.made.records).keep

    async def failing(self, uow, record):
        if record.subject == sanne.subject:
            raise ValueError("broken")
        await told(self, uow, record)

    monkeypatch.setattr(type(world.made.records), "keep", failing)
    assert await world.sweep() == 1
    assert (await life(other))["state"] == "asked"
    assert (await life(sanne))["state"] == "active"


async def test_the_language_of_the_account_is_that_of_the_mails(world, sanne):
    await world.account(sanne.subject, language="en")
    assert (await world.a_year_passed(sanne))["language"] == "en"
