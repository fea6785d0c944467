"""What others see, through the API (R13, R14): choices, preview, anonymity, and what permanent means."""

import pytest
from chassis.destruction import destroy_due
from chassis.keyring import KeyDestroyedError

SANNE = {
    "identity": {"given_name": "Sanne", "family_name": "van der Meer", "place": "Utrecht", "birth_date": "1991-04-23"},
    "contact": {"telephone": "085-0123456", "channels": ["mail", "relay"]},
    "career": {
        "headline": "Kok bij Zonlicht",
        "experience": [{"title": "Kok", "employer": "Hotel Zonlicht", "description": "Zonlicht", "from": "2019-09"}],
        "skills": [{"name": "Sauzen", "level": 4}],
    },
    "wishes": {"titles": ["Souschef"], "place": "Amersfoort"},
}
SHOWN = {
    "identity__given_name": "shown",
    "identity__place": "shown",
    "career__headline": "shown",
    "career__experience": "shown",
    "wishes__titles": "shown",
}


@pytest.fixture
async def sanne(world):
    candidate = world.candidate()
    await candidate.tell(SANNE)
    return candidate


async def seen(candidate):
    return (await candidate.get("/me/profile/as-recruiter"))["profile"]


async def handle(candidate):
    return (await candidate.get("/me/profile/as-recruiter"))["handle"]


async def test_r13_at_first_everything_is_hidden(sanne):
    assert set((await sanne.get("/me/visibility"))["fields"].values()) == {"hidden"}
    assert await seen(sanne) == {}


async def test_r13_field_by_field_the_candidate_decides(sanne):
    assert (await sanne.show(identity__given_name="shown", identity__place="province")).status_code == 200
    assert await seen(sanne) == {"identity": {"given_name": "Sanne", "province": "NL-UT"}}
    await sanne.show(identity__place="shown")
    assert await seen(sanne) == {"identity": {"place": "Utrecht"}}


@pytest.mark.parametrize(
    ("choices", "field", "rule"),
    [
        ({"identity.bsn": "shown"}, "fields.identity.bsn", "unknown"),
        ({"identity.gender": "province"}, "fields.identity.gender", "hidden-or-shown"),
        ({"identity.gender": "everybody"}, "fields.identity.gender", "enum"),
    ],
)
async def test_r13_a_choice_that_does_not_exist_is_refused(sanne, choices, field, rule):
    answer = await sanne.send("PUT", "/me/visibility", {"fields": choices}, If_Match='"0"')
    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]


async def test_r13_a_stale_choice_is_refused(sanne):
    await sanne.show(identity__given_name="shown")
    stale = await sanne.send("PUT", "/me/visibility", {"fields": {}}, If_Match='"0"')
    assert stale.status_code == 412
    assert await seen(sanne) == {"identity": {"given_name": "Sanne"}}


async def test_r14_anonymous_at_once_and_undone_again(world, sanne):
    await sanne.show(**SHOWN)
    open_, old = await seen(sanne), await handle(sanne)
    answer = await sanne.send("POST", "/me/anonymity")
    assert answer.json()["anonymity"] == "anonymous"
    assert await seen(sanne) == {
        "identity": {"province": "NL-UT"},
        "career": {"experience": [{"title": "Kok", "from": "2019"}]},
        "wishes": {"titles": ["Souschef"]},
    }
    assert await handle(sanne) == answer.json()["handle"] != old
    undone = (await sanne.send("DELETE", "/me/anonymity")).json()
    assert undone["anonymity"] == "open"
    assert await seen(sanne) == open_
    assert await handle(sanne) == undone["handle"] not in {old, answer.json()["handle"]}


async def test_r14_twice_is_once(world, sanne):
    first = await sanne.send("POST", "/me/anonymity")
    second = await sanne.send("POST", "/me/anonymity")
    assert first.json() == second.json()
    assert len(await world.events("profile", sanne.subject)) == 2


async def test_r14_a_new_handle_is_told_and_the_old_one_leads_nowhere(world, sanne):
    old = await handle(sanne)
    new = (await sanne.send("POST", "/me/anonymity")).json()["handle"]
    told = (await world.events("profile", sanne.subject))[-1]
    assert (told["handle"], told["anonymity"]) == (new, "anonymous")
    assert await world.made.mongo.find_one("profiles", {"handle": old}) is None


@pytest.mark.parametrize("body", [{}, {"confirm": "yes"}, {"confirm": True}])
async def test_r14_permanent_needs_its_word(sanne, body):
    assert (await sanne.send("POST", "/me/anonymity/permanent", body)).status_code == 422
    assert (await sanne.get("/me/profile"))["identity"]["given_name"] == "Sanne"


async def permanent(candidate):
    return await candidate.send("POST", "/me/anonymity/permanent", {"confirm": "permanent"})


async def test_r14_permanent_destroys_what_points_to_the_person(world, sanne):
    await sanne.show(**SHOWN)
    before = await world.made.mongo.find_one("profiles", {"_id": sanne.subject})
    assert (await permanent(sanne)).json()["anonymity"] == "permanent"
    assert await sanne.get("/me/profile") == {
        "identity": {"province": "NL-UT"},
        "contact": {"channels": ["relay"]},
        "career": {"experience": [{"title": "Kok", "from": "2019"}], "skills": [{"name": "Sauzen", "level": 4}]},
        "wishes": {"titles": ["Souschef"], "province": "NL-UT"},
    }
    after = await world.made.mongo.find_one("profiles", {"_id": sanne.subject})
    assert {row["class"] for row in before["boxes"]} == {"identifying", "career"}
    assert {row["class"] for row in after["boxes"]} == {"career"}


async def test_r14_after_permanent_no_older_copy_can_be_opened(world, sanne):
    await permanent(sanne)
    assert await destroy_due(world.made.mongo, world.made.keyring) == 1
    with pytest.raises(KeyDestroyedError):
        await world.made.keyring.key(sanne.subject, "identifying")


async def test_r14_permanent_cannot_be_undone_nor_told_again(world, sanne):
    await permanent(sanne)
    await destroy_due(world.made.mongo, world.made.keyring)
    undone = await sanne.send("DELETE", "/me/anonymity")
    assert (undone.status_code, undone.json()["type"]) == (409, "urn:kandidatenbank:problem:anonymous-for-good")
    again = await sanne.tell(
        {"identity": {"given_name": "Sanne"}, "career": {"experience": [{"title": "Kok", "from": "2019-09"}]}}
    )
    fields = {error["field"]: error["rule"] for error in again.json()["errors"]}
    assert fields == {"identity.given_name": "anonymous-for-good", "career.experience": "anonymous-for-good"}
    assert (await permanent(sanne)).status_code == 200


async def test_r14_permanently_anonymous_the_career_can_still_be_changed(world, sanne):
    await permanent(sanne)
    await destroy_due(world.made.mongo, world.made.keyring)
    left = await sanne.get("/me/profile")
    changed = await sanne.tell({**left, "career": {"experience": [{"title": "Chef", "from": "2020"}]}})
    assert changed.status_code == 200
    assert (await sanne.get("/me/profile"))["career"] == {"experience": [{"title": "Chef", "from": "2020"}]}


async def test_r14_permanently_anonymous_a_profile_goes_on_through_its_years(world, sanne):
    await sanne.activate()
    await permanent(sanne)
    await destroy_due(world.made.mongo, world.made.keyring)
    await sanne.send("POST", "/me/deactivation")
    again = await sanne.send("POST", "/me/reactivation")
    assert (again.status_code, again.json()["state"]) == (202, "active")
