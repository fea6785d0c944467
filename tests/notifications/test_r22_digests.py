"""R22: who wants mails collected gets one at their hour, of what is offered and fits then, and none when that is nothing."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from chassis.clock import AMSTERDAM
from chassis.ids import new_id
from chassis.mongo import transact
from notifications.alerts import service as alerts
from notifications.news.service import ask_digests, forget_old

pytestmark = pytest.mark.integration
PATH = "/api/notifications/v1/searches"


async def save(api, person, frequency: str, *, hour: int = 8, words: str = "houtbouw") -> str:
    body = {"criteria": {"words": words}, "frequency": frequency, "hour": hour, "weekday": 3}
    answer = await api.http.post(PATH, json=body, headers=api.signed_in(person))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def turn_to(world, moment: datetime) -> None:
    """Turn domain time to a moment ahead."""
    ahead = moment - world.clock.now()
    assert ahead > timedelta()
    seconds = int((world.clock.offset() + ahead).total_seconds()) + 1
    world.settings.clock_file.write_text(str(seconds))


def next_at(world, hour: int, *, weekday: int | None = None) -> datetime:
    day = world.clock.now().astimezone(AMSTERDAM)
    at = day.replace(hour=hour, minute=0, second=0, microsecond=0)
    while at <= day or (weekday is not None and at.isoweekday() != weekday):
        at = (at + timedelta(days=1)).replace(hour=hour)
    return at.astimezone(UTC)


async def test_r22_of_many_a_digest_shows_some_and_says_how_many_more(world, postbox, api, person, new, monkeypatch):
    monkeypatch.setattr(alerts, "MOST_SHOWN", 2)
    monkeypatch.setattr(alerts, "READ_AT_ONCE", 3)
    await save(api, person, "daily")
    for number in range(5):
        await world.hear(new(title=f"Timmerman houtbouw {number}"))
    await world.tell()
    turn_to(world, next_at(world, 8))
    assert await world.tell() == 1
    text = postbox.mails[0].get_body(("plain",)).get_content()
    assert postbox.mails[0]["Subject"] == "5 nieuwe vacatures voor je"
    assert [f"houtbouw {number}" in text for number in range(5)] == [True, True, False, False, False]
    assert "En nog 3 andere" in text


@pytest.mark.parametrize(("frequency", "weekday"), [("daily", None), ("weekly", 3)])
async def test_r22_what_is_found_is_collected_until_the_persons_hour(world, postbox, api, person, new, frequency, weekday):
    await save(api, person, frequency, hour=7)
    for title in ("Timmerman houtbouw", "Tekenaar houtbouw"):
        await world.hear(new(title=title))
        assert await world.tell() == 0
    due = next_at(world, 7, weekday=weekday)
    turn_to(world, due - timedelta(minutes=2))
    assert await world.tell() == 0
    turn_to(world, due)
    assert await world.tell() == 1
    (mail,) = postbox.mails
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "2 nieuwe vacatures voor je"
    assert "Timmerman houtbouw" in text
    assert "Tekenaar houtbouw" in text
    assert mail["List-Unsubscribe"].strip(" <>") in text
    assert await world.tell() == 0
    turn_to(world, due + timedelta(days=8))
    assert await world.tell() == 0


async def test_r22_a_digest_shows_what_is_offered_as_it_is_now(world, postbox, api, person, new):
    await save(api, person, "daily")
    closes, changes, rewritten = new(title="Sluit houtbouw"), new(title="Eerst houtbouw"), new(title="Weg houtbouw")
    await world.hear(closes, changes, rewritten)
    await world.tell()
    await world.hear(
        closes.model_copy(update={"state": "closed"}),
        changes.model_copy(update={"title": "Nu houtbouw"}),
        rewritten.model_copy(update={"title": "Weg staalbouw", "description": "", "skills": ()}),
    )
    turn_to(world, next_at(world, 8))
    assert await world.tell() == 1
    text = postbox.mails[0].get_body(("plain",)).get_content()
    assert "Nu houtbouw" in text
    assert not any(gone in text for gone in ("Sluit", "Eerst", "Weg"))


async def test_r22_there_is_no_empty_digest(world, postbox, api, person, new):
    await save(api, person, "daily")
    turn_to(world, next_at(world, 8))
    assert await world.tell() == 0
    vacancy = new()
    await world.hear(vacancy)
    await world.tell()
    await world.hear(vacancy.model_copy(update={"state": "closed"}))
    turn_to(world, next_at(world, 8))
    await world.tell()
    assert postbox.mails == []


async def test_r22_the_search_that_tells_soonest_tells_and_no_other(world, postbox, api, person, new):
    await save(api, person, "weekly")
    await save(api, person, "immediate", words="amersfoort")
    vacancy = new(description="In Amersfoort")
    await world.hear(vacancy)
    assert await world.tell() == 1
    assert postbox.mails[0]["Subject"] == "Nieuwe vacature: Werkvoorbereider houtbouw"
    turn_to(world, next_at(world, 8, weekday=3) + timedelta(hours=1))
    assert await world.tell() == 0


async def test_r22_a_digest_that_was_asked_for_twice_is_one_mail(world, postbox, api, person, new):
    await save(api, person, "daily")
    await world.hear(new())
    await world.fan_out()
    turn_to(world, next_at(world, 8))
    assert [await ask_digests(world.mongo), await ask_digests(world.mongo)] == [1, 0]
    assert await world.tell() == 1
    assert len(postbox.mails) == 1


async def test_r22_days_that_were_missed_are_one_mail_and_not_one_for_each(world, postbox, api, person, new):
    """The scheduler was away for three days: what waited goes in the digests it was collected for, each once."""
    await save(api, person, "daily")
    await world.hear(new(title="Eerste houtbouw"))
    await world.fan_out()
    turn_to(world, next_at(world, 8) + timedelta(days=3))
    assert await world.tell() == 1
    assert len(postbox.mails) == 1


async def test_r22_what_somebody_was_told_is_forgotten_when_it_cannot_be_news_again(world, api, person, new):
    await save(api, person, "daily")
    await world.hear(new())
    await world.fan_out()
    world.turn_days(399)
    assert await forget_old(world.mongo) == 0
    world.turn_days(402)
    assert await forget_old(world.mongo) == 1
    assert await world.mongo.find("news", {}) == []


async def test_r31_what_is_collected_for_somebody_goes_with_them_and_nobody_elses(world, api, person, new):
    other = new_id()
    for one in (person, other):
        await save(api, one, "daily")
    await world.hear(new())
    await world.fan_out()
    erase = partial(world.parts.erasure.begin, request=new_id(), subject=person, phase="services")
    await transact(world.mongo, lambda uow: erase(uow))
    assert [row["subject"] for row in await world.mongo.find("news", {})] == [other]
