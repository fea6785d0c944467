"""R6, R15 to R17, R26: what time does. The clock is turned, forward only, so this module comes after the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import PASSWORD, SEARCHING, Portal, consent, in_bank, lifecycle, ok
from testkit.refusals import expect_refused
from testkit.stack import Stack
from testkit.waiting import eventually

RENEW = "/pages/renew/"


async def turn(stack: Stack, **by: int) -> None:
    await asyncio.to_thread(stack.turn, timedelta(**by))


async def open_profile(organisation: Organisation, handle: str) -> httpx.Response:
    return await organisation.recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING)


async def asked(candidate: Candidate) -> dict[str, Any]:
    """Wait until the mail server's word about the last mail has arrived: only then the period runs."""

    async def proven() -> dict[str, Any] | None:
        life = await lifecycle(candidate.actor)
        return life if life["state"] == "asked" and life["answer_before"] else None

    return await eventually(proven, timeout=45)


async def test_r06_a_confirmation_link_works_for_48_hours(cast: Cast, portal: Portal, stack: Stack) -> None:
    email = cast.email("laat")
    await portal.register(email)
    link = (await portal.mailbox.wait(email, link="/pages/confirm/")).link("/pages/confirm/")
    await turn(stack, hours=47)
    assert "<button" in ok(await portal.http.get(link)).text
    await turn(stack, hours=2)
    for method in ("GET", "POST", "GET"):
        answer = await portal.http.request(method, link)
        assert (answer.status_code, "<button" in answer.text) == (404, False)
    async with cast.elsewhere() as visitor:
        expect_refused(await visitor.post("identity/v1/sessions", {"email": email, "password": PASSWORD}), 401, "credentials")
    await portal.register(email)
    again = await portal.mailbox.wait(email, link="/pages/confirm/")
    assert again.link("/pages/confirm/") != link
    await portal.press(again.link("/pages/confirm/"))
    await portal.sign_in(email)


async def test_r26_what_somebody_had_agreed_to_on_a_day(cast: Cast, stack: Stack) -> None:
    made = await cast.candidate()
    before = (cast.today - timedelta(days=1)).isoformat()
    given = await consent(made.actor)
    then = cast.today.isoformat()
    await turn(stack, days=3)
    ok(await made.actor.post("consent/v1/decisions/candidate-search/withdrawal"))
    now = cast.today.isoformat()
    states = {}
    for day in (before, then, now):
        found = ok(await made.actor.get("consent/v1/decisions", params={"on": day})).json()
        states[day] = [(one["purpose"], one["state"]) for one in found["items"]]
    assert states == {
        before: [],
        then: [("candidate-search", "consented")],
        now: [("candidate-search", "withdrawn")],
    }
    [then_agreed] = ok(await made.actor.get("consent/v1/decisions", params={"on": then})).json()["items"]
    assert {name: then_agreed[name] for name in ("version", "language", "sha256")} == {
        name: given[name] for name in ("version", "language", "sha256")
    }
    tomorrow = (cast.today + timedelta(days=1)).isoformat()
    expect_refused(await made.actor.get("consent/v1/decisions", params={"on": tomorrow}), 422, "invalid", on="future")


async def test_r16_r17_after_a_year_the_question_a_click_renews_and_silence_ends(
    cast: Cast, portal: Portal, stack: Stack, organisation: Organisation
) -> None:
    renews, silent, stopped = await asyncio.gather(cast.active(), cast.active(1), cast.active())
    ok(await stopped.actor.post("profiles/v1/me/deactivation"))
    old = await silent.handle()
    await turn(stack, days=364)
    ok(await open_profile(organisation, old))
    assert (await lifecycle(renews.actor))["state"] == "active"
    await turn(stack, days=3)
    await asyncio.gather(asked(renews), asked(silent))
    await _a_click_renews(cast, portal, renews)
    await _silence_ends(portal, stack, organisation, silent)
    assert not [mail for mail in await portal.mailbox.all(stopped.email) if mail.has_link(RENEW)]
    assert (await lifecycle(stopped.actor))["reason"] == "by-candidate"


async def _a_click_renews(cast: Cast, portal: Portal, renews: Candidate) -> None:
    link = (await portal.mailbox.wait(renews.email, link=RENEW)).link(RENEW)
    before = await lifecycle(renews.actor)
    for method in ("GET", "HEAD") * 3:
        ok(await portal.http.request(method, link))
    assert await lifecycle(renews.actor) == before
    answers = await asyncio.gather(*(portal.http.post(link) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    renewed = await lifecycle(renews.actor)
    assert (renewed["state"], renewed["cycle"], renewed["in_bank"]) == ("active", 2, True)
    assert renewed["visible_until"][:4] == str(cast.today.year + 1)
    ok(await portal.http.post(link))
    assert await lifecycle(renews.actor) == renewed


async def _silence_ends(portal: Portal, stack: Stack, organisation: Organisation, silent: Candidate) -> None:
    links = [(await portal.mailbox.wait(silent.email, link=RENEW)).link(RENEW)]
    ok(await open_profile(organisation, await silent.handle()))
    for days in (14, 11):
        await turn(stack, days=days)
        links.append((await portal.mailbox.wait(silent.email, link=RENEW)).link(RENEW))
        await asked(silent)
    await turn(stack, days=4)
    ended = await in_bank(silent.actor, expected=False)
    assert (ended["state"], ended["reason"], ended["notices"]) == ("inactive", "expired", [])
    expect_refused(await open_profile(organisation, await silent.handle()), 404, "not-found")
    for link in links:
        for method in ("GET", "POST"):
            assert (await portal.http.request(method, link)).status_code == 410
    assert (await lifecycle(silent.actor))["state"] == "inactive"
    told = await portal.mailbox.wait(silent.email)
    assert not told.has_link(RENEW)
    ok(await silent.actor.post("profiles/v1/me/reactivation"))
    back = await in_bank(silent.actor)
    assert back["cycle"] == ended["cycle"] + 1


async def test_r17_when_the_question_bounces_the_period_ends_as_unreachable_and_that_is_told(
    cast: Cast, portal: Portal, stack: Stack
) -> None:
    gone = await cast.active()
    async with _mail_server_that_refuses(stack, gone.email) as server:
        await turn(stack, days=368)
        await asked(gone)
        await turn(stack, days=29)
        ended = await in_bank(gone.actor, expected=False)
        assert server.refusals == 1
    assert (ended["state"], ended["reason"], ended["notices"]) == ("inactive", "unreachable", ["unreachable"])
    again = await portal.sign_in(gone.email)
    assert (await lifecycle(again))["notices"] == ["unreachable"]
    ok(await again.post("profiles/v1/me/reactivation"))
    assert (await in_bank(again))["notices"] == []


@dataclass
class Refusing:
    """A mail server at which one mailbox is no more."""

    gone: str
    refusals: int = 0
    taken: list[str] = field(default_factory=list)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        if address == self.gone:
            self.refusals += 1
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken += envelope.rcpt_tos
        return "250 OK"


@asynccontextmanager
async def _mail_server_that_refuses(stack: Stack, address: str) -> AsyncIterator[Refusing]:
    """It stands where the mail catcher stood, which refuses nobody."""
    await asyncio.to_thread(stack.stop, "mail")
    handler = Refusing(address)
    controller = Controller(handler, hostname="127.0.0.1", port=stack.instance.port("mail_smtp"), enable_SMTPUTF8=True)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()
        await asyncio.to_thread(stack.start, "mail")
