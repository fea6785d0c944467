"""What a search would find and send, before it is saved: it agrees with what is mailed afterwards, and keeps nothing."""

from datetime import date, timedelta

import pytest
from chassis.mongo import transact
from notifications.preview import service
from notifications.preview.model import Mails, mails, since

PATH = "/api/notifications/v1/searches/preview"
TODAY = date(2027, 3, 1)
"""A Monday."""


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        ([], Mails(0, 0, 0)),
        ([0, 0, 0], Mails(3, 1, 1)),
        ([0, 1], Mails(2, 2, 2)),
        ([1, 7], Mails(2, 2, 1)),
        ([29, 30], Mails(1, 1, 1)),
        ([-1], Mails(0, 0, 0)),
        (range(30), Mails(30, 30, 6)),
    ],
)
def test_mails_are_counted_one_by_one_by_day_and_by_week_over_thirty_days(ago, expected):
    assert mails([TODAY - timedelta(days=days) for days in ago], today=TODAY) == expected


def test_weeks_of_two_years_are_two():
    assert since(TODAY) == date(2027, 1, 31)
    new_year = date(2027, 1, 4)
    assert mails([date(2026, 12, 28), date(2027, 1, 3), new_year], today=new_year).weekly == 2


@pytest.fixture
def ask(api, subject):
    async def post(criteria, **headers):
        body = {"criteria": criteria}
        return await api.http.post(PATH, json=body, headers=headers or api.signed_in(subject))

    return post


@pytest.fixture
def publish(world, make):
    async def hear(*ago, **changes):
        today = world.clock.today()
        events = [make.vacancy(published_on=today - timedelta(days=days), **{"valid_through": None} | changes) for days in ago]
        await world.hear(make.organisation(), *events)
        return [event.vacancy for event in events]

    return hear


pytestmark = pytest.mark.integration


async def test_it_shows_how_many_vacancies_fit_which_and_how_many_mails_there_would_have_been(ask, publish, world):
    newest, old = await publish(0, 40)
    await publish(3, title="Lasser", description="Staal.", skills=())
    await publish(5, state="closed")
    await publish(5, 6, valid_through=world.clock.today() - timedelta(days=1))
    shown = (await ask({"words": "houtbouw", "place": "Amersfoort", "hours_from": 32})).json()
    assert [one["id"] for one in shown.pop("vacancies")] == [newest, old]
    mails = shown.pop("mails_in_30_days")
    assert (mails["immediate"], mails["daily"]) == (4, 3)
    assert shown == {"fitting": 2, "compared": 6, "all": True}


async def test_a_vacancy_is_shown_by_title_organisation_and_place(ask, publish):
    (vacancy,) = await publish(0)
    assert (await ask({"words": "houtbouw"})).json()["vacancies"] == [
        {
            "id": vacancy,
            "title": "Werkvoorbereider houtbouw",
            "organisation": "Bouwbedrijf De Steiger B.V.",
            "place": "Amersfoort",
            "hours": "32-40",
            "url": "https://desteiger.example/vacatures/werkvoorbereider",
        }
    ]


async def test_only_the_newest_are_shown_and_compared_and_it_says_so(ask, publish, monkeypatch):
    monkeypatch.setattr(service, "MOST_COMPARED", 3)
    monkeypatch.setattr(service, "MOST_SHOWN", 2)
    published = await publish(1, 60, 2)
    assert (await ask({"words": "houtbouw"})).json()["all"] is True
    published += await publish(50)
    shown = (await ask({"words": "houtbouw"})).json()
    assert [one["id"] for one in shown["vacancies"]] == [published[0], published[2]]
    assert (shown["fitting"], shown["compared"], shown["all"]) == (3, 3, False)


async def test_nothing_is_kept_and_a_wrong_search_is_refused_as_when_it_is_saved(ask, publish, world, subject):
    await publish(0)
    assert (await ask({"words": "houtbouw"})).status_code == 200
    refused = await ask({"no_words": "hout", "place": "Nergenshuizen"})
    assert [error["field"] for error in refused.json()["errors"]] == ["criteria.place"]
    assert await world.mongo.find("searches", {}) == []
    assert await world.mongo.find("idempotency", {}) == []


async def test_a_vacancy_that_was_kept_before_its_day_was_is_found_and_no_mail(ask, publish, world):
    (vacancy,) = await publish(0)
    row = await world.mongo.find_one("vacancies", {"_id": vacancy})
    del row["published_on"]

    async def keep(uow):
        uow.replace("vacancies", row)

    await transact(world.mongo, keep)
    shown = (await ask({"words": "houtbouw"})).json()
    assert (shown["fitting"], shown["mails_in_30_days"]["immediate"]) == (1, 0)


async def test_only_candidates_ask(ask, api, subject):
    assert (await api.http.post(PATH, json={"criteria": {"words": "hout"}})).status_code == 401
    assert (await ask({"words": "hout"}, **api.signed_in(subject, "recruiter"))).status_code == 403
