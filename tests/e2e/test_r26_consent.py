"""R26: every version of the statement stays readable, and what a person agreed to, when and in which words, is provable."""

import hashlib
from typing import Any

import pytest
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import Actor, Portal, consent, ok
from testkit.refusals import expect_refused

STATEMENTS, SHOW, DECIDE = "consent/v1/statements", "consent/v1/presentations", "consent/v1/decisions"
SEARCH = {"purposes": ["candidate-search"]}


async def history(candidate: Candidate) -> list[dict[str, Any]]:
    return list(ok(await candidate.actor.get(f"{DECIDE}/history")).json()["items"])


async def shown(candidate: Candidate) -> str:
    return str(ok(await candidate.actor.post(SHOW, SEARCH)).json()["id"])


def decision(shown_as: str, **changes: str) -> dict[str, str]:
    return {"presentation": shown_as, "purpose": "candidate-search", "decision": "consented"} | changes


@pytest.mark.parametrize("language", ["nl", "en"])
async def test_r26_every_version_is_readable_in_both_languages_by_everybody(portal: Portal, language: str) -> None:
    listed = ok(await portal.visitor.get(STATEMENTS, headers={"Accept-Language": language})).json()["items"]
    current = ok(await portal.visitor.get(f"{STATEMENTS}/current", headers={"Accept-Language": language})).json()
    assert [one["version"] for one in listed if one["in_force"]] == [current["version"]]
    for one in listed:
        version = ok(await portal.visitor.get(f"{STATEMENTS}/{one['version']}", headers={"Accept-Language": language}))
        assert version.headers["content-language"] == language == version.json()["language"]
        assert hashlib.sha256(version.json()["text"].encode()).hexdigest() == one["sha256"]
        assert version.json()["questions"]["candidate-search"]
    expect_refused(await portal.visitor.get(f"{STATEMENTS}/1999-01"), 404, "not-found")


async def test_r26_a_decision_proves_what_was_shown_and_when(cast: Cast, portal: Portal) -> None:
    made = await cast.candidate()
    given = await consent(made.actor)
    assert given["decided_on"] == cast.today.isoformat()
    text = ok(await portal.http.get(given["statement"])).json()
    assert (text["version"], text["sha256"], text["language"]) == (given["version"], given["sha256"], given["language"])
    what = ok(await made.actor.get(f"{SHOW}/{given['presentation']}")).json()
    assert what["questions"]["candidate-search"] == text["questions"]["candidate-search"]
    assert [step["state"] for step in await history(made)] == ["shown", "consented"]


async def test_r26_the_same_answer_twice_is_one_decision(cast: Cast) -> None:
    made = await cast.candidate()
    presentation = await shown(made)
    answers = [ok(await made.actor.post(DECIDE, decision(presentation))).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    withdrawals = [ok(await made.actor.post(f"{DECIDE}/candidate-search/withdrawal")).json() for _ in range(2)]
    assert withdrawals[0] == withdrawals[1]
    assert [step["state"] for step in await history(made)] == ["shown", "consented", "withdrawn"]


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"presentation": "verzonnen"}, 422, "invalid", "presentation"),
        ({"purpose": "newsletter"}, 422, "invalid", "purpose"),
        ({"purpose": "alles"}, 422, "invalid", "purpose"),
        ({"decision": "misschien"}, 422, "invalid", "decision"),
        ({"decision": "withdrawn"}, 422, "invalid", "decision"),
        ({"namens": "een ander"}, 422, "invalid", "namens"),
    ],
)
async def test_r26_an_answer_to_what_was_not_shown_is_none(
    cast: Cast, changes: dict[str, str], status: int, code: str, field: str
) -> None:
    made = await cast.candidate()
    presentation = await shown(made)
    before = await history(made)
    document = expect_refused(await made.actor.post(DECIDE, decision(presentation, **changes)), status, code)
    assert [error["field"] for error in document["errors"]] == [field]
    assert await history(made) == before


async def test_r26_nobody_decides_for_somebody_else(cast: Cast, candidate: Candidate) -> None:
    made = await cast.candidate()
    presentation = await shown(made)
    expect_refused(await candidate.actor.get(f"{SHOW}/{presentation}"), 404, "not-found")
    before = await history(candidate)
    expect_refused(await candidate.actor.post(DECIDE, decision(presentation)), 422, "invalid", presentation="unknown")
    assert await history(candidate) == before
    assert [step["state"] for step in await history(made)] == ["shown"]


async def test_r26_out_of_order_is_refused(cast: Cast) -> None:
    made = await cast.candidate()
    expect_refused(await made.actor.post(f"{DECIDE}/candidate-search/withdrawal"), 409, "not-consented")
    assert await history(made) == []
    await consent(made.actor)
    presentation = await shown(made)
    acknowledged = await made.actor.post(DECIDE, decision(presentation, decision="acknowledged"))
    expect_refused(acknowledged, 409, "withdraw-instead")
    assert ok(await made.actor.get(DECIDE)).json()["items"][0]["state"] == "consented"
    expect_refused(await made.actor.post(f"{DECIDE}/alles/withdrawal"), 422, "invalid")


async def test_r26_other_roles_have_nothing_to_decide(organisation: Organisation, operator: Actor) -> None:
    for actor in (organisation.recruiter, organisation.system, operator):
        expect_refused(await actor.post(SHOW, SEARCH), 403, "forbidden")
        expect_refused(await actor.get(f"{DECIDE}/history"), 403, "forbidden")
