"""R26: what a person was shown and decided is provable, withdrawable per purpose, and theirs alone. On the real parts."""

import asyncio
import json

import pytest
from chassis.http.app import handlers_of
from chassis.http.guards import public, roles
from consent.app import PREFIX

PURPOSE = "candidate-search"


def bodies(rows) -> list[dict]:
    return [json.loads(row["body"]) for row in rows]


async def test_r26_a_consent_names_the_text_the_language_and_the_day(consent):
    anna = consent.person()
    presentation = await anna.shown("en")
    answer = await anna.decide(presentation)
    assert answer.status_code == 200
    decided = answer.json()
    text = (await consent.client.get(decided["statement"])).json()
    assert decided["sha256"] == text["sha256"]
    assert (decided["state"], decided["language"], decided["version"]) == ("consented", "en", "2027-01")
    assert decided["decided_on"] == consent.clock.today().isoformat()
    seen = (await anna.get(f"/presentations/{presentation}")).json()
    assert seen["questions"] == {PURPOSE: "Question 2027-01 en"}
    assert seen["sha256"] == decided["sha256"]


async def test_r26_every_step_is_told_once_in_order_with_the_whole_state(consent):
    anna = consent.person()
    await anna.decide(await anna.shown())
    await anna.withdraw()
    rows = await consent.outbox(anna.subject)
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    assert [row["key"] for row in rows] == [f"{anna.subject}:{PURPOSE}:portal"] * 3
    assert [body["state"] for body in bodies(rows)] == ["shown", "consented", "withdrawn"]
    assert bodies(rows)[-1] == {
        "subject": anna.subject,
        "purpose": PURPOSE,
        "controller": "portal",
        "state": "withdrawn",
        "statement_version": "2027-01",
        "language": "nl",
        "decided_on": consent.clock.today().isoformat(),
    }


async def test_r26_being_shown_a_text_changes_no_decision(consent):
    anna = consent.person()
    await anna.decide(await anna.shown())
    await anna.shown("en")
    assert await anna.states() == {PURPOSE: "consented"}
    assert len(await consent.outbox(anna.subject)) == 2


async def test_r26_the_same_answer_twice_is_one_decision(consent):
    anna = consent.person()
    presentation = await anna.shown()
    first, second = await anna.decide(presentation), await anna.decide(presentation)
    assert (second.status_code, second.json()) == (200, first.json())
    assert second.headers["etag"] == first.headers["etag"]
    assert len(await consent.outbox(anna.subject)) == 2


async def test_r26_withdrawing_is_one_request_and_twice_is_once(consent):
    anna = consent.person()
    await anna.decide(await anna.shown())
    first, second = await anna.withdraw(), await anna.withdraw()
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert await anna.states() == {PURPOSE: "withdrawn"}
    assert len(await consent.outbox(anna.subject)) == 3


async def test_r26_after_a_withdrawal_one_may_consent_again(consent):
    anna = consent.person()
    presentation = await anna.shown()
    await anna.decide(presentation)
    await anna.withdraw()
    assert (await anna.decide(presentation)).json()["state"] == "consented"
    steps = (await anna.get("/decisions/history")).json()["items"]
    assert [one["state"] for one in steps] == ["shown", "consented", "withdrawn", "consented"]


async def test_r26_an_acknowledgement_is_no_consent_and_takes_none_back(consent):
    anna = consent.person()
    presentation = await anna.shown()
    assert (await anna.decide(presentation, "acknowledged")).json()["state"] == "acknowledged"
    assert (await anna.withdraw()).json()["type"].endswith("not-consented")
    await anna.decide(presentation)
    refused = await anna.decide(presentation, "acknowledged")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:kandidatenbank:problem:withdraw-instead")
    assert await anna.states() == {PURPOSE: "consented"}


async def test_r26_an_old_text_cannot_be_agreed_to(consent):
    anna = consent.person()
    old = await anna.shown()
    consent.turn(days=30)
    refused = await anna.decide(old)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:kandidatenbank:problem:outdated")
    assert await anna.states() == {PURPOSE: "shown"}
    assert (await anna.decide(await anna.shown())).json()["version"] == "2027-06"


async def test_r26_a_consent_to_an_old_text_stays_one_and_can_be_withdrawn(consent):
    anna = consent.person()
    await anna.decide(await anna.shown())
    consent.turn(days=30)
    assert await anna.states() == {PURPOSE: "consented"}
    assert (await anna.withdraw()).json()["version"] == "2027-01"


async def test_r26_what_had_this_person_agreed_to_on_a_day(consent):
    """Across two versions and a withdrawal; each day is answered with what held at its end."""
    anna, start = consent.person(), consent.clock.today()
    consent.turn(days=10)
    await anna.decide(await anna.shown())
    consent.turn(days=25)
    await anna.decide(await anna.shown("en"))
    consent.turn(days=5)
    await anna.withdraw()
    day_after = {0: None, 9: None, 10: ("consented", "2027-01", "nl"), 34: ("consented", "2027-01", "nl")}
    day_after |= {35: ("consented", "2027-06", "en"), 39: ("consented", "2027-06", "en"), 40: ("withdrawn", "2027-06", "en")}
    for days, expected in day_after.items():
        day = start.fromordinal(start.toordinal() + days).isoformat()
        answer = (await anna.get("/decisions", params={"on": day})).json()
        found = [(one["state"], one["version"], one["language"]) for one in answer["items"]]
        assert (days, found) == (days, [expected] if expected else [])
        assert answer["on"] == day


