"""R8, R9, R12: what a profile may hold, what of it is needed, and that nobody overwrites what they did not see."""

import asyncio
from typing import Any

import pytest
from testkit.cast import Candidate, Cast
from testkit.portal import Portal, ok
from testkit.refusals import expect_refused

PROFILE = "profiles/v1/me/profile"
ADDRESS = {"street": "{mark}", "number": "1", "postal_code": "12"}
REFERENCE = {"name": "{mark}", "relation": "x", "contact": "y", "agreed": False}
MANDATORY = {"identity.given_name", "identity.family_name", "identity.place", "wishes.place"}


async def read(candidate: Candidate) -> dict[str, Any]:
    return dict(ok(await candidate.actor.get(PROFILE)).json())


async def test_r08_a_candidate_reads_back_all_that_they_told(cast: Cast) -> None:
    made = await cast.draft()
    told, said = await read(made), made.person.profile
    for group in ("identity", "contact", "wishes"):
        assert told[group].items() >= said[group].items()
    filled = {name: value for name, value in said["career"].items() if value}
    assert told["career"].items() >= filled.items()


async def test_r09_every_field_says_whether_it_is_mandatory(portal: Portal) -> None:
    fields = ok(await portal.visitor.get("profiles/v1/fields")).json()
    assert {field["path"] for field in fields if field["mandatory"]} == MANDATORY
    assert {"contact.telephone", "career.headline", "identity.birth_date"} <= {field["path"] for field in fields}
    assert not [field for field in fields if "bsn" in field["path"] or "nationality" in field["path"]]


async def test_r09_activation_names_what_is_missing_and_changes_nothing(cast: Cast) -> None:
    made = await cast.draft()
    ok(await made.actor.put(PROFILE, {"identity": {"given_name": cast.marked("Alleen")}}))
    answer = await made.actor.post("profiles/v1/me/activation", {"sixteen_or_older": True})
    document = expect_refused(answer, 422, "incomplete")
    named = {error["field"] for error in document["errors"]}
    assert named == (MANDATORY - {"identity.given_name"}) | {"wishes.titles"}
    life = ok(await made.actor.get("profiles/v1/me/lifecycle")).json()
    assert life["state"] == "draft"
    assert set(life["missing"]) == named


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"identity": {"bsn": "123456782"}}, "identity.bsn", "unknown"),
        ({"identity": {"birth_date": "1890-01-01"}}, "identity.birth_date", None),
        ({"identity": {"place": "Nergenshuizen{mark}"}}, "identity.place", None),
        ({"identity": {"given_name": "{mark}\x00"}}, "identity.given_name", None),
        ({"identity": {"given_name": "{mark}" * 20}}, "identity.given_name", None),
        ({"identity": {"gender": "{mark}"}}, "identity.gender", None),
        (
            {"identity": {"address": {"street": "{mark}", "number": "1", "postal_code": "12"}}},
            "identity.address.postal_code",
            None,
        ),
        ({"contact": {"telephone": "bel {mark}"}}, "contact.telephone", None),
        ({"contact": {"email": "{mark}"}}, "contact.email", None),
        ({"wishes": {"hours_from": 40, "hours_to": 20}}, "wishes", None),
        ({"career": {"skills": [{"name": "{mark}", "level": 6}]}}, "career.skills.0.level", None),
        (
            {"career": {"references": [{"name": "{mark}", "relation": "x", "contact": "y", "agreed": False}]}},
            "career.references.0.agreed",
            None,
        ),
        ({"career": [1]}, "career", None),
    ],
)
async def test_r08_what_a_profile_cannot_hold_is_refused_and_nothing_changes(
    cast: Cast, candidate: Candidate, change: dict[str, Any], field: str, rule: str | None
) -> None:
    before = await read(candidate)
    document = expect_refused(await candidate.actor.put(PROFILE, _with_mark(change, cast.mark)), 422, "invalid")
    named = {error["field"]: error["rule"] for error in document["errors"]}
    assert set(named) == {field}
    assert rule is None or named[field] == rule
    assert cast.mark not in str(document)
    assert await read(candidate) == before


async def test_r12_a_change_needs_the_version_that_was_seen(cast: Cast) -> None:
    made = await cast.draft()
    seen = await read(made)
    tag = made.actor.etags[PROFILE]
    change = {"career": {"headline": cast.marked("Nieuw")}}
    expect_refused(await made.actor.call("PATCH", PROFILE, json=change), 428, "if-match-required")
    for wrong in ("*", 'W/"1"', '"999999"', "iets", tag.strip('"')):
        expect_refused(await made.actor.call("PATCH", PROFILE, json=change, headers={"If-Match": wrong}), 412, "stale")
    assert await read(made) == seen
    ok(await made.actor.call("PATCH", PROFILE, json=change, headers={"If-Match": tag}))
    expect_refused(await made.actor.call("PATCH", PROFILE, json=seen, headers={"If-Match": tag}), 412, "stale")
    now = await read(made)
    assert now["career"] == change["career"]
    assert now["identity"] == seen["identity"]


async def test_r12_of_two_changes_at_once_one_is_told_that_it_came_too_late(cast: Cast) -> None:
    made = await cast.draft()
    await read(made)
    headers = {"If-Match": made.actor.etags[PROFILE]}
    changes = [{"career": {"headline": cast.marked(word)}} for word in ("Links", "Rechts", "Midden")]
    calls = (made.actor.call("PATCH", PROFILE, json=change, headers=headers) for change in changes)
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    won = next(change for change, answer in zip(changes, answers, strict=True) if answer.is_success)
    assert (await read(made))["career"] == won["career"]


async def test_r12_nobody_reads_or_changes_a_profile_by_a_path(candidate: Candidate) -> None:
    for path in (f"profiles/v1/profiles/{candidate.actor.subject}", f"profiles/v1/{candidate.actor.subject}/profile"):
        expect_refused(await candidate.actor.get(path), 404, "not-found")


def _with_mark(sent: Any, mark: str) -> Any:
    if isinstance(sent, dict):
        return {name: _with_mark(value, mark) for name, value in sent.items()}
    if isinstance(sent, list):
        return [_with_mark(one, mark) for one in sent]
    return sent.replace("{mark}", mark) if isinstance(sent, str) else sent
