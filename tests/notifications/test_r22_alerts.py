"""R22: whoever's saved search a new vacancy matches, and nobody else, gets one mail that can be stopped with one click."""

from datetime import timedelta
from itertools import permutations

import pytest
from chassis.ids import new_id
from chassis.mongo import transact
from contracts.consent.decision import SAMPLES as DECISIONS
from contracts.consent.decision import DecisionEvent
from contracts.profiles.vacancy import SAMPLES, VacancyEvent
from testkit.waiting import eventually

pytestmark = pytest.mark.integration
PATH = "/api/notifications/v1/searches"


async def test_a_new_vacancy_is_mailed_to_whom_it_fits_and_to_nobody_else(world, postbox, api, person, make, new):
    other = new_id()
    await world.hear(make.account(other), await world.contact(other, "bo@x.example"))
    await api.save(other, words="scheepsbouw")
    await api.save(person, words="Houtbouw", skills=["autocad", "revit"], place="Amersfoort", radius_km=5, level="mbo-4")
    await world.hear(new())
    await world.tell()
    (mail,) = postbox.mails
    text = mail.get_body(("plain",)).get_content()
    assert mail["To"] == "an@x.example"
    assert mail["Subject"] == "Nieuwe vacature: Werkvoorbereider houtbouw"
    for words in ("Bouwbedrijf De Steiger B.V.", "Amersfoort", "32-40", "https://desteiger.example", "Houtbouw, autocad, revit"):
        assert words in " ".join(text.split())


@pytest.mark.parametrize(
    ("language", "why"),
    [
        ("nl", "noemt Houtbouw; Amersfoort ligt 19 km van Utrecht (binnen 25 km); 32-40 uur, gevraagd: vanaf 36"),
        ("en", "mentions Houtbouw; Amersfoort is 19 km from Utrecht (within 25 km); 32-40 hours, asked for: from 36"),
    ],
)
async def test_a_letter_says_why_the_vacancy_fits(world, postbox, api, subject, make, new, language, why):
    await world.hear(make.account(subject), await world.contact(subject, "an@x.example", language), make.organisation())
    await api.save(subject, words="Houtbouw", place="utrecht", hours_from=36)
    await world.hear(new())
    await world.tell()
    (mail,) = postbox.mails
    for kind in ("plain", "html"):
        assert why in " ".join(mail.get_body((kind,)).get_content().split())


async def test_a_person_is_told_of_a_vacancy_once_whatever_they_search_and_however_often_it_is_said(
    world, postbox, api, person, new
):
    await api.save(person, words="houtbouw")
    await api.save(person, skills=["AutoCAD"])
    vacancy = new()
    await world.hear(vacancy, vacancy.model_copy(update={"title": "Werkvoorbereider (houtbouw)"}))
    await world.tell()
    await world.hear(vacancy)
    assert await world.tell() == 0
    assert len(postbox.mails) == 1


async def test_only_vacancies_published_since_the_search_was_saved_are_news(world, postbox, api, person, new):
    await api.save(person)
    today = world.clock.today()
    await world.hear(new(published_on=today - timedelta(days=1)))
    assert await world.tell() == 0
    await world.hear(new(published_on=today))
    assert await world.tell() == 1


async def test_a_change_of_an_old_vacancy_is_no_news_to_a_search_saved_since(world, api, person, new):
    vacancy = new()
    await world.hear(vacancy)
    world.turn_days(1)
    await api.save(person)
    await world.hear(vacancy.model_copy(update={"title": "Werkvoorbereider houtbouw gezocht"}))
    assert await world.tell() == 0


@pytest.mark.parametrize("changes", [{"state": "closed"}, {"valid_through": -1}])
async def test_what_is_closed_or_past_its_last_day_is_told_to_nobody(world, api, person, new, changes):
    await api.save(person)
    today = world.clock.today()
    days = {"valid_through": today - timedelta(days=1), "published_on": today} if "valid_through" in changes else {}
    await world.hear(new(**changes | days))
    assert await world.tell() == 0


