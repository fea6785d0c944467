"""A candidate's own profile through the API (R8, R9, R12), with what is refused."""

import asyncio

import pytest
from testkit.samples import people

SANNE = {
    "identity": {"given_name": "Sanne", "family_name": "van der Meer", "place": "Utrecht", "birth_date": "1991-04-23"},
    "contact": {"telephone": "085-0123456", "channels": ["relay"]},
    "career": {"headline": "Kok", "experience": [{"title": "Kok", "employer": "Hotel Zonlicht", "from": "2019-09"}]},
    "wishes": {"titles": ["Souschef"], "place": "Amersfoort"},
}


async def test_r12_who_told_nothing_yet_sees_an_empty_profile(world):
    answer = await world.candidate().send("GET", "/me/profile")
    assert answer.json() == {"identity": {}, "contact": {}, "career": {}, "wishes": {}}
    assert answer.headers["ETag"] == '"0"'


async def test_r12_what_is_told_is_seen_and_changed_at_any_time(world):
    sanne = world.candidate()
    told = await sanne.tell(SANNE)
    assert told.status_code == 200
    assert await sanne.get("/me/profile") == SANNE
    changed = await sanne.send("PATCH", "/me/profile", {"wishes": {"titles": ["Kok"]}}, If_Match=told.headers["ETag"])
    assert changed.status_code == 200
    assert await sanne.get("/me/profile") == {**SANNE, "wishes": {"titles": ["Kok"]}}


@pytest.mark.parametrize("person", people(), ids=lambda person: person.key)
async def test_r08_the_sample_people_can_tell_everything_and_activate(world, person):
    candidate = world.candidate()
    assert (await candidate.tell(person.profile)).status_code == 200
    told = await candidate.get("/me/profile")
    for group, fields in person.profile.items():
        assert {name for name, value in fields.items() if value != []} <= set(told[group])
    assert (await candidate.activate()).status_code == 202


async def test_r12_everybody_sees_only_their_own(world):
    sanne, other = world.candidate(), world.candidate()
    await sanne.tell(SANNE)
    assert (await other.get("/me/profile"))["identity"] == {}


async def test_r12_every_change_is_told_to_the_followers_with_a_rising_sequence(world):
    sanne = world.candidate()
    await sanne.tell(SANNE)
    await sanne.tell({**SANNE, "career": {}})
    rows = await world.made.mongo.find("outbox", {"key": sanne.subject}, sort=[("sequence", 1)])
    assert [row["sequence"] for row in rows] == [1, 2]


async def test_a_stale_change_is_refused_and_changes_nothing(world):
    sanne = world.candidate()
    first = await sanne.tell(SANNE)
    stale = await sanne.send("PUT", "/me/profile", {}, If_Match='"0"')
    assert (stale.status_code, stale.headers["ETag"]) == (412, first.headers["ETag"])
    assert await sanne.get("/me/profile") == SANNE


async def test_a_change_without_a_version_is_refused(world):
    assert (await world.candidate().send("PUT", "/me/profile", SANNE)).status_code == 428


async def test_consent_that_arrives_in_between_makes_no_change_stale(world):
    sanne = world.candidate()
    etag = (await sanne.tell(SANNE)).headers["ETag"]
    await world.consent(sanne.subject)
    assert (await sanne.send("PATCH", "/me/profile", {"career": {}}, If_Match=etag)).status_code == 200


OWN = (
    ("GET", "/me/profile"),
    ("PUT", "/me/profile"),
    ("PATCH", "/me/profile"),
    ("GET", "/me/visibility"),
    ("PUT", "/me/visibility"),
    ("GET", "/me/profile/as-recruiter"),
    ("GET", "/me/lifecycle"),
    ("POST", "/me/activation"),
    ("POST", "/me/deactivation"),
    ("POST", "/me/reactivation"),
    ("POST", "/me/anonymity"),
    ("DELETE", "/me/anonymity"),
    ("POST", "/me/anonymity/permanent"),
)


async def test_r12_words_and_changes_that_make_the_profile_at_the_same_moment_are_all_kept(world):
    for _ in range(5):
        sanne = world.candidate()
        put = sanne.send("PUT", "/me/profile", SANNE, If_Match='"0"')
        answer, *_ = await asyncio.gather(put, world.consent(sanne.subject), world.account(sanne.subject, language="en"))
        assert answer.status_code == 200
        row = await world.made.mongo.find_one("profiles", {"_id": sanne.subject})
        assert (row["consent"], row["account"], row["language"], row["sequence"]) == (True, "confirmed", "en", 3)
        assert await sanne.get("/me/profile") == SANNE


@pytest.mark.parametrize("role", ["recruiter", "hiring-manager", "administrator", "privacy-officer", "operator", "system"])
async def test_r33_only_candidates_have_a_profile_of_their_own(world, role):
    other = world.candidate(role)
    assert [(await other.send(method, path)).status_code for method, path in OWN] == [403] * len(OWN)


async def test_r33_without_a_token_nothing_is_shown(world):
    answer = await world.candidate().send("GET", "/me/profile", Authorization="Bearer nonsense")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"identity": {"bsn": "123456782"}}, "identity.bsn", "unknown"),
        ({"identity": {"birth_date": "1991-02-30"}}, "identity.birth_date", "date_from_datetime_parsing"),
        ({"identity": {"birth_date": "2100-01-01"}}, "identity.birth_date", "future"),
        ({"identity": {"place": "Atlantis"}}, "identity.place", "value_error"),
        ({"career": {"skills": [{"name": "Python"}]}}, "career.skills.0.level", "required"),
    ],
)
async def test_r09_what_does_not_fit_is_refused_by_field_and_rule(world, change, field, rule):
    sanne = world.candidate()
    answer = await sanne.send("PATCH", "/me/profile", change, If_Match='"0"')
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]
    assert await world.made.mongo.find_one("profiles", {"_id": sanne.subject}) is None


async def test_a_body_that_does_not_parse_or_is_too_large_is_refused(world):
    sanne = world.candidate()
    url = "/api/profiles/v1/me/profile"
    headers = {"If-Match": '"0"', "Content-Type": "application/json"}
    headers["Authorization"] = (await sanne.send("GET", "/me/profile")).request.headers["Authorization"]
    assert (await world.client.put(url, content=b"{broken", headers=headers)).status_code == 400
    assert (await world.client.put(url, content=b'"' + b"x" * 5_000_000 + b'"', headers=headers)).status_code == 413


async def test_r09_the_catalogue_of_fields_is_public(world):
    fields = (await world.client.get("/api/profiles/v1/fields")).json()
    by_path = {field["path"]: field for field in fields}
    assert by_path["identity.given_name"]["mandatory"] is True
    assert by_path["identity.gender"] == {
        "path": "identity.gender",
        "mandatory": False,
        "searchable": False,
        "anonymised": "withheld",
    }


async def test_what_is_told_lies_nowhere_readable(world):
    sanne = world.candidate()
    await sanne.tell(SANNE)
    await world.consent(sanne.subject)
    await sanne.activate()
    stored = [row for name in ("profiles", "outbox", "inbox") for row in await world.made.mongo.find(name, {})]
    text = repr(stored)
    assert sanne.subject in text
    assert not any(trace in text for trace in ("Sanne", "van der Meer", "085-0123456", "Zonlicht", "1991-04-23", "Souschef"))
