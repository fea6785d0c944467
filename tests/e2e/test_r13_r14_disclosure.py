"""R13, R14: the candidate decides field by field, everything starts hidden, and anonymity holds everywhere at once."""

import json
from typing import Any

import pytest
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import SEARCHING, in_bank, ok, show
from testkit.refusals import expect_refused

VISIBILITY, SEEN = "profiles/v1/me/visibility", "profiles/v1/me/profile/as-recruiter"


async def seen(candidate: Candidate) -> dict[str, Any]:
    return dict(ok(await candidate.actor.get(SEEN)).json())


async def opened(organisation: Organisation, handle: str) -> Any:
    return await organisation.recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING)


async def test_r13_everything_starts_hidden(cast: Cast) -> None:
    made = await cast.draft()
    choices = ok(await made.actor.get(VISIBILITY)).json()["fields"]
    assert set(choices.values()) == {"hidden"}
    assert cast.mark not in json.dumps(await seen(made))


async def test_r13_what_is_chosen_is_shown_and_nothing_else(cast: Cast) -> None:
    made = await cast.draft()
    await show(made.actor, "career.skills", **{"identity.place": "province"})
    profile = (await seen(made))["profile"]
    assert profile == {
        "identity": {"province": "NL-UT"},
        "career": {"skills": made.person.profile["career"]["skills"]},
    }
    await show(made.actor, "identity.age")
    assert set((await seen(made))["profile"]["identity"]) == {"age"}
    await show(made.actor)
    assert not (await seen(made))["profile"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"identity.bsn": "shown"}, "fields.identity.bsn"),
        ({"identity.given_name": "province"}, "fields.identity.given_name"),
        ({"identity.given_name": "misschien"}, "fields.identity.given_name"),
    ],
)
async def test_r13_a_choice_that_does_not_exist_is_refused(candidate: Candidate, fields: dict[str, str], field: str) -> None:
    before = ok(await candidate.actor.get(VISIBILITY)).json()
    document = expect_refused(await candidate.actor.put(VISIBILITY, {"fields": fields}), 422, "invalid")
    assert [error["field"] for error in document["errors"]] == [field]
    assert ok(await candidate.actor.get(VISIBILITY)).json() == before


async def test_r13_a_choice_made_on_old_choices_is_refused(cast: Cast) -> None:
    made = await cast.draft()
    ok(await made.actor.get(VISIBILITY))
    tag = made.actor.etags[VISIBILITY]
    await show(made.actor, "career.skills")
    late = {"fields": {"identity.given_name": "shown"}}
    expect_refused(await made.actor.call("PUT", VISIBILITY, json=late, headers={"If-Match": tag}), 412, "stale")
    expect_refused(await made.actor.call("PUT", VISIBILITY, json=late), 428, "if-match-required")
    assert "identity" not in (await seen(made))["profile"]


async def test_r14_anonymous_means_nowhere_any_trace_and_the_old_handle_leads_nowhere(
    cast: Cast, organisation: Organisation
) -> None:
    made = await cast.active()
    old = await made.handle()
    assert cast.mark in ok(await opened(organisation, old)).text
    new = ok(await made.actor.post("profiles/v1/me/anonymity")).json()["handle"]
    expect_refused(await opened(organisation, old), 404, "not-found")
    assert new != old
    shown = ok(await opened(organisation, new))
    assert cast.mark not in shown.text
    assert shown.json()["profile"]["career"]["skills"] == made.person.profile["career"]["skills"]
    assert all(set(job) <= {"title", "from", "to"} for job in shown.json()["profile"]["career"]["experience"])
    search = await organisation.recruiter.get("profiles/v1/bank/search", params={"words": cast.mark}, headers=SEARCHING)
    assert new not in ok(search).text
    views = ok(await made.actor.get("profiles/v1/me/views")).json()["items"]
    assert {view["handle"] for view in views if view["kind"] == "view"} == {old, new}


async def test_r14_anonymity_twice_changes_nothing_and_it_can_be_undone(cast: Cast, organisation: Organisation) -> None:
    made = await cast.active()
    first, again = [ok(await made.actor.post("profiles/v1/me/anonymity")).json() for _ in range(2)]
    assert first == again
    undone = ok(await made.actor.delete("profiles/v1/me/anonymity")).json()
    assert undone["anonymity"] == "open"
    assert undone == ok(await made.actor.delete("profiles/v1/me/anonymity")).json()
    given = made.person.profile["identity"]["given_name"]
    assert ok(await opened(organisation, undone["handle"])).json()["profile"]["identity"]["given_name"] == given


async def test_r14_permanent_needs_the_word_and_cannot_be_undone(cast: Cast, organisation: Organisation) -> None:
    made = await cast.active()
    permanent = "profiles/v1/me/anonymity/permanent"
    before = await seen(made)
    for body in ({}, {"confirm": "ja"}, {"confirm": "permanent", "nog": "iets"}):
        expect_refused(await made.actor.post(permanent, body), 422, "invalid")
    assert await seen(made) == before
    old = await made.handle()
    made_permanent = ok(await made.actor.post(permanent, {"confirm": "permanent"})).json()
    assert made_permanent == ok(await made.actor.post(permanent, {"confirm": "permanent"})).json()
    expect_refused(await made.actor.delete("profiles/v1/me/anonymity"), 409, "anonymous-for-good")
    expect_refused(await opened(organisation, old), 404, "not-found")
    assert cast.mark not in ok(await made.actor.get("profiles/v1/me/profile")).text
    assert cast.mark not in ok(await opened(organisation, made_permanent["handle"])).text
    await in_bank(made.actor)


async def test_r14_after_permanent_anonymity_nothing_that_points_to_the_person_is_taken(cast: Cast) -> None:
    made = await cast.active()
    ok(await made.actor.post("profiles/v1/me/anonymity/permanent", {"confirm": "permanent"}))
    before = ok(await made.actor.get("profiles/v1/me/profile")).json()
    answer = await made.actor.put("profiles/v1/me/profile", made.person.profile)
    expect_refused(answer, 422, "invalid", identity__given_name="anonymous-for-good", contact__telephone="anonymous-for-good")
    assert cast.mark not in answer.text
    assert ok(await made.actor.get("profiles/v1/me/profile")).json() == before