@pytest.mark.parametrize(("on", "rule"), [("9999-01-01", "future"), ("2027-02-30", "invalid"), ("yesterday", "invalid")])
async def test_a_day_that_has_not_come_or_never_comes_is_refused(consent, on: str, rule: str):
    answer = await consent.person().get("/decisions", params={"on": on})
    assert answer.status_code == 422
    assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [("on", rule)]


async def test_somebody_elses_presentation_is_as_unknown_as_one_that_never_was(consent):
    anna, bert = consent.person(), consent.person()
    annas, never = await anna.shown(), "0198c0de-0000-7000-8000-0000000000ff"
    await bert.shown()
    answers = [await bert.decide(presentation) for presentation in (annas, never)]
    for answer in answers:
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "presentation", "rule": "unknown"}]
    assert [(await bert.get(f"/presentations/{one}")).status_code for one in (annas, never)] == [404, 404]
    assert await bert.states() == await anna.states() == {PURPOSE: "shown"}


async def test_nobody_sees_or_withdraws_anothers_decisions(consent):
    anna, bert = consent.person(), consent.person()
    await anna.decide(await anna.shown())
    assert await bert.states() == {}
    assert (await bert.get("/decisions/history")).json()["items"] == []
    assert (await bert.withdraw()).status_code == 409
    assert await anna.states() == {PURPOSE: "consented"}


@pytest.mark.parametrize("purpose", ["newsletter", "hiring-dossier", "", "candidate-search "])
async def test_a_purpose_that_the_text_does_not_ask_for_is_refused_by_name(consent, purpose: str):
    anna = consent.person()
    presentation = await anna.shown()
    shown = await anna.post("/presentations", {"purposes": [purpose]})
    decided = await anna.decide(presentation, purpose=purpose)
    assert (shown.status_code, decided.status_code) == (422, 422)
    assert shown.json()["errors"][0]["field"].startswith("purpose")
    assert decided.json()["errors"][0]["field"] == "purpose"
    assert await anna.states() == {PURPOSE: "shown"}


@pytest.mark.parametrize(
    ("body", "status", "field", "rule"),
    [
        ({"purpose": PURPOSE, "decision": "consented"}, 422, "presentation", "required"),
        ({"presentation": "x", "purpose": PURPOSE, "decision": "shown"}, 422, "decision", "enum"),
        ({"presentation": "x", "purpose": PURPOSE, "decision": "consented", "subject": "anna"}, 422, "subject", "unknown"),
        ({"presentation": "x" * 65, "purpose": PURPOSE, "decision": "consented"}, 422, "presentation", "string_too_long"),
        ({"presentation": 5, "purpose": PURPOSE, "decision": "consented"}, 422, "presentation", "string_type"),
    ],
)
async def test_a_bad_body_is_refused_with_field_and_rule(consent, body: dict, status: int, field: str, rule: str):
    answer = await consent.person().post("/decisions", body)
    assert answer.status_code == status
    assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [(field, rule)]


async def test_a_body_that_does_not_parse_is_refused(consent):
    anna = consent.person()
    headers = {**anna.headers, "Content-Type": "application/json"}
    answer = await consent.client.post(f"{PREFIX}/decisions", content=b'{"presentation":', headers=headers)
    assert answer.status_code == 400
    answer = await consent.client.post(
        f"{PREFIX}/decisions", content=b"a=b", headers=anna.headers | {"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415


async def test_a_repeated_request_records_one_presentation(consent):
    anna = consent.person()
    request = {"json": {"purposes": [PURPOSE]}, "headers": {"Idempotency-Key": "once"}}
    first, second = [await anna.post("/presentations", **request) for _ in range(2)]
    assert second.json() == first.json()
    assert len(await consent.mongo.find("presentations", {"subject": anna.subject})) == 1


async def test_two_at_once_are_one_after_the_other(consent):
    anna = consent.person()
    shown = await asyncio.gather(*(anna.shown() for _ in range(4)))
    answers = await asyncio.gather(*(anna.decide(presentation) for presentation in shown))
    assert {answer.status_code for answer in answers} == {200}
    withdrawn = await asyncio.gather(*(anna.withdraw() for _ in range(4)))
    assert {answer.status_code for answer in withdrawn} == {200}
    assert [body["state"] for body in bodies(await consent.outbox(anna.subject))] == ["shown", "consented", "withdrawn"]


@pytest.mark.parametrize("role", ["recruiter", "hiring-manager", "administrator", "privacy-officer", "operator", "system"])
async def test_only_candidates_decide(consent, role: str):
    other = consent.person(role)
    answers = [await other.get("/decisions"), await other.post("/presentations", {"purposes": [PURPOSE]}), await other.withdraw()]
    assert {answer.status_code for answer in answers} == {403}


async def test_who_is_not_signed_in_is_asked_to(consent):
    for headers in ({}, {"Authorization": "Bearer x.y.z"}):
        answer = await consent.client.get(f"{PREFIX}/decisions", headers=headers)
        assert answer.status_code == 401


async def test_who_may_do_what(consent):
    """The whole table: a new route has to be added here by somebody who thought about it."""
    found = {
        (method, path): handler.opt["access"]
        for handler in handlers_of(consent.app)
        for method in handler.http_methods
        for path in handler.paths
        if path.startswith(("/statements", "/presentations", "/decisions"))
    }
    own = roles("candidate")
    assert found == {
        ("GET", "/statements"): public(),
        ("GET", "/statements/current"): public(),
        ("GET", "/statements/{version:str}"): public(),
        ("POST", "/presentations"): own,
        ("GET", "/presentations/{presentation:str}"): own,
        ("POST", "/decisions"): own,
        ("POST", "/decisions/{consented_to:str}/withdrawal"): own,
        ("GET", "/decisions"): own,
        ("GET", "/decisions/history"): own,
    }
