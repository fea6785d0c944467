"""R6, R31: somebody deletes their account; every service erases and confirms, and nobody else's details are touched."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from contracts.topics import SERVICES
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import PASSWORD, SEARCHING, Actor, Portal, ok
from testkit.refusals import expect_refused
from testkit.samples import saved_search
from testkit.stack import Stack
from testkit.waiting import eventually
from testkit.whereabouts import Client, left_of

DELETE, REQUESTS, PAGE = "identity/v1/me/account/erasure", "consent/v1/requests", "/api/consent/v1/pages/requests/"
SEARCH = {"criteria": saved_search()}


@pytest.fixture
def mongo(stack: Stack) -> Iterator[Client]:
    """MongoDB as its administrator sees it."""
    with Client(stack.mongo_url()) as client:
        yield client


async def delete(actor: Actor, password: str = PASSWORD) -> httpx.Response:
    return await actor.post(DELETE, {"password": password})


async def followed(portal: Portal, link: str) -> dict[str, Any]:
    """What the link says, without an account."""
    return dict(ok(await portal.visitor.get(f"{REQUESTS}/by-link/{link.rpartition('/')[2]}")).json())


async def closed(portal: Portal, link: str) -> dict[str, Any]:
    """The certificate, once the request is over."""

    async def over() -> dict[str, Any] | None:
        found = await followed(portal, link)
        return found if found["phase"] == "closed" else None

    return await eventually(over, timeout=90)


async def link_of(portal: Portal, email: str) -> str:
    return (await portal.mailbox.wait(email, link=PAGE)).link(PAGE)


async def with_everything(cast: Cast, organisation: Organisation) -> Candidate:
    """Somebody in the bank, looked at, with a saved search."""
    made = await cast.active()
    ok(await made.actor.post("notifications/v1/searches", SEARCH))
    handle = await made.handle()
    ok(await organisation.recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING))
    return made


async def test_r31_whoever_deletes_their_account_is_gone_everywhere_and_gets_a_certificate(
    cast: Cast, portal: Portal, organisation: Organisation, mongo: Client
) -> None:
    made = await with_everything(cast, organisation)
    handle, subject = await made.handle(), made.actor.subject
    answer = await delete(made.actor)
    assert answer.status_code == 202
    link = await link_of(portal, made.email)
    certificate = await closed(portal, link)
    assert certificate["id"] == answer.json()["request"]
    assert {part["service"] for part in certificate["parts"]} == set(SERVICES)
    assert all(len(part["receipt"]) == 64 for part in certificate["parts"])
    counts = {part["service"]: part["counts"] for part in certificate["parts"]}
    assert (counts["profiles"]["profiles"], counts["identity"]["accounts"]) == (1, 1)
    assert counts["notifications"]["contacts"] == 1
    assert certificate["last_mail"] == "accepted"
    assert certificate["dark_on"] == (date.fromisoformat(certificate["closed_on"]) + timedelta(days=14)).isoformat()
    assert {kept["what"] for kept in certificate["kept"]} == {"access-log", "consent-records", "this-request"}
    last = await portal.mailbox.wait(made.email, subject="verwijderd")
    assert "laatste e-mail" in last.text
    page = ok(await portal.http.get(link)).text
    assert "Bewijs van verwijdering" in page

    await eventually(lambda: not left_of(mongo, subject), timeout=15)  # the last keys are being destroyed
    assert [row for service in SERVICES for row in mongo[f"{service}_keyring"].data_keys.find({"subject": subject})]
    expect_refused(await organisation.recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING), 404, "not-found")


async def test_r31_everything_is_blocked_at_once(cast: Cast, organisation: Organisation) -> None:
    made = await with_everything(cast, organisation)
    handle = await made.handle()
    ok(await delete(made.actor))

    async def refused() -> bool:
        return (await made.actor.get("profiles/v1/me/profile")).status_code == 401

    async def unseen() -> bool:
        answer = await organisation.recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING)
        return answer.status_code == 404

    await eventually(refused, timeout=15)
    await eventually(unseen, timeout=15)
    async with cast.elsewhere() as visitor:
        answer = await visitor.post("identity/v1/sessions", {"email": made.email, "password": PASSWORD})
    expect_refused(answer, 401, "credentials")
    expect_refused(
        await organisation.recruiter.post("identity/v1/sessions/refresh", {"refresh_token": made.actor.refresh_token}), 401
    )


async def test_r31_asking_twice_at_once_is_one_request_after_which_the_address_begins_anew(cast: Cast, portal: Portal) -> None:
    made = await cast.candidate()
    first, second = await asyncio.gather(delete(made.actor), delete(made.actor))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    await closed(portal, await link_of(portal, made.email))
    assert len([mail for mail in await portal.mailbox.all(made.email) if mail.has_link(PAGE)]) == 1
    again = await portal.join(made.person, made.email)
    assert again.subject != made.actor.subject


async def test_r06_without_the_password_nothing_is_deleted(cast: Cast, portal: Portal) -> None:
    made = await cast.candidate()
    expect_refused(await delete(made.actor, "iets anders dan het wachtwoord"), 403, "password")
    expect_refused(await portal.visitor.post(DELETE, {"password": PASSWORD}), 401)
    expect_refused(await made.actor.post(DELETE, {}), 422, "invalid")
    ok(await made.actor.get("identity/v1/me/account"))


async def test_r06_who_has_a_role_at_the_portal_hands_it_over_first(operator: Actor) -> None:
    expect_refused(await delete(operator), 409, "staff-account")
    ok(await operator.get("identity/v1/me/account"))


async def test_r06_the_last_administrator_of_an_organisation_stays(cast: Cast, portal: Portal, operator: Actor) -> None:
    made = await cast.organisation(operator, "Laatste Beheer", bank=False)
    boss = await portal.join_organisation(operator, made.id, cast.email("baas"), role="administrator")
    expect_refused(await delete(boss), 409, "last-administrator")
    ok(await delete(made.recruiter))


async def test_r31_a_service_that_is_down_is_waited_for_and_named(
    cast: Cast, portal: Portal, operator: Actor, stack: Stack
) -> None:
    made = await cast.draft()
    stack.stop("profiles-worker")
    try:
        request = ok(await delete(made.actor)).json()["request"]
        link = await link_of(portal, made.email)

        async def only_profiles() -> bool:
            return bool((await followed(portal, link))["waiting_for"] == ["profiles"])

        await eventually(only_profiles, timeout=60)
        listed = ok(await operator.get(REQUESTS)).json()["items"]
        assert [one["waiting_for"] for one in listed if one["id"] == request] == [["profiles"]]
        assert "profiel" in ok(await portal.http.get(link)).text
    finally:
        stack.start("profiles-worker")
    await closed(portal, link)


async def test_r31_an_invented_link_shows_nothing_and_requests_are_the_staffs(candidate: Candidate, portal: Portal) -> None:
    expect_refused(await portal.visitor.get(f"{REQUESTS}/by-link/{'A' * 43}"), 404, "not-found")
    assert (await portal.http.get(f"{PAGE}{'A' * 43}")).status_code == 404
    expect_refused(await candidate.actor.get(REQUESTS), 403)
    expect_refused(await portal.visitor.get(REQUESTS), 401)
