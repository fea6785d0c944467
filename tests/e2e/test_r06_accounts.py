"""R6: an account comes from a confirmed address, opens with its password, and its sessions end everywhere."""

import asyncio
import re
from functools import partial

import httpx
import pytest
from testkit.cast import Cast, Organisation
from testkit.portal import PASSWORD, Actor, Portal, ok
from testkit.refusals import expect_refused
from testkit.waiting import eventually

REGISTRATIONS, SESSIONS, REFRESH = "identity/v1/registrations", "identity/v1/sessions", "identity/v1/sessions/refresh"
SERVICES = ("profiles/v1/me/lifecycle", "consent/v1/decisions", "notifications/v1/searches", "identity/v1/me/account")


async def sign_in(cast: Cast, email: str, password: str = PASSWORD) -> httpx.Response:
    """Try from a network address of its own: whoever fails too often has to wait, and the next run comes from here too."""
    async with cast.elsewhere() as visitor:
        return await visitor.post(SESSIONS, {"email": email, "password": password})


async def refresh(portal: Portal, token: str) -> httpx.Response:
    return await portal.visitor.post(REFRESH, {"refresh_token": token})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_r06_a_mail_scanner_confirms_nothing(cast: Cast, portal: Portal, method: str) -> None:
    email = cast.email("scanner")
    await portal.register(email)
    link = (await portal.mailbox.wait(email, link="/pages/confirm/")).link("/pages/confirm/")
    for _ in range(3):
        ok(await portal.http.request(method, link))
    expect_refused(await sign_in(cast, email), 401, "credentials")


async def test_r06_the_button_confirms_once_and_pressing_again_makes_no_second_account(cast: Cast, portal: Portal) -> None:
    email = cast.email("tweemaal")
    await portal.register(email)
    link = (await portal.mailbox.wait(email, link="/pages/confirm/")).link("/pages/confirm/")
    first, second = await asyncio.gather(portal.http.post(link), portal.http.post(link))
    assert (first.status_code, second.status_code) == (200, 200)
    account = (await portal.sign_in(email)).subject
    assert "al bevestigd" in ok(await portal.http.post(link)).text
    assert "al bevestigd" in ok(await portal.http.get(link)).text
    assert (await portal.sign_in(email)).subject == account


async def test_r06_a_known_address_gets_the_same_answer_and_its_owner_is_mailed(cast: Cast, portal: Portal) -> None:
    known = await cast.candidate()
    mails = len(await portal.mailbox.all(known.email))
    answers = [await portal.register(address) for address in (known.email, known.email.upper(), cast.email("nieuw"))]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}
    told = await portal.mailbox.wait(known.email)
    assert not told.has_link("/pages/confirm/")
    assert len(await portal.mailbox.all(known.email)) > mails
    assert (await portal.sign_in(known.email)).subject == known.actor.subject


async def test_r06_an_invented_link_confirms_nothing(portal: Portal) -> None:
    for method in ("GET", "POST"):
        answer = await portal.http.request(method, "/api/identity/v1/pages/confirm/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"email": "geen adres {mark}"}, "email", None),
        ({"email": "{mark}@"}, "email", None),
        ({"email": None}, "email", None),
        ({"password": "kort"}, "password", "too-short"),
        ({"password": "{email}"}, "password", "is-address"),
        ({"language": "de"}, "language", None),
        ({"naam_{mark}": "x"}, "naam_{mark}", "unknown"),
    ],
)
async def test_r06_a_registration_that_breaks_a_rule_is_refused(
    cast: Cast, portal: Portal, change: dict[str, str | None], field: str, rule: str | None
) -> None:
    email = cast.email("fout")
    said = {k.format(mark="a"): v if v is None else v.format(mark=cast.mark, email=email) for k, v in change.items()}
    answer = await portal.visitor.post(REGISTRATIONS, {"email": email, "password": PASSWORD, "language": "nl"} | said)
    document = expect_refused(answer, 422, "invalid")
    named = {error["field"]: error["rule"] for error in document["errors"]}
    assert set(named) == {field.format(mark="a")}
    assert rule is None or rule in named.values()
    assert cast.mark not in answer.text
    expect_refused(await sign_in(cast, email), 401, "credentials")


