"""The candidate bank through the API (R1, R13, R19): who finds whom, what is shown, and that every look is noted first."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from chassis.ids import new_id
from chassis.keyring import KEYS
from chassis.metrics import REGISTRY
from chassis.mongo import transact
from testkit.samples import people

FENNA, OKKE = people()[:2]
PURPOSE = {"Purpose": "candidate-search"}
PATHS = (
    "identity.given_name",
    "identity.place",
    "contact.telephone",
    "career.headline",
    "career.summary",
    "career.experience",
    "career.education",
    "career.skills",
    "career.languages",
    "career.licences",
    "wishes.titles",
    "wishes.place",
    "wishes.hours_from",
    "wishes.hours_to",
    "wishes.contract_types",
    "wishes.remote",
    "wishes.salary_from",
    "wishes.available_from",
)


async def in_the_bank(world, profile, *paths, **choices):
    """Return a candidate whom recruiters can find, showing these fields."""
    candidate = world.candidate()
    assert (await candidate.tell(profile)).status_code == 200
    assert (await candidate.show(**dict.fromkeys(paths, "shown"), **choices)).status_code == 200
    await world.consent(candidate.subject)
    assert (await candidate.activate()).json()["in_bank"] is True
    return candidate


async def handle_of(candidate):
    return (await candidate.get("/me/profile/as-recruiter"))["handle"]


@pytest.fixture
async def recruiter(world):
    """A recruiter of an organisation with access to the bank, while consents are up to date."""
    org = new_id()
    made = world.member(org)
    await world.organisation(made, org=org)
    await world.fresh()
    made.org = org
    return made


async def search(recruiter, query="", **headers):
    return await recruiter.send("GET", f"/bank/search?{query}", **(headers or PURPOSE))


async def found(recruiter, query=""):
    answer = await search(recruiter, query)
    assert answer.status_code == 200, answer.text
    return [item["handle"] for item in answer.json()["items"]]


async def open_(recruiter, handle, **headers):
    return await recruiter.send("GET", f"/bank/profiles/{handle}", **(headers or PURPOSE))


STORY = "place=Utrecht&radius_km=25&skills=SQL&hours=36&level=hbo-bachelor&words=Data-analist"


async def test_r19_the_story_finds_and_opens_a_profile_and_its_candidate_reads_who_looked(world, recruiter):
    fenna = await in_the_bank(world, FENNA.profile, *PATHS)
    handle = await handle_of(fenna)
    assert await found(recruiter, STORY) == [handle]
    opened = (await open_(recruiter, handle)).json()
    assert opened["handle"] == handle
    assert opened["profile"]["identity"] == {"given_name": "Fenna", "place": "Utrecht"}
    views = (await fenna.get("/me/views"))["items"]
    assert [(view["kind"], view["organisation"], view["purpose"]) for view in views] == [
        ("view", "Waterlinie Werk", "candidate-search"),
        ("search-page", "Waterlinie Werk", "candidate-search"),
    ]
    assert "identity.given_name" in views[0]["fields"]
    assert recruiter.subject not in str(views)


ASKED = [
    ("", True),
    ("place=Utrecht", True),
    ("place=Zeist&radius_km=12", True),
    ("place=Zeist&radius_km=5", False),
    ("province=NL-UT", True),
    ("province=NL-GR", False),
    ("skills=sql", True),
    ("skills=SQL:5", True),
    ("skills=power%20%20BI&skills=Python:4", True),
    ("skills=Python:5", False),
    ("skills=Power", False),
    ("level=hbo-bachelor", True),
    ("level=hbo-master", False),
    ("hours=28", True),
    ("hours=27", False),
    ("hours=37", False),
    ("words=DATA%20bezettingsgraden", False),
    ("words=vervoerders%20wiskunde%20senior", True),
    ("words=vervoerders%20zebra", False),
    ("languages=en:C1", True),
    ("languages=en:C2", False),
    ("languages=fr", False),
    ("licences=B", True),
    ("licences=C", False),
    ("contract_types=freelance&contract_types=temporary", True),
    ("contract_types=freelance", False),
    ("remote=true", True),
    ("remote=false", False),
    ("salary_to=4200", True),
    ("salary_to=4199", False),
    ("available_by=2027-02-01", True),
    ("available_by=2027-01-31", False),
]


async def test_r19_each_criterion_finds_who_fits_and_nobody_else(world, recruiter):
    handle = await handle_of(await in_the_bank(world, FENNA.profile, *PATHS))
    expected = {query: [handle] if fits else [] for query, fits in ASKED}
    assert {query: await found(recruiter, query) for query, _ in ASKED} == expected


async def test_r13_what_is_hidden_cannot_be_found(world, recruiter):
    await in_the_bank(world, FENNA.profile)
    assert len(await found(recruiter)) == 1
    hits = [query for query, fits in ASKED if fits and query and await found(recruiter, query)]
    assert hits == []


async def test_r13_a_place_shown_as_its_province_is_found_from_the_province_only(world, recruiter):
    await in_the_bank(world, FENNA.profile, identity__place="province")
    assert len(await found(recruiter, "place=Amersfoort&radius_km=1")) == 1
    assert await found(recruiter, "place=Hilversum&radius_km=30") == []
    stored = await world.made.mongo.find("bank", {})
    assert "towns" not in stored[0]


async def test_r13_only_visible_fields_come_back(world, recruiter):
    fenna = await in_the_bank(world, FENNA.profile, "career.skills", identity__place="province")
    opened = (await open_(recruiter, await handle_of(fenna))).json()["profile"]
    assert opened == {"identity": {"province": "NL-UT"}, "career": {"skills": FENNA.profile["career"]["skills"]}}


async def test_r19_a_page_of_results_names_nobody_though_everything_is_shown(world, recruiter):
    await in_the_bank(world, FENNA.profile, *PATHS)
    answer = await search(recruiter)
    card = answer.json()["items"][0]["profile"]
    assert card["identity"] == {"province": "NL-UT"}
    assert "contact" not in card
    assert {"headline", "summary"}.isdisjoint(card["career"])
    employers = [job["employer"] for job in FENNA.profile["career"]["experience"]]
    assert not [trace for trace in (*FENNA.traces(), *employers, "begrijpelijk", "dagplanning") if trace in answer.text]
    assert card["wishes"]["titles"] == FENNA.profile["wishes"]["titles"]


async def test_r14_an_anonymous_profile_shows_nothing_that_points_to_the_person(world, recruiter):
    fenna = await in_the_bank(world, FENNA.profile, *PATHS)
    old = await handle_of(fenna)
    await fenna.send("POST", "/me/anonymity")
    handle = await handle_of(fenna)
    assert await found(recruiter) == [handle] != [old]
    assert (await open_(recruiter, old)).status_code == 404
    opened = await open_(recruiter, handle)
    employers = [job["employer"] for job in FENNA.profile["career"]["experience"]]
    assert not [trace for trace in (*FENNA.traces(), *employers, "begrijpelijk", "dagplanning") if trace in opened.text]
    assert await found(recruiter, "words=begrijpelijk") == []
    assert await found(recruiter, "place=Hilversum&radius_km=30") == []


async def test_r19_who_leaves_is_gone_at_once(world, recruiter):
    fenna = await in_the_bank(world, FENNA.profile, *PATHS)
    handle = await handle_of(fenna)
    leave_and_return = [
        (world.consent(fenna.subject, "withdrawn"), world.consent(fenna.subject)),
        (fenna.send("POST", "/me/deactivation"), fenna.send("POST", "/me/reactivation")),
        (world.account(fenna.subject, "locked"), world.account(fenna.subject, "confirmed")),
    ]
    for leave, come_back in leave_and_return:
        await leave
        assert (await found(recruiter), (await open_(recruiter, handle)).status_code) == ([], 404)
        assert await world.made.mongo.find("bank", {}) == []
        await come_back
        assert await found(recruiter) == [handle]


async def test_r19_every_handle_that_leads_nowhere_gets_the_same_answer(world, recruiter):
    draft = world.candidate()
    await draft.tell(FENNA.profile)
    gone = [await open_(recruiter, handle) for handle in ("unknown", await handle_of(draft))]
    documents = [{**answer.json(), "instance": ""} for answer in gone]
    assert [answer.status_code for answer in gone] == [404, 404]
    assert documents[0] == documents[1]
    assert await world.made.mongo.find("accesses", {}) == []


@pytest.mark.parametrize("headers", [{"Purpose": ""}, {"Purpose": "own-data"}, {"Purpose": "curiosity"}])
async def test_r01_without_the_permitted_purpose_nothing_is_shown(world, recruiter, headers):
    handle = await handle_of(await in_the_bank(world, FENNA.profile, *PATHS))
    answers = [await search(recruiter, **headers), await open_(recruiter, handle, **headers)]
    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [
        (403, "urn:kandidatenbank:problem:purpose")
    ] * 2
    assert await world.made.mongo.find("accesses", {}) == []


@pytest.mark.parametrize("role", ["candidate", "hiring-manager", "administrator", "privacy-officer", "operator", "system"])
async def test_r33_other_roles_do_not_look(world, recruiter, role):
    handle = await handle_of(await in_the_bank(world, FENNA.profile, *PATHS))
    other = world.member(recruiter.org, role)
    assert [(await search(other)).status_code, (await open_(other, handle)).status_code] == [403, 403]


async def test_r33_what_the_organisation_lost_counts_at_once_though_the_token_says_otherwise(world, recruiter):
    handle = await handle_of(await in_the_bank(world, FENNA.profile, *PATHS))
    other = world.member(new_id())
    refused = [
        world.organisation(recruiter, org=recruiter.org, state="suspended"),
        world.organisation(recruiter, org=recruiter.org, bank_access=False),
        world.organisation(org=recruiter.org),  # no longer a member
    ]
    for event in refused:
        await event
        assert [(await search(recruiter)).status_code, (await open_(recruiter, handle)).status_code] == [403, 403]
    assert (await search(other)).status_code == 403  # an organisation that nobody told of
    assert (await search(world.member(recruiter.org, bank=False))).status_code == 403
    await world.organisation(recruiter, org=recruiter.org)
    assert await found(recruiter) == [handle]


async def test_r19_while_withdrawn_consents_may_be_on_their_way_nobody_is_shown(world, recruiter):
    handle = await handle_of(await in_the_bank(world, FENNA.profile, *PATHS))
    await world.fresh(ago=timedelta(minutes=16))
    refused = REGISTRY.get_sample_value("kandidatenbank_bank_not_fresh_total")
    answers = [await search(recruiter), await open_(recruiter, handle)]
    assert [(answer.status_code, "Retry-After" in answer.headers) for answer in answers] == [(503, True)] * 2
    assert REGISTRY.get_sample_value("kandidatenbank_bank_not_fresh_total") == refused + 2
    assert FENNA.profile["identity"]["given_name"] not in answers[1].text


async def test_r19_no_row_no_answer(world, recruiter):
    """The access log takes no rows: nothing of the person leaves."""
    handle = await handle_of(await in_the_bank(world, FENNA.profile, *PATHS))
    async with taking_no_rows(world, "accesses"):
        answers = [await search(recruiter), await open_(recruiter, handle)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert not [trace for trace in (*FENNA.traces(), handle) for answer in answers if trace in answer.text]
    assert (await open_(recruiter, handle)).status_code == 200


@asynccontextmanager
async def taking_no_rows(world, collection):
    """Let the database refuse what is written into a collection."""
    database = world.made.mongo.database
    await database.command("collMod", collection, validator={"never": {"$exists": True}})
    yield
    await database.command("collMod", collection, validator={})


async def test_r19_pages_neither_skip_nor_repeat_and_note_only_whom_they_showed(world, recruiter):
    candidates = [await in_the_bank(world, OKKE.profile, "career.skills") for _ in range(5)]
    handles = sorted([await handle_of(one) for one in candidates])
    pages, link = [], "/bank/search?limit=2"
    while link:
        answer = await recruiter.send("GET", link.removeprefix("/api/profiles/v1"), **PURPOSE)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        pages.append([item["handle"] for item in page["items"]])
        link = page["next"]
    assert pages == [handles[:2], handles[2:4], handles[4:]]
    rows = await world.made.mongo.find("accesses", {}, sort=[("_id", 1)])
    subjects = {await handle_of(one): one.subject for one in candidates}
    assert [[one["subject"] for one in row["shown"]] for row in rows] == [[subjects[handle] for handle in page] for page in pages]


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("place=Atlantis", "place", "unknown"),
        ("place=Hengelo", "place", "ambiguous"),
        ("place=Utrecht&radius_km=0", "radius_km", "invalid"),
        ("level=kleuterschool", "level", "unknown"),
        ("province=NL-XX", "province", "unknown"),
        ("skills=%20", "skills", "form"),
        ("words=%21%21", "words", "form"),
        ("words=%E2%80%8B", "words", "form"),
        ("languages=Dutch", "languages", "form"),
        ("hours=many", "hours", "invalid"),
        ("limit=1000", "limit", "range"),
        ("after=bm9wZQ", "after", "cursor"),
    ],
)
async def test_r19_a_question_that_cannot_be_asked_is_refused_by_field_and_rule(world, recruiter, query, field, rule):
    answer = await search(recruiter, query)
    assert answer.status_code == 422, answer.text
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]
    assert await world.made.mongo.find("accesses", {}) == []


async def test_r13_the_projection_holds_codes_numbers_and_keyed_hashes_only(world, recruiter):
    fenna = await in_the_bank(world, FENNA.profile, *PATHS)
    stored = repr(await world.made.mongo.find("bank", {})).casefold()
    assert fenna.subject in stored
    words = [*FENNA.traces(), "analist", "python", "utrecht", "vervoerders", "hogeschool"]
    assert not [word for word in words if word.casefold() in stored]


async def test_r13_two_changes_in_one_batch_keep_their_order(world, recruiter):
    """Withdrawn and given again, applied in one transaction: the last word counts."""
    fenna = await in_the_bank(world, FENNA.profile, *PATHS)
    await world.consent(fenna.subject, "withdrawn")
    project = world.made.records.project

    async def work(uow):
        for seen in ({}, None, {}):
            await project(uow, subject=fenna.subject, handle="h", seen=seen)

    await transact(world.made.mongo, work)
    assert [row["handle"] for row in await world.made.mongo.find("bank", {})] == ["h"]


async def test_somebody_whose_key_does_not_open_is_not_shown_and_holds_up_nobody_else(world, recruiter):
    fenna, okke = await in_the_bank(world, FENNA.profile, *PATHS), await in_the_bank(world, OKKE.profile, *PATHS)
    handles = {await handle_of(fenna), await handle_of(okke)}
    shut, keyring = await handle_of(fenna), world.made.keyring
    await keyring.mongo.database[KEYS].update_one({"_id": f"{fenna.subject}:career"}, {"$set": {"wrapped": b"damaged"}})
    keyring.forget(fenna.subject, "career")
    assert await found(recruiter) == list(handles - {shut})
    pages, following = [], "/bank/search?limit=1"
    while following:
        page = (await recruiter.send("GET", following.removeprefix("/api/profiles/v1"), **PURPOSE)).json()
        pages, following = [*pages, *(item["handle"] for item in page["items"])], page["next"]
    assert pages == list(handles - {shut})
    for refused in (await open_(recruiter, shut), await fenna.send("GET", "/me/profile")):
        assert (refused.status_code, refused.json()["type"]) == (500, "urn:kandidatenbank:problem:key-unusable")
        assert fenna.subject not in refused.text
    assert (await okke.send("GET", "/me/profile")).status_code == 200
