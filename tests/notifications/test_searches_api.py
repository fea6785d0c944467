"""Saved searches over HTTP: whose they are, what they may ask for, and what a wrong one gets."""

import asyncio
import json
from datetime import timedelta

import pytest
from chassis.ids import new_id
from chassis.mongo import transact
from contracts.identity.session import SessionEvent

pytestmark = pytest.mark.integration
PATH = "/api/notifications/v1/searches"
CRITERIA = {
    "words": 'houtbouw "op maat"',
    "any_words": "hal loods",
    "no_words": "nachtdienst",
    "skills": ["AutoCAD"],
    "place": "Utrecht",
    "radius_km": 30,
    "provinces": [],
    "hours_from": 24,
    "hours_to": 40,
    "salary_from": 18.5,
    "salary_to": None,
    "salary_per": "hour",
    "levels": ["mbo-4", "havo"],
    "contract_types": ["permanent"],
    "workplaces": ["on-site", "hybrid"],
    "sectors": ["construction"],
    "organisations": [],
    "not_organisations": ["0198c0de-0000-7000-8000-00000000000a"],
    "starts_from": "2027-01-01",
    "starts_to": None,
}
AT_FIRST = {
    "words": "houtbouw",
    "skills": ["AutoCAD"],
    "place": "Utrecht",
    "radius_km": 30,
    "level": "mbo-4",
    "hours_from": 24,
    "hours_to": 40,
    "contract_types": ["permanent"],
}
"""What a search could say before it could say more; `None` stood for what it did not."""


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
    assert shown == {"id": made.json()["id"], "criteria": CRITERIA, "active": True, "since": today} | NOW
    change = {"criteria": {"place": "Utrecht"}, "frequency": "immediate", "active": False}
    changed = await api.http.put(where, json=change, headers=headers | {"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["active"]) == (200, '"2"', False)
    assert changed.json()["criteria"]["words"] is None
    gone = await api.http.delete(where, headers=headers | {"If-Match": '"2"'})
    assert gone.status_code == 204
    assert (await api.http.get(where, headers=headers)).status_code == 404


NOW = {"frequency": "immediate", "hour": 8, "weekday": 1}
BAD = [
    ({}, "criteria", "required"),
    ({"words": None}, "criteria", "required"),
    ({"words": "hout", "radius_km": 10}, "criteria.radius_km", "needs-place"),
    ({"no_words": "nachtdienst"}, "criteria", "only-exclusions"),
    ({"not_organisations": ["o"]}, "criteria", "only-exclusions"),
    ({"place": "Nergenshuizen"}, "criteria.place", "unknown"),
    ({"place": "Hengelo"}, "criteria.place", "ambiguous"),
    ({"place": "Utrecht", "provinces": ["NL-UT"]}, "criteria.provinces", "place-or-provinces"),
    ({"provinces": ["NL-XX"]}, "criteria.provinces.0", "literal_error"),
    ({"words": "x"}, "criteria.words", "string_too_short"),
    ({"words": "!!"}, "criteria.words", "no-word"),
    ({"words": " ".join(f"woord{number}" for number in range(500))}, "criteria.words", "too-many"),
    ({"any_words": " ".join(f"woord{number}" for number in range(21))}, "criteria.any_words", "too-many"),
    ({"words": '"een zin van meer dan vijf"'}, "criteria.words", "phrase-too-long"),
    ({"words": 'hout"bouw'}, "criteria.words", "quotes"),
    ({"words": "bouwt hout", "no_words": "houten"}, "criteria.no_words", "contradiction"),
    ({"any_words": "hout", "no_words": "hout staal"}, "criteria.no_words", "contradiction"),
    ({"organisations": ["a", "b"], "not_organisations": ["b"]}, "criteria.not_organisations", "contradiction"),
    ({"skills": ["..."]}, "criteria.skills", "no-word"),
    ({"words": ["houtbouw"]}, "criteria.words", "string_type"),
    ({"place": "Utrecht", "radius_km": 0}, "criteria.radius_km", "range"),
    ({"place": "Utrecht", "radius_km": 20_000}, "criteria.radius_km", "range"),
    ({"place": "Utrecht", "radius_km": -1}, "criteria.radius_km", "range"),
    ({"place": "Utrecht", "radius_km": "ver"}, "criteria.radius_km", "int_parsing"),
    ({"levels": ["mbo-5"]}, "criteria.levels.0", "literal_error"),
    ({"level": "mbo-5"}, "criteria.level.0", "literal_error"),
    ({"hours_from": 0}, "criteria.hours_from", "greater_than_equal"),
    ({"hours_to": 81}, "criteria.hours_to", "less_than_equal"),
    ({"hours_from": 32, "hours_to": 24}, "criteria.hours_to", "range"),
    ({"salary_from": 3000, "salary_to": 2999}, "criteria.salary_to", "range"),
    ({"salary_from": 3000, "salary_per": "year"}, "criteria.salary_per", "literal_error"),
    ({"starts_from": "2027-03-02", "starts_to": "2027-03-01"}, "criteria.starts_to", "range"),
    ({"starts_from": "morgen"}, "criteria.starts_from", "date_from_datetime_parsing"),
    ({"contract_types": ["eternal"]}, "criteria.contract_types.0", "literal_error"),
    ({"workplaces": ["maan"]}, "criteria.workplaces.0", "literal_error"),
    ({"sectors": ["zwendel"]}, "criteria.sectors.0", "literal_error"),
    ({"words": "hout", "sector": "bouw"}, "criteria.sector", "unknown"),
]


@pytest.mark.parametrize(("criteria", "field", "rule"), BAD)
async def test_a_wrong_search_is_refused_by_field_and_rule_and_nothing_is_saved(
    api, headers, subject, world, criteria, field, rule
):
    refused = await api.http.post(PATH, json={"criteria": criteria}, headers=headers)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    (error,) = refused.json()["errors"]
    assert (error["field"], error["rule"]) == (field, rule)
    assert "Nergenshuizen" not in refused.text
    assert await world.mongo.find("searches", {"subject": subject}) == []


@pytest.mark.parametrize(
    "criteria",
    [
        {"words": " ".join(f"woord{number}" for number in range(20))},
        {"hours_from": 32, "hours_to": 32},
        {"salary_from": 3000, "salary_to": 3000},
        {"starts_from": "2027-03-01", "starts_to": "2027-03-01"},
        {"place": "Utrecht", "radius_km": 1},
        {"place": "Utrecht", "radius_km": 200},
    ],
    ids=str,
)
async def test_what_lies_just_within_a_rule_is_saved(api, headers, criteria):
    assert (await api.http.post(PATH, json={"criteria": criteria}, headers=headers)).status_code == 201


async def test_a_search_that_breaks_several_rules_is_told_all_of_them_in_the_readers_language(api, headers):
    criteria = {"words": "hout", "place": "Nergenshuizen", "radius_km": 0, "hours_from": 9, "hours_to": 8}
    for language, said in (("nl", "geen Nederlandse plaats heet zo"), ("en", "no Dutch place has this name")):
        refused = await api.http.post(f"{PATH}?lang={language}", json={"criteria": criteria}, headers=headers)
        errors = {error["field"]: error["detail"] for error in refused.json()["errors"]}
        assert set(errors) == {"criteria.place", "criteria.radius_km", "criteria.hours_to"}
        assert errors["criteria.place"] == said


async def test_what_could_be_asked_before_there_was_more_is_still_asked_so(api, headers):
    for sent in (AT_FIRST, AT_FIRST | {"level": None, "place": None, "radius_km": None}):
        made = await api.http.post(PATH, json={"criteria": sent}, headers=headers)
        assert made.status_code == 201, made.text
        shown = (await api.http.get(made.headers["location"], headers=headers)).json()["criteria"]
        assert shown.pop("levels") == [sent["level"]] * (sent["level"] is not None)
        assert {name: shown[name] for name in sent if name != "level"} == {k: v for k, v in sent.items() if k != "level"}


async def test_a_name_that_several_places_share_is_answered_with_the_choices(api, headers):
    refused = await api.http.post(PATH, json={"criteria": {"place": "Hengelo"}}, headers=headers)
    assert "Hengelo (Overijssel)" in refused.json()["errors"][0]["detail"]
    taken = await api.http.post(PATH, json={"criteria": {"place": "Hengelo (Overijssel)"}}, headers=headers)
    assert taken.status_code == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"frequency": "hourly"}, "frequency"), ({"hour": 24}, "hour"), ({"weekday": 0}, "weekday"), ({"weekday": 8}, "weekday")],
)
async def test_a_rhythm_that_there_is_not_is_refused_clearly(api, headers, changes, field):
    refused = await api.http.post(PATH, json={"criteria": CRITERIA} | changes, headers=headers)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == field


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


