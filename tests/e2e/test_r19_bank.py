"""R19, R1: who may look in the bank, for which purpose, what they find, and how the candidate learns of it."""

from functools import partial
from typing import Any

import httpx
import pytest
from testkit.cast import Candidate, Cast, Organisation
from testkit.logbook import Logbook
from testkit.portal import SEARCHING, Actor, Portal, admitted, ok
from testkit.refusals import expect_refused
from testkit.waiting import eventually

SEARCH = "profiles/v1/bank/search"


async def search(actor: Actor, headers: dict[str, str] | None = None, **criteria: Any) -> httpx.Response:
    return await actor.get(SEARCH, params={"limit": 100, **criteria}, headers=SEARCHING if headers is None else headers)


async def view(actor: Actor, handle: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return await actor.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING if headers is None else headers)


async def views(candidate: Candidate) -> list[dict[str, Any]]:
    return list(ok(await candidate.actor.get("profiles/v1/me/views", params={"limit": 100})).json()["items"])


@pytest.mark.parametrize(
    "criteria",
    [
        {"place": "Utrecht", "radius_km": 5},
        {"place": "Amersfoort", "radius_km": 40},
        {"province": "NL-UT"},
        {"skills": "SQL:5"},
        {"skills": ["sql", "power  bi"]},
        {"languages": "en:B2"},
        {"level": "hbo-bachelor"},
        {"hours": 32},
        {"words": "{mark}"},
        {"words": "CIJFERS begrijpelijk"},
        {"place": "Utrecht", "skills": "SQL", "level": "mbo-4", "hours": 36, "words": "{mark} Data-Analist"},
    ],
)
async def test_r19_a_recruiter_finds_by(cast: Cast, organisation: Organisation, candidate: Candidate, criteria: Any) -> None:
    asked = {name: value.replace("{mark}", cast.mark) if name == "words" else value for name, value in criteria.items()}
    handle = await candidate.handle()
    card = next(one for one in await _all(organisation.recruiter, asked) if one["handle"] == handle)
    assert cast.mark not in str(card)


@pytest.mark.parametrize(
    "criteria",
    [
        {"place": "Maastricht"},
        {"province": "NL-GR"},
        {"skills": "SQL:5", "words": "elektromonteur"},
        {"skills": "Power BI:5"},
        {"languages": "en:C2"},
        {"level": "phd"},
        {"hours": 12},
        {"words": "Groene Heuvel"},
        {"words": "Fenna{mark}"},
        {"licences": "B"},
        {"salary_to": 1000, "words": "{mark}"},
    ],
)
async def test_r19_nobody_is_found_by_what_is_hidden_or_does_not_fit(
    cast: Cast, organisation: Organisation, candidate: Candidate, criteria: Any
) -> None:
    """The employer and the name are shown when the profile is opened, but nobody is found by them; the licence is hidden."""
    asked = {name: value.replace("{mark}", cast.mark) if name == "words" else value for name, value in criteria.items()}
    if criteria == {"salary_to": 1000, "words": "{mark}"}:
        asked = {"salary_to": 1000}
    handle = await candidate.handle()
    assert handle not in [one["handle"] for one in await _all(organisation.recruiter, asked)]


async def test_r19_a_view_shows_what_was_chosen_and_the_candidate_sees_who_looked(cast: Cast, organisation: Organisation) -> None:
    made = await cast.active()
    handle = await made.handle()
    seen = ok(await view(organisation.recruiter, handle)).json()["profile"]
    preview = ok(await made.actor.get("profiles/v1/me/profile/as-recruiter")).json()["profile"]
    assert seen == preview
    assert "birth_date" not in seen["identity"]
    [looked] = [one for one in await views(made) if one["kind"] == "view"]
    assert (looked["organisation"], looked["purpose"], looked["handle"]) == (organisation.name, "candidate-search", handle)
    assert set(looked["fields"]) == {f"{group}.{name}" for group, fields in seen.items() for name in fields}
    assert organisation.recruiter.subject not in str(looked)


async def test_r19_standing_on_a_page_of_results_is_logged_too(cast: Cast, organisation: Organisation) -> None:
    made = await cast.active()
    handle = await made.handle()
    await _all(organisation.recruiter, {"words": cast.mark})
    [stood] = [one for one in await views(made) if one["kind"] == "search-page"]
    assert (stood["organisation"], stood["handle"]) == (organisation.name, handle)
    assert not [path for path in stood["fields"] if path.startswith("contact") or path == "identity.given_name"]


@pytest.mark.parametrize("purpose", [None, "", "nieuwsgierigheid", "own-data", "hiring-dossier", "candidate-search, own-data"])
async def test_r01_without_a_permitted_purpose_nothing_is_shown_and_the_refusal_is_logged(
    cast: Cast, organisation: Organisation, purpose: str | None
) -> None:
    made = await cast.active()
    handle = await made.handle()
    headers, log = {} if purpose is None else {"Purpose": purpose}, Logbook(cast.stack.instance)
    document = expect_refused(await view(organisation.recruiter, handle, headers), 403, "purpose")
    assert (document["header"], document["permitted"]) == ("Purpose", ["candidate-search"])
    expect_refused(await search(organisation.recruiter, headers, words=cast.mark), 403, "purpose")
    assert await views(made) == []
    told = [line for line in log.new_lines() if '"request_refused"' in line and '"why": "purpose"' in line]
    assert len(told) == 2
    assert all(organisation.recruiter.subject in line and organisation.id in line for line in told)


