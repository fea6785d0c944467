"""R15, R17, R18, R44: a year from activation on, stopped and begun again at the candidate's wish.

What only time does to it is in `test_turned_clock.py`.
"""

import asyncio
from datetime import date

import httpx
import pytest
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import Portal, activate, consent, in_bank, lifecycle, ok, show
from testkit.refusals import expect_refused
from testkit.waiting import eventually

ME = "profiles/v1/me"
DECLARED = {"sixteen_or_older": True}


def a_year_after(day: date) -> date:
    return date(day.year + 1, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + 1)


def years_before(day: date, years: int) -> str:
    return day.replace(year=day.year - years, day=min(day.day, 28)).isoformat()


async def test_r15_activation_waits_for_consent_and_completes_by_itself(cast: Cast) -> None:
    made = await cast.draft()
    answer = ok(await made.actor.post(f"{ME}/activation", DECLARED))
    assert answer.status_code == 202
    assert answer.json()["waiting_for"] == ["consent"]
    assert not answer.json()["in_bank"]
    await consent(made.actor)
    found = await in_bank(made.actor)
    assert found["waiting_for"] == []
    assert found["visible_until"] == a_year_after(cast.today).isoformat()


async def test_r15_activating_twice_starts_one_year(cast: Cast) -> None:
    made = await cast.draft()
    await consent(made.actor)
    calls = (made.actor.post(f"{ME}/activation", DECLARED) for _ in range(3))
    answers = [ok(answer).json() for answer in await asyncio.gather(*calls)]
    assert {(answer["cycle"], answer["state"]) for answer in answers} == {(1, "active")}
    assert (await activate(made.actor))["cycle"] == 1


@pytest.mark.parametrize(("step", "code"), [("deactivation", "activate-first"), ("reactivation", "activate-first")])
async def test_r18_out_of_order_is_refused_and_changes_nothing(cast: Cast, step: str, code: str) -> None:
    made = await cast.draft()
    before = await lifecycle(made.actor)
    expect_refused(await made.actor.post(f"{ME}/{step}"), 409, code)
    assert await lifecycle(made.actor) == before


async def test_r18_who_was_active_reactivates_and_does_not_activate(cast: Cast, organisation: Organisation) -> None:
    made = await cast.active()
    handle = await made.handle()
    first, again = [ok(await made.actor.post(f"{ME}/deactivation")).json() for _ in range(2)]
    assert first == again
    assert (first["state"], first["reason"], first["in_bank"]) == ("inactive", "by-candidate", False)
    expect_refused(await _open(organisation, handle), 404, "not-found")
    expect_refused(await made.actor.post(f"{ME}/activation", DECLARED), 409, "reactivate-instead")
    back, twice = [ok(await made.actor.post(f"{ME}/reactivation")).json() for _ in range(2)]
    assert (back["cycle"], twice["cycle"], back["in_bank"]) == (2, 2, True)
    ok(await _open(organisation, await made.handle()))


async def test_r17_withdrawn_consent_takes_the_profile_out_and_a_new_one_puts_it_back(
    cast: Cast, organisation: Organisation
) -> None:
    made = await cast.active()
    handle = await made.handle()
    ok(await made.actor.post("consent/v1/decisions/candidate-search/withdrawal"))
    out = await in_bank(made.actor, expected=False)
    assert out["waiting_for"] == ["consent"]
    expect_refused(await _open(organisation, handle), 404, "not-found")
    await consent(made.actor)
    await in_bank(made.actor)
    ok(await _open(organisation, await made.handle()))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_r16_an_invented_renewal_link_renews_nothing(portal: Portal, method: str) -> None:
    answer = await portal.http.request(method, "/api/profiles/v1/pages/renew/verzonnen-maar-lang-genoeg-om-echt-te-lijken")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


async def test_r44_who_is_under_16_cannot_activate_whatever_they_declare(cast: Cast) -> None:
    made = await _born(cast, years_before(cast.today, 15))
    document = expect_refused(
        await made.actor.post(f"{ME}/activation", DECLARED), 422, "incomplete", identity__birth_date="under-age"
    )
    assert str(cast.today.year - 15) not in str(document)
    assert (await lifecycle(made.actor))["state"] == "draft"


async def test_r44_who_gives_no_birth_date_declares_to_be_16(cast: Cast) -> None:
    made = await _born(cast, None)
    await consent(made.actor)
    for body in ({}, {"sixteen_or_older": False}):
        expect_refused(await made.actor.post(f"{ME}/activation", body), 422, "incomplete", sixteen_or_older="required")
    for malformed in ({"sixteen_or_older": "misschien"}, {"zestien": "ja"}):
        expect_refused(await made.actor.post(f"{ME}/activation", malformed), 422, "invalid")
    assert (await activate(made.actor))["state"] == "active"


async def test_r44_an_active_profile_takes_no_birth_date_under_16(cast: Cast) -> None:
    made = await cast.active()
    profile = made.person.profile
    young = {**profile, "identity": {**profile["identity"], "birth_date": years_before(cast.today, 14)}}
    expect_refused(await made.actor.put(f"{ME}/profile", young), 422, "invalid", identity__birth_date="under-age")
    assert ok(await made.actor.get(f"{ME}/profile")).json()["identity"]["birth_date"] == profile["identity"]["birth_date"]
    assert (await lifecycle(made.actor))["in_bank"]


async def test_r09_an_active_profile_does_not_lose_what_is_mandatory(cast: Cast) -> None:
    made = await cast.active()
    before = ok(await made.actor.get(f"{ME}/profile")).json()
    for body in ({}, {"identity": {"given_name": cast.marked("Alleen")}}):
        expect_refused(await made.actor.put(f"{ME}/profile", body), 422, "invalid", identity__family_name="required")
    assert ok(await made.actor.get(f"{ME}/profile")).json() == before


async def _born(cast: Cast, day: str | None) -> Candidate:
    made = await cast.candidate()
    identity = {name: value for name, value in made.person.profile["identity"].items() if name != "birth_date"}
    profile = {**made.person.profile, "identity": identity | ({"birth_date": day} if day else {})}
    await eventually(lambda: _told(made, profile), timeout=20)
    await show(made.actor, "career.skills")
    return made


async def _told(made: Candidate, profile: dict[str, object]) -> bool:
    return (await made.actor.put(f"{ME}/profile", profile)).is_success


async def _open(organisation: Organisation, handle: str) -> httpx.Response:
    return await organisation.recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers={"Purpose": "candidate-search"})