@pytest.mark.parametrize("end", ["closed", "tombstone", "rewritten", "searches-else", "removed", "stopped", "withdrawn", "past"])
async def test_what_ends_while_a_mail_waits_stops_it(world, postbox, api, person, new, end):
    search = await api.save(person)
    vacancy = new(valid_through=world.clock.today())
    await world.hear(vacancy)
    await world.fan_out()
    headers = api.signed_in(person) | {"If-Match": '"1"'}
    match end:
        case "closed":
            await world.hear(vacancy.model_copy(update={"state": "closed"}))
        case "tombstone":
            await world.hear_tombstone(VacancyEvent, vacancy.vacancy)
        case "rewritten":
            await world.hear(vacancy.model_copy(update={"title": "Calculator staalbouw", "description": "", "skills": ()}))
        case "searches-else":
            change = {"criteria": {"words": "scheepsbouw"}, "frequency": "immediate", "active": True}
            await api.http.put(f"{PATH}/{search}", json=change, headers=headers)
        case "removed":
            await api.http.delete(f"{PATH}/{search}", headers=headers)
        case "stopped":
            change = {"criteria": {"words": "houtbouw"}, "frequency": "immediate", "active": False}
            await api.http.put(f"{PATH}/{search}", json=change, headers=headers)
        case "withdrawn":
            await world.hear(withdrawn(person))
        case "past":
            world.turn_days(2)
    await world.sender().round()
    assert postbox.mails == []
    mail = await world.mail(f"notifications:alert:{search}:{vacancy.vacancy}")
    assert (mail["state"], mail["reason"]) == ("given-up", "not-wanted")


def withdrawn(subject: str, **changes):
    fields = {"subject": subject, "purpose": "job-alert", "controller": "portal", "state": "withdrawn"}
    return DECISIONS[0].model_copy(update=fields | changes)


async def test_who_withdrew_from_alerts_gets_none_until_they_agree_again(world, postbox, api, person, new):
    await api.save(person)
    await world.hear(withdrawn(person, purpose="newsletter"), withdrawn(person), new())
    await world.tell()
    assert postbox.mails == []
    await world.hear(withdrawn(person, state="consented"), new())
    await world.tell()
    assert len(postbox.mails) == 1


@pytest.mark.parametrize(("purpose", "mails"), [("job-alert", 0), ("newsletter", 1)])
async def test_whose_decision_about_alerts_could_not_be_handled_gets_none_meanwhile(
    world, postbox, api, person, new, purpose, mails
):
    """It may say that they withdrew; an operator's replay, or a later decision, tells."""
    (subscription,) = [one for one in world.consumer.subscriptions if one.event is DecisionEvent]
    await api.save(person)
    parked = world.incoming(withdrawn(person, purpose=purpose))
    await transact(world.mongo, lambda uow: subscription.when_parked(parked, uow))
    await world.hear(new())
    await world.tell()
    assert len(postbox.mails) == mails
    await world.hear(withdrawn(person, purpose=purpose, state="consented"), new())
    await world.tell()
    assert len(postbox.mails) == mails + 1


async def test_one_click_unsubscribe_works_and_ends_that_searchs_mails_only(world, postbox, api, person, new):
    await api.save(person, words="houtbouw")
    await api.save(person, skills=["AutoCAD"])
    await world.hear(new(skills=()))
    await world.tell()
    first = postbox.mails[0]
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = first["List-Unsubscribe"].strip(" <>")
    assert link.startswith("https://portal.example/api/notifications/v1/pages/unsubscribe/")
    assert link in first.get_body(("plain",)).get_content()
    for _ in range(3):
        await api.http.get(link)
        await api.http.head(link)
    await world.hear(new(), new(skills=()))
    assert await world.tell() == 2
    for _ in range(2):
        answer = await api.http.post(link, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "location" in answer.headers, "set-cookie" in answer.headers) == (200, False, False)
    only_first, only_second = new(skills=()), new(title="Tekenaar", description="AutoCAD")
    await world.hear(only_first, only_second)
    assert await world.tell() == 1
    assert postbox.mails[-1]["Subject"] == "Nieuwe vacature: Tekenaar"


async def test_vacancy_account_contact_and_organisation_may_come_in_any_order_and_twice(world, postbox, api, make, new):
    people = {}
    for number, order in enumerate(permutations(range(3))):
        subject, place = new_id(), f"plaats{number}"
        await api.save(subject, words=place)
        vacancy = new(title=f"Werkvoorbereider {place}")
        events = [make.account(subject), await world.contact(subject, f"{number}@x.example"), vacancy]
        delivered = [world.incoming(events[position]) for position in order]
        for one in delivered:
            await world.hear(one)
            await world.tell()
        await world.hear(*delivered, *reversed(delivered))
        people[f"{number}@x.example"] = place
    running = world.sender()
    while await running.round():
        pass

    async def all_told():
        await running.round()
        return {mail["To"] for mail in postbox.mails} == set(people)

    await eventually(all_told)
    assert len(postbox.mails) == len(people)
    assert all(people[mail["To"]] in mail["Subject"] for mail in postbox.mails)


async def test_work_from_anywhere_fits_every_place(world, postbox, api, person, new):
    await api.save(person, place="Zwolle", radius_km=5)
    await world.hear(new(), new(place=None, remote=True))
    await world.tell()
    assert len(postbox.mails) == 1


async def test_the_contracts_own_sample_is_handled(world):
    await world.hear(*SAMPLES, *DECISIONS)
    assert await world.mongo.find_one("vacancies", {"_id": SAMPLES[0].vacancy}) is not None
