"""Saved searches over HTTP: whose they are, what they may ask for, and what a wrong one gets."""

import asyncio
import json
from datetime import timedelta

import pytest
from chassis.ids import new_id
from contracts.identity.session import SessionEvent

pytestmark = pytest.mark.integration
PATH = "/api/notifications/v1/searches"
CRITERIA = {
    "words": "houtbouw",
    "skills": ["AutoCAD"],
    "place": "Utrecht",
    "radius_km": 30,
    "level": "mbo-4",
    "hours_from": 24,
    "hours_to": 40,
    "contract_types": ["permanent"],
}


@pytest.fixture
def headers(api, subject):
    return api.signed_in(subject)


async def test_a_search_is_saved_shown_changed_and_removed(api, headers, world):
    made = await api.http.post(PATH, json={"criteria": CRITERIA}, headers=headers)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    where = made.headers["location"]
    assert where == f"{PATH}/{made.json()['id']}"
    shown = (await api.http.get(where, headers=headers)).json()
    today = world.clock.today().isoformat()
    assert shown == {"id": made.json()["id"], "criteria": CRITERIA, "frequency": "immediate", "active": True, "since": today}
    change = {"criteria": {"place": "Utrecht"}, "frequency": "immediate", "active": False}
    changed = await api.http.put(where, json=change, headers=headers | {"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["active"]) == (200, '"2"', False)
    assert changed.json()["criteria"]["words"] is None
    gone = await api.http.delete(where, headers=headers | {"If-Match": '"2"'})
    assert gone.status_code == 204
    assert (await api.http.get(where, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        ({}, "criteria"),
        ({"words": None}, "criteria"),
        ({"place": "Nergenshuizen"}, "criteria.place"),
        ({"place": "Hengelo"}, "criteria.place"),
        ({"words": "x"}, "criteria.words"),
        ({"words": "!!"}, "criteria.words"),
        ({"words": "woord " * 11}, "criteria.words"),
        ({"words": ["houtbouw"]}, "criteria.words"),
        ({"radius_km": 10, "words": "hout"}, "criteria"),
        ({"place": "Utrecht", "radius_km": 201}, "criteria.radius_km"),
        ({"place": "Utrecht", "radius_km": -1}, "criteria.radius_km"),
        ({"place": "Utrecht", "radius_km": "ver"}, "criteria.radius_km"),
        ({"level": "mbo-5"}, "criteria.level"),
        ({"hours_from": 0}, "criteria.hours_from"),
        ({"hours_to": 81}, "criteria.hours_to"),
        ({"hours_from": 32, "hours_to": 24}, "criteria"),
        ({"contract_types": ["eternal"]}, "criteria.contract_types.0"),
        ({"words": "hout", "sector": "bouw"}, "criteria.sector"),
    ],
)
async def test_a_wrong_search_is_refused_by_field_and_nothing_is_saved(api, headers, subject, world, criteria, field):
    refused = await api.http.post(PATH, json={"criteria": criteria}, headers=headers)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert "Nergenshuizen" not in refused.text
    assert await world.mongo.find("searches", {"subject": subject}) == []


async def test_a_name_that_several_places_share_is_answered_with_the_choices(api, headers):
    refused = await api.http.post(PATH, json={"criteria": {"place": "Hengelo"}}, headers=headers)
    assert "Hengelo (Overijssel)" in refused.json()["errors"][0]["detail"]
    taken = await api.http.post(PATH, json={"criteria": {"place": "Hengelo (Overijssel)"}}, headers=headers)
    assert taken.status_code == 201


@pytest.mark.parametrize("frequency", ["daily", "weekly"])
async def test_what_is_not_offered_yet_is_refused_clearly(api, headers, frequency):
    refused = await api.http.post(PATH, json={"criteria": CRITERIA, "frequency": frequency}, headers=headers)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "frequency"
    assert "immediate" in error["detail"]


@pytest.mark.parametrize("body", [b"{", b"", b"[]"])
async def test_what_does_not_parse_is_refused(api, headers, body):
    refused = await api.http.post(PATH, content=body, headers=headers | {"Content-Type": "application/json"})
    assert refused.status_code in {400, 422}
    assert refused.headers["content-type"] == "application/problem+json"


async def test_only_candidates_have_saved_searches(api, subject):
    assert (await api.http.get(PATH)).status_code == 401
    assert (await api.http.get(PATH, headers=api.signed_in(subject, "recruiter"))).status_code == 403
    refused = await api.http.post(PATH, json={"criteria": CRITERIA}, headers=api.signed_in(subject, "operator"))
    assert refused.status_code == 403


async def test_somebody_elses_search_is_not_there(api, subject):
    where, other = f"{PATH}/{await api.save(subject)}", api.signed_in(new_id())
    change = {"criteria": CRITERIA, "frequency": "immediate", "active": True}
    assert (await api.http.get(where, headers=other)).status_code == 404
    assert (await api.http.put(where, json=change, headers=other | {"If-Match": '"1"'})).status_code == 404
    assert (await api.http.delete(where, headers=other | {"If-Match": '"1"'})).status_code == 404
    assert (await api.http.get(PATH, headers=other)).json()["items"] == []
    assert (await api.http.get(where, headers=api.signed_in(subject))).status_code == 200


@pytest.mark.parametrize(("if_match", "status"), [(None, 428), ('"9"', 412), ("*", 412)])
async def test_a_change_names_the_version_that_it_changes(api, headers, subject, if_match, status):
    where = f"{PATH}/{await api.save(subject)}"
    sent = headers | ({"If-Match": if_match} if if_match else {})
    change = {"criteria": CRITERIA, "frequency": "immediate", "active": True}
    assert (await api.http.put(where, json=change, headers=sent)).status_code == status
    assert (await api.http.delete(where, headers=sent)).status_code == status
    assert (await api.http.get(where, headers=headers)).headers["etag"] == '"1"'


async def test_a_repeated_request_saves_one_search(api, headers, subject, world):
    again = headers | {"Idempotency-Key": "once"}
    first = await api.http.post(PATH, json={"criteria": CRITERIA}, headers=again)
    second = await api.http.post(PATH, json={"criteria": CRITERIA}, headers=again)
    other = await api.http.post(PATH, json={"criteria": {"words": "anders"}}, headers=again)
    assert first.json() == second.json()
    assert (second.status_code, other.status_code) == (201, 422)
    assert len(await world.mongo.find("searches", {"subject": subject})) == 1


async def test_many_requests_at_once_save_no_more_than_one_may_have(api, headers, world):
    for number in range(world.settings.searches_per_person - 2):
        await api.http.post(PATH, json={"criteria": {"words": f"woord{number}"}}, headers=headers)
    sent = [api.http.post(PATH, json={"criteria": {"words": f"meer{number}"}}, headers=headers) for number in range(8)]
    answers = [answer.status_code for answer in await asyncio.gather(*sent)]
    assert sorted(answers) == [201] * 2 + [409] * 6


async def test_a_person_has_at_most_so_many_searches(api, headers, subject, world):
    for number in range(world.settings.searches_per_person):
        await api.save(subject, words=f"woord{number}")
    refused = await api.http.post(PATH, json={"criteria": CRITERIA}, headers=headers)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "too-many-searches")


async def test_pages_of_searches_neither_skip_nor_repeat(api, headers, subject):
    saved = [await api.save(subject, words=f"woord{number}") for number in range(5)]
    seen, path = [], f"{PATH}?limit=2"
    while path:
        page = (await api.http.get(path, headers=headers)).json()
        seen, path = [*seen, *(one["id"] for one in page["items"])], page["next"]
    assert seen == saved


async def test_a_persons_own_words_lie_encrypted_and_as_keyed_hashes_only(api, subject, world):
    await api.save(subject, words="geheimwoord", skills=["Zeldzaamheid"])
    stored = json.dumps(await world.mongo.find("searches", {"subject": subject}), default=str).lower()
    assert subject in stored
    assert "geheimwoord" not in stored
    assert "zeldzaamheid" not in stored


async def test_with_the_account_the_searches_go(api, subject, world, make):
    await api.save(subject)
    await world.hear(make.account(subject, "closed"))
    assert await world.mongo.find("searches", {"subject": subject}) == []


async def test_an_ended_session_is_known_here(world, subject):
    at = world.clock.machine() - timedelta(minutes=1)
    await world.hear(SessionEvent(session="s1", account=subject, ended_at=at, reason="signed-out"))
    assert await world.mongo.find_one("ended_sessions", {"_id": "s1"}) is not None