async def test_a_search_from_before_there_was_a_form_is_compared_anew_and_becomes_no_news(api, subject, world, keep):
    search = await api.save(subject, words="houtbouw", place="Utrecht")
    saved = await world.mongo.find_one("searches", {"_id": search})
    old = {"words": ["dGVzdA"], "skills": [], "near": [52.0907, 5.1214], "radius_km": 25, "eqf": None, "hours": None}
    unreadable = {"_id": new_id(), "subject": new_id(), "compared": old | {"contract_types": []}}
    await keep(saved | unreadable, saved | {"compared": old | {"contract_types": []}})
    world.turn_days(1)
    assert await world.parts.searches.compare_anew(world.mongo) == 1
    assert await world.mongo.find_one("searches", {"_id": search}) == saved | {"sequence": saved["sequence"] + 1}
    assert await world.parts.searches.compare_anew(world.mongo) == 0


@pytest.fixture
def keep(world):
    async def write(*documents):
        async def work(uow):
            for document in documents:
                uow.replace("searches", document, upsert=True)

        await transact(world.mongo, work)

    return write


async def test_with_the_account_the_searches_go(api, subject, world, make):
    await api.save(subject)
    await world.hear(make.account(subject, "closed"))
    assert await world.mongo.find("searches", {"subject": subject}) == []


async def test_an_ended_session_is_known_here(world, subject):
    at = world.clock.machine() - timedelta(minutes=1)
    await world.hear(SessionEvent(session="s1", account=subject, ended_at=at, reason="signed-out"))
    assert await world.mongo.find_one("ended_sessions", {"_id": "s1"}) is not None