async def test_r06_another_password_and_an_unknown_address_get_one_answer(cast: Cast, portal: Portal) -> None:
    known = await cast.candidate()
    answers = [await sign_in(cast, known.email, "een heel andere lange zin"), await sign_in(cast, cast.email("niemand"))]
    documents = [expect_refused(answer, 401, "credentials") for answer in answers]
    for document in documents:
        document.pop("instance")
    assert documents[0] == documents[1]


async def test_r06_who_keeps_guessing_has_to_wait_and_the_owner_elsewhere_has_not(cast: Cast, portal: Portal) -> None:
    known = await cast.candidate()
    async with cast.elsewhere() as guesser:
        bodies = ({"email": known.email, "password": f"geraden zin nummer {number}"} for number in range(7))
        guesses = [await guesser.post(SESSIONS, body) for body in bodies]
    document = expect_refused(guesses[-1], 429, "too-many-tries")
    assert int(guesses[-1].headers["retry-after"]) >= 1, document
    assert (await portal.sign_in(known.email)).subject == known.actor.subject


async def test_r06_a_role_that_one_does_not_have_is_refused(cast: Cast, organisation: Organisation) -> None:
    known = await cast.candidate()
    body = {"email": known.email, "password": PASSWORD}
    async with cast.elsewhere() as visitor:
        for other in ({"role": "operator"}, {"role": "recruiter", "organisation": organisation.id}):
            expect_refused(await visitor.post(SESSIONS, body | other), 403)


async def test_r06_a_refresh_token_is_replaced_and_its_successor_is_the_same_in_a_race(cast: Cast, portal: Portal) -> None:
    known = await cast.candidate()
    first, second = await asyncio.gather(*(refresh(portal, known.actor.refresh_token) for _ in range(2)))
    assert ok(first).json()["refresh_token"] == ok(second).json()["refresh_token"] != known.actor.refresh_token
    renewed = Actor(portal.http, first.json()["access_token"])
    assert ok(await renewed.get("identity/v1/me/account")).json()["id"] == known.actor.subject


async def test_r06_a_refresh_token_that_was_used_before_ends_the_session_everywhere(cast: Cast, portal: Portal) -> None:
    known = await cast.candidate()
    first = ok(await refresh(portal, known.actor.refresh_token)).json()
    second = ok(await refresh(portal, first["refresh_token"])).json()
    expect_refused(await refresh(portal, known.actor.refresh_token), 401, "refresh-token")
    expect_refused(await refresh(portal, second["refresh_token"]), 401, "refresh-token")
    for token in (known.actor.token, second["access_token"]):
        await _is_refused_everywhere(Actor(portal.http, token))


async def test_r06_signing_out_ends_the_session_everywhere_and_no_other(cast: Cast, portal: Portal) -> None:
    known = await cast.candidate()
    elsewhere = await portal.sign_in(known.email)
    for path in SERVICES:
        await eventually(partial(_status, known.actor, path, 200))
    ok(await known.actor.delete("identity/v1/sessions/current"))
    await _is_refused_everywhere(known.actor)
    expect_refused(await refresh(portal, known.actor.refresh_token), 401, "refresh-token")
    ok(await elsewhere.get("identity/v1/me/account"))
    assert [one["current"] for one in ok(await elsewhere.get("identity/v1/me/sessions")).json()["items"]] == [True]


async def test_r06_nobody_ends_the_session_of_somebody_else(cast: Cast, portal: Portal) -> None:
    known, other = await asyncio.gather(cast.candidate(), cast.candidate())
    session = ok(await known.actor.get("identity/v1/me/sessions")).json()["items"][0]["id"]
    expect_refused(await other.actor.delete(f"identity/v1/me/sessions/{session}"), 404, "not-found")
    ok(await known.actor.get("identity/v1/me/account"))


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_r06_an_invented_refresh_token_opens_nothing(portal: Portal, token: str) -> None:
    answer = await refresh(portal, token)
    assert answer.status_code in {401, 422}
    assert not re.search("access_token", answer.text)


async def _status(actor: Actor, path: str, status: int) -> bool:
    return (await actor.get(path)).status_code == status


async def _is_refused_everywhere(actor: Actor) -> None:
    for path in SERVICES:
        await eventually(partial(_status, actor, path, 401), timeout=5)
        expect_refused(await actor.get(path), 401, "unauthorized")