async def test_r19_nobody_else_looks(
    cast: Cast, portal: Portal, organisation: Organisation, outsider: Organisation, operator: Actor, candidate: Candidate
) -> None:
    made = await cast.active()
    handle = await made.handle()
    administrator = await portal.join_organisation(operator, organisation.id, cast.email("baas"), role="administrator")
    manager = await portal.join_organisation(operator, organisation.id, cast.email("chef"), role="hiring-manager")
    others = (
        candidate.actor,
        made.actor,
        outsider.recruiter,
        outsider.system,
        organisation.system,
        operator,
        administrator,
        manager,
    )
    for actor in others:
        expect_refused(await view(actor, handle), 403, "forbidden")
        expect_refused(await search(actor, words=cast.mark), 403, "forbidden")
    expect_refused(await view(portal.visitor, handle), 401, "unauthorized")
    expect_refused(await search(portal.visitor), 401, "unauthorized")
    assert await views(made) == []
    for recruiter in (organisation.recruiter, outsider.recruiter):
        expect_refused(await recruiter.get("profiles/v1/me/views"), 403, "forbidden")


async def test_r19_a_suspended_organisation_and_one_that_lost_access_look_no_more(cast: Cast, operator: Actor) -> None:
    made = await cast.active()
    handle = await made.handle()
    for change in ({"state": "suspended"}, {"bank_access": False}):
        losing = await cast.organisation(operator, "Verliest Toegang", bank=True)
        ok(await view(losing.recruiter, handle))
        details = f"identity/v1/organisations/{losing.id}/details"
        ok(await operator.get(details))
        headers = {"If-Match": operator.etags[details]}
        ok(await operator.call("PATCH", f"identity/v1/organisations/{losing.id}", json=change, headers=headers))
        await eventually(partial(_is_refused, losing, handle), timeout=10)


async def test_r19_a_member_who_was_removed_looks_no_more(
    cast: Cast, portal: Portal, operator: Actor, organisation: Organisation
) -> None:
    made = await cast.active()
    handle = await made.handle()
    leaver = await portal.join_organisation(operator, organisation.id, cast.email("vertrekt"), role="recruiter")
    ok(await view(await admitted(leaver), handle))
    ok(await operator.delete(f"identity/v1/organisations/{organisation.id}/members/{leaver.subject}"))
    gone = Organisation(organisation.id, organisation.name, leaver, "", organisation.system)
    await eventually(lambda: _is_refused(gone, handle), timeout=10)
    ok(await view(organisation.recruiter, handle))


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        ({"place": "Nergenshuizen{mark}"}, "place"),
        ({"place": "Hengelo"}, "place"),
        ({"place": "Utrecht", "radius_km": 0}, "radius_km"),
        ({"radius_km": "ver{mark}"}, "radius_km"),
        ({"level": "professor{mark}"}, "level"),
        ({"hours": 200}, "hours"),
        ({"skills": "{mark}" * 40}, "skills"),
        ({"languages": "Engels{mark}"}, "languages"),
        ({"available_by": "2027-02-30"}, "available_by"),
        ({"after": "verzonnen{mark}"}, "after"),
        ({"limit": 0}, "limit"),
        ({"words": "{mark}" * 40}, "words"),
    ],
)
async def test_r19_a_question_that_makes_no_sense_is_refused(
    cast: Cast, organisation: Organisation, criteria: dict[str, Any], field: str
) -> None:
    asked = {name: value.replace("{mark}", cast.mark) if isinstance(value, str) else value for name, value in criteria.items()}
    document = expect_refused(await organisation.recruiter.get(SEARCH, params=asked, headers=SEARCHING), 422)
    assert [error["field"] for error in document["errors"]] == [field]
    assert cast.mark not in str(document)


async def test_r19_a_handle_that_leads_nowhere_gets_404_and_no_reason(cast: Cast, organisation: Organisation) -> None:
    draft = await cast.draft()
    documents = []
    for handle in (await draft.handle(), "bestaatniet", "x" * 200, draft.actor.subject):
        document = expect_refused(await view(organisation.recruiter, handle), 404, "not-found")
        documents.append({name: value for name, value in document.items() if name != "instance"})
    assert all(document == documents[0] for document in documents)


async def _is_refused(organisation: Organisation, handle: str) -> bool:
    return (await view(organisation.recruiter, handle)).status_code in {401, 403}


async def _all(actor: Actor, criteria: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = ok(await search(actor, **criteria, **more)).json()
        found += page["items"]
        if not page.get("next"):
            return found
        more = {"after": page["next"]}
