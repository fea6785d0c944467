"""Vacancies through the API (R20): what an organisation may publish, how it is understood, and who may not."""

import json

import pytest
from chassis.ids import new_id
from chassis.mongo import transact
from testkit.samples import vacancies

NAME = "Waterlinie Werk"


@pytest.fixture
async def system(world):
    """A system of an organisation that may write vacancies."""
    org = new_id()
    made = world.member(org, "system", scopes=frozenset({"vacancies:write"}))
    made.org, made.recruiter = org, world.member(org)
    await world.organisation(made.recruiter, org=org, name=NAME)
    return made


def posting(world, **changes):
    """Return a sample posting with some properties changed; None removes one."""
    sample = next(one for one in vacancies(world.today) if one.matches_search)
    changed = {**sample.posting, **changes}
    return {name: value for name, value in changed.items() if value is not None}


async def publish(system, body, **headers):
    return await system.send("POST", "/vacancies", body, **headers)


async def published(world, system, **changes):
    answer = await publish(system, posting(world, **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_r20_the_samples_are_published_and_told_as_facts(world, system):
    for sample in vacancies(world.today):
        answer = await publish(system, sample.posting)
        assert answer.status_code == 201, answer.text
        shown = await system.get(f"/vacancies/{answer.json()['id']}")
        assert (shown["title"], shown["state"]) == (sample.posting["title"], "open")
    told = {event["title"]: event for event in await world.events("vacancy")}
    assert len(told) == len(vacancies(world.today))
    event = told["Senior data-analist energie"]
    assert {name: event[name] for name in ("organisation", "state", "level", "hours_min", "hours_max", "salary_min")} == {
        "organisation": system.org,
        "state": "open",
        "level": "hbo-bachelor",
        "hours_min": 28,
        "hours_max": 32,
        "salary_min": 4400,
    }
    assert (event["place"]["name"], event["place"]["province"], event["skills"]) == ("Amersfoort", "NL-UT", ["SQL", "statistiek"])


async def test_r20_json_ld_is_taken_by_its_own_media_type(world, system):
    headers = {"Authorization": (await system.send("GET", "/vacancies")).request.headers["Authorization"]}
    headers["Content-Type"] = "application/ld+json"
    url, body = "/api/profiles/v1/vacancies", json.dumps(posting(world))
    assert (await world.client.post(url, content=body, headers=headers)).status_code == 201


async def test_r20_a_recruiter_changes_what_a_system_published_and_each_step_is_told(world, system):
    vacancy = await published(world, system)
    etag = (await system.send("GET", f"/vacancies/{vacancy}")).headers["ETag"]
    changed = await system.recruiter.send("PUT", f"/vacancies/{vacancy}", posting(world, title="Kok"), If_Match=etag)
    assert (changed.status_code, changed.json()["title"]) == (200, "Kok")
    stale = await system.send("PUT", f"/vacancies/{vacancy}", posting(world), If_Match=etag)
    assert (stale.status_code, stale.headers["ETag"]) == (412, changed.headers["ETag"])
    assert (await system.send("PUT", f"/vacancies/{vacancy}", posting(world))).status_code == 428
    for _ in range(2):
        closed = await system.send("POST", f"/vacancies/{vacancy}/closure")
        assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    events = await world.events("vacancy", vacancy)
    assert [(event["title"], event["state"]) for event in events] == [
        (posting(world)["title"], "open"),
        ("Kok", "open"),
        ("Kok", "closed"),
    ]
    late = await system.send("PUT", f"/vacancies/{vacancy}", posting(world), If_Match=closed.headers["ETag"])
    assert (late.status_code, late.json()["type"]) == (409, "urn:kandidatenbank:problem:vacancy-closed")


async def test_r20_a_repeated_request_publishes_once(world, system):
    key = new_id()
    first, second = [await publish(system, posting(world), Idempotency_Key=key) for _ in range(2)]
    assert (first.json(), first.headers["ETag"]) == (second.json(), second.headers["ETag"])
    assert len(await world.events("vacancy")) == 1
    other = await publish(system, posting(world, title="Kok"), Idempotency_Key=key)
    assert other.status_code == 422


async def test_r20_an_organisation_lists_its_own_the_newest_first(world, system):
    made = [await published(world, system, title=title) for title in ("Kok", "Bakker", "Slager")]
    await system.send("POST", f"/vacancies/{made[0]}/closure")
    first = (await system.send("GET", "/vacancies?limit=2")).json()
    second = (await system.send("GET", first["next"].removeprefix("/api/profiles/v1"))).json()
    assert [one["title"] for page in (first, second) for one in page["items"]] == ["Slager", "Bakker", "Kok"]
    opened = (await system.get("/vacancies?only=open"))["items"]
    assert [one["title"] for one in opened] == ["Slager", "Bakker"]


async def test_r33_another_organisations_vacancy_does_not_exist(world, system):
    vacancy = await published(world, system)
    org = new_id()
    other = world.member(org, "system", scopes=frozenset({"vacancies:write"}))
    await world.organisation(org=org, name=NAME)
    answers = [
        await other.send("GET", f"/vacancies/{vacancy}"),
        await other.send("PUT", f"/vacancies/{vacancy}", posting(world), If_Match='"1"'),
        await other.send("POST", f"/vacancies/{vacancy}/closure"),
        await other.send("GET", f"/vacancies/{new_id()}"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert len({json.dumps({**answer.json(), "instance": ""}) for answer in answers}) == 1
    assert (await other.get("/vacancies"))["items"] == []
    assert (await system.get(f"/vacancies/{vacancy}"))["state"] == "open"


async def test_r33_only_systems_with_the_scope_and_recruiters_publish(world, system):
    org = system.org
    others = [
        world.member(org, "system"),
        world.member(org, "system", scopes=frozenset({"events:read"})),
        world.member(org, "hiring-manager"),
        world.member(org, "recruiter"),  # not among the organisation's members
        world.member(org, "candidate"),
        world.member(new_id(), "system", scopes=frozenset({"vacancies:write"})),
    ]
    assert [(await publish(other, posting(world))).status_code for other in others] == [403] * len(others)
    assert (await publish(system.recruiter, posting(world))).status_code == 201
    await world.organisation(system.recruiter, org=org, name=NAME, state="suspended")
    suspended = [await publish(system, posting(world)), await system.send("GET", "/vacancies")]
    assert [answer.status_code for answer in suspended] == [403, 403]


def place(locality, region=None):
    return {"jobLocation": located(locality, region)}


def located(locality, region=None):
    return {"@type": "Place", "address": {"addressLocality": locality, **({"addressRegion": region} if region else {})}}


def salary(**value):
    return {"baseSalary": {"currency": "EUR", "value": {"unitText": "MONTH", **value}}}


BAD = [
    ({"title": None}, "title", "required"),
    ({"title": "<b>Kok</b>"}, "title", "value_error"),
    ({"title": "Kok\nBakker"}, "title", "value_error"),
    ({"description": "Mooi werk.<br>Bel ons"}, "description", "value_error"),
    ({"description": "Eten &amp; drinken"}, "description", "value_error"),
    ({"@type": "Event"}, "@type", "literal_error"),
    ({"hiringOrganization": {"name": "Een ander"}}, "hiringOrganization.name", "own-organisation"),
    ({"hiringOrganization": None}, "hiringOrganization", "required"),
    (place("Atlantis"), "jobLocation.address.addressLocality", "unknown"),
    (place("Utrecht", "Groningen"), "jobLocation.address.addressLocality", "unknown"),
    (place("Hengelo"), "jobLocation.address.addressLocality", "ambiguous"),
    ({"jobLocation": [located("Zwolle"), located("Hengelo")]}, "jobLocation.1.address.addressLocality", "ambiguous"),
    ({"jobLocation": [located("Zwolle"), {"address": {}}]}, "jobLocation.1.address.addressLocality", "required"),
    ({"jobLocation": [located("Zwolle")] * 21}, "jobLocation", "too_long"),
    ({"industry": "zwendel"}, "industry", "unknown"),
    ({"industry": ["Bouwnijverheid", "zwendel"]}, "industry.1", "unknown"),
    ({"industry": ["Horeca"] * 6}, "industry", "too_long"),
    ({"jobStartDate": "zo snel mogelijk"}, "jobStartDate", "date_from_datetime_parsing"),
    ({"jobLocation": None}, "jobLocation", "required"),
    ({"jobLocationType": "MOON"}, "jobLocationType", "literal_error"),
    ({"employmentType": "SLAVERY"}, "employmentType", "unknown"),
    ({"workHours": "veel"}, "workHours", "form"),
    ({"workHours": "36-32"}, "workHours", "range"),
    ({"educationRequirements": "rijbewijs"}, "educationRequirements", "unknown"),
    ({"datePosted": "2099-01-01", "validThrough": None}, "datePosted", "future"),
    ({"datePosted": "2020-02-02", "validThrough": "2020-02-01"}, "validThrough", "before-posted"),
    ({"datePosted": "2020-02-02", "validThrough": "2020-03-01"}, "validThrough", "past"),
    ({"validThrough": "ooit"}, "validThrough", "date_from_datetime_parsing"),
    ({"validThrough": "9999-12-31T23:59:59-14:00"}, "validThrough", "date_from_datetime_inexact"),
    ({"validThrough": "0001-01-01T00:00:00+14:00"}, "validThrough", "before-posted"),
    ({"title": "Analist\u2028Bcc: x"}, "title", "value_error"),
    ({"title": "Analist \u202emoc.elpmaxe"}, "title", "value_error"),
    ({"title": "\u200b"}, "title", "value_error"),
    ({"url": "https://x.example/\u202e"}, "url", "value_error"),
    (salary(minValue=5000, maxValue=4000), "baseSalary.value.maxValue", "range"),
    (salary(maxValue=4000), "baseSalary.value", "required"),
    ({"baseSalary": {"currency": "USD", "value": {"unitText": "MONTH", "value": 1}}}, "baseSalary.currency", "literal_error"),
    ({"url": "javascript:alert(1)"}, "url", "string_pattern_mismatch"),
]


@pytest.mark.parametrize(("changes", "field", "rule"), BAD, ids=lambda value: str(value)[:40])
async def test_r20_what_does_not_fit_is_refused_by_field_and_rule(world, system, changes, field, rule):
    answer = await publish(system, posting(world, **changes))
    assert answer.status_code == 422, answer.text
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]
    assert await world.made.mongo.find("vacancies", {}) == []


async def test_r20_what_can_be_said_in_several_ways_is_understood(world, system):
    says = {
        **place("Hengelo", "Overijssel"),
        "employmentType": "temporary",
        "workHours": "32 uur per week",
        "skills": "lassen, solderen",
        "educationRequirements": "mbo-4",
        "validThrough": f"{world.today.isoformat()}T22:30:00+00:00",
        "baseSalary": {"currency": "EUR", "value": {"value": 20, "unitText": "HOUR"}},
        "jobLocationType": "TELECOMMUTE",
        "industry": {"@type": "DefinedTerm", "name": "bouwnijverheid"},
        "jobBenefits": "a property that nobody reads here",
    }
    shown = await system.get(f"/vacancies/{await published(world, system, **says)}")
    assert shown["place"]["province"] == "NL-OV"
    assert (shown["hours"], shown["skills"], shown["workplace"]) == ({"from": 32, "to": 32}, ["lassen", "solderen"], "hybrid")
    assert (shown["contract_types"], shown["level"], shown["sectors"]) == (["temporary"], "mbo-4", ["construction"])
    assert shown["salary_a_month"] == {"from": 3467, "to": 3467}
    assert "jobBenefits" not in shown


async def test_r20_several_places_sectors_pay_and_a_first_day_are_told(world, system):
    says = {
        "jobLocation": [located("Zwolle"), located("Hengelo", "Gelderland"), located("zwolle")],
        "industry": ["care", "Education"],
        "baseSalary": {"currency": "EUR", "value": {"minValue": 18, "maxValue": 24.5, "unitText": "HOUR"}},
        "jobStartDate": "2027-01-04",
    }
    vacancy = await published(world, system, **says)
    (event,) = await world.events("vacancy", vacancy)
    assert (event["place"]["name"], [one["province"] for one in event["also_at"]]) == ("Zwolle", ["NL-GE"])
    assert (event["remote"], event["hybrid"]) == (False, False)
    assert (event["salary_min"], event["salary_max"]) == (3120, 4247)
    assert (event["sectors"], event["starts_on"]) == (["care", "education"], "2027-01-04")
    shown = await system.get(f"/vacancies/{vacancy}")
    assert [one["name"] for one in shown["places"]] == ["Zwolle", "Hengelo (Gelderland)"]
    assert (shown["workplace"], shown["starts_on"]) == ("on-site", "2027-01-04")


@pytest.mark.parametrize(
    ("says", "workplace"),
    [
        ({}, "on-site"),
        ({"jobLocationType": "TELECOMMUTE"}, "hybrid"),
        ({"jobLocationType": "TELECOMMUTE", "jobLocation": None}, "remote"),
    ],
)
async def test_r20_telecommuting_is_partly_at_the_place_that_is_named_and_from_anywhere_without_one(
    world, system, says, workplace
):
    vacancy = await published(world, system, **says)
    (event,) = await world.events("vacancy", vacancy)
    assert (event["remote"], event["hybrid"]) == (workplace == "remote", workplace == "hybrid")
    assert (await system.get(f"/vacancies/{vacancy}"))["workplace"] == workplace


@pytest.mark.parametrize("remote", [True, False])
async def test_r20_a_vacancy_kept_before_there_were_sectors_and_several_places_is_read(world, system, remote):
    vacancy = await published(world, system)
    document = await world.made.mongo.find_one("vacancies", {"_id": vacancy})
    facts = document["facts"]
    first = facts["places"][0]
    new = ("places", "workplace", "sectors", "starts_on")
    document["facts"] = {name: value for name, value in facts.items() if name not in new} | {"place": first, "remote": remote}

    async def keep(uow):
        uow.replace("vacancies", document)

    await transact(world.made.mongo, keep)
    shown = await system.get(f"/vacancies/{vacancy}")
    assert [one["name"] for one in shown["places"]] == [first["label"]]
    assert (shown["workplace"], shown["sectors"], shown["starts_on"]) == ("remote" if remote else "on-site", [], None)
