"""R6: signing in, staying signed in, and the end of sessions, which every service hears of."""

import asyncio
from datetime import timedelta

import pytest
from chassis.mongo import transact
from identity.throttling import store
from identity.throttling.service import Try, begin
from testkit.waiting import eventually

EMAIL = "joris@voorbeeld.example"
PASSWORD = "pas fiets brug"


async def refresh(identity, token: str):
    return await identity.post("/sessions/refresh", {"refresh_token": token})


async def ended(identity) -> list[tuple[str, str]]:
    return [(event["session"], event["reason"]) for event in await identity.events("identity.session.v1")]


async def move_back(identity, session: str, **fields: timedelta) -> None:
    """Let machine time have passed for a session: nobody can turn it, so its stamps are moved into the past."""
    row = await identity.mongo.find_one("sessions", {"_id": session})
    changed = {name: row[name] - ago for name, ago in fields.items()}
    await identity.mongo.database["sessions"].update_one({"_id": session}, {"$set": changed})


async def test_the_token_says_who_acts_in_which_session(identity) -> None:
    person = await identity.candidate(EMAIL)
    claims = person.claims
    assert {name: claims[name] for name in ("aud", "iss", "role", "bank", "amr", "sid")} == {
        "aud": "kandidatenbank",
        "iss": identity.settings.public_url,
        "role": "candidate",
        "bank": False,
        "amr": ["pwd"],
        "sid": person.answer["session"],
    }
    assert claims["exp"] - claims["iat"] == 600
    assert "org" not in claims
    assert (await person.call("GET", "/me/account")).json()["email"] == EMAIL


async def test_unknown_address_and_wrong_password_answer_the_same_after_the_same_work(identity, monkeypatch) -> None:
    await identity.candidate(EMAIL)
    compared = []
    passwords = identity.app.dependencies["passwords"].dependency()
    real = passwords.verify

    async def counting(stored, password):
        compared.append(stored is not None)
        return await real(stored, password)

    monkeypatch.setattr(passwords, "verify", counting)
    wrong = await identity.sign_in(EMAIL, "een ander wachtwoord")
    unknown = await identity.sign_in("niemand@voorbeeld.example")
    garbage = await identity.sign_in("geen adres")
    answers = [{k: v for k, v in answer.json().items() if k != "instance"} for answer in (wrong, unknown, garbage)]
    assert answers[0] == answers[1] == answers[2]
    assert {answer.status_code for answer in (wrong, unknown, garbage)} == {401}
    assert compared == [True, False, False]


async def test_a_locked_account_answers_like_a_wrong_password(identity) -> None:
    person = await identity.candidate(EMAIL)
    await identity.mongo.database["accounts"].update_one({"_id": person.account}, {"$set": {"state": "locked"}})
    assert (await identity.sign_in(EMAIL)).json()["type"].endswith(":credentials")
    assert (await refresh(identity, person.answer["refresh_token"])).status_code == 401


async def test_who_guesses_has_to_wait_and_the_right_password_does_not_help_meanwhile(identity) -> None:
    await identity.candidate(EMAIL)
    statuses = [(await identity.sign_in(EMAIL, f"verkeerd wachtwoord {i}")).status_code for i in range(7)]
    assert statuses == [401] * 6 + [429]
    blocked = await identity.sign_in(EMAIL)
    assert blocked.status_code == 429
    assert 1 <= int(blocked.headers["retry-after"]) <= 2
    elsewhere = await identity.client.post(
        "/api/identity/v1/sessions", json={"email": EMAIL, "password": PASSWORD}, headers={"X-Forwarded-For": "198.51.100.7"}
    )
    assert elsewhere.status_code == 201, "a stranger must not keep the owner out"


async def test_guesses_at_once_do_not_slip_past_the_counter(identity) -> None:
    await identity.candidate(EMAIL)
    answers = await asyncio.gather(*(identity.sign_in(EMAIL, f"verkeerd wachtwoord {i}") for i in range(12)))
    assert sum(answer.status_code == 401 for answer in answers) <= 6
    assert sum(answer.status_code == 429 for answer in answers) >= 6


async def test_an_invented_forwarded_address_does_not_escape_the_counter(identity) -> None:
    await identity.candidate(EMAIL)
    for i in range(8):
        headers = {"X-Forwarded-For": f"10.0.0.{i}, 198.51.100.7"}
        answer = await identity.client.post(
            "/api/identity/v1/sessions", json={"email": EMAIL, "password": "verkeerd wachtwoord"}, headers=headers
        )
    assert answer.status_code == 429


async def test_a_success_forgets_the_failures(identity) -> None:
    await identity.candidate(EMAIL)
    for _ in range(3):
        for _ in range(4):
            assert (await identity.sign_in(EMAIL, "verkeerd wachtwoord")).status_code == 401
        assert (await identity.sign_in(EMAIL)).status_code == 201


async def test_a_refresh_replaces_the_token(identity) -> None:
    person = await identity.candidate(EMAIL)
    first = person.answer["refresh_token"]
    answer = await refresh(identity, first)
    assert answer.status_code == 200
    second = answer.json()["refresh_token"]
    assert second != first
    assert answer.json()["session"] == person.answer["session"]
    assert (await refresh(identity, second)).status_code == 200
    assert await ended(identity) == []


async def test_two_refreshes_at_once_get_the_same_successor(identity) -> None:
    person = await identity.candidate(EMAIL)
    answers = await asyncio.gather(*(refresh(identity, person.answer["refresh_token"]) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert (await refresh(identity, successors.pop())).status_code == 200
    assert await ended(identity) == []


async def test_a_lost_answer_is_answered_again_within_the_grace(identity) -> None:
    person = await identity.candidate(EMAIL)
    lost = (await refresh(identity, person.answer["refresh_token"])).json()
    again = (await refresh(identity, person.answer["refresh_token"])).json()
    assert again["refresh_token"] == lost["refresh_token"]


async def test_a_replaced_token_after_the_grace_ends_the_session_everywhere_and_tells_the_owner(identity) -> None:
    person = await identity.candidate(EMAIL)
    stolen, session = person.answer["refresh_token"], person.answer["session"]
    current = (await refresh(identity, stolen)).json()["refresh_token"]
    await move_back(identity, session, rotated_at=timedelta(seconds=31))
    assert (await refresh(identity, stolen)).status_code == 401
    assert await ended(identity) == [(session, "theft")]
    assert (await refresh(identity, current)).status_code == 401, "the thief's and the owner's token are both over"
    [mail] = await identity.mails("session-stolen")
    assert mail.subject == person.account
    assert (await refresh(identity, stolen)).status_code == 401
    assert len(await ended(identity)) == 1


@pytest.mark.parametrize(
    "ago", [{"used_at": timedelta(days=30)}, {"over_at": timedelta(days=90)}], ids=["rested for a month", "lived for a quarter"]
)
async def test_an_old_session_is_over_without_an_event(identity, ago) -> None:
    person = await identity.candidate(EMAIL)
    await move_back(identity, person.answer["session"], **ago)
    assert (await refresh(identity, person.answer["refresh_token"])).status_code == 401
    assert (await person.call("GET", "/me/sessions")).json() == {"items": []}
    assert await ended(identity) == []


@pytest.mark.parametrize("token", ["", "onzin", "a.b.c"])
async def test_a_token_that_is_not_ours_ends_nothing(identity, token) -> None:
    person = await identity.candidate(EMAIL)
    forged = token or f"{person.answer['session']}.geraden.handtekening"
    assert (await refresh(identity, forged)).status_code == 401
    assert (await refresh(identity, person.answer["refresh_token"])).status_code == 200


async def test_only_hashes_of_refresh_tokens_are_stored(identity) -> None:
    person = await identity.candidate(EMAIL)
    second = (await refresh(identity, person.answer["refresh_token"])).json()["refresh_token"]
    stored = str(await identity.mongo.find("sessions", {}))
    for token in (person.answer["refresh_token"], second):
        assert all(part not in stored for part in token.split(".")[1:])


async def test_signing_out_ends_the_session_here_at_once_and_tells_everybody(identity) -> None:
    person = await identity.candidate(EMAIL)
    assert (await person.call("DELETE", "/sessions/current")).status_code == 204
    assert await ended(identity) == [(person.answer["session"], "signed-out")]
    assert (await refresh(identity, person.answer["refresh_token"])).status_code == 401

    async def refused() -> bool:
        return (await person.call("GET", "/me/account")).status_code == 401

    await eventually(refused, timeout=5)


async def test_a_person_sees_and_ends_their_own_sessions_and_nobody_elses(identity) -> None:
    laptop = await identity.candidate(EMAIL)
    telephone = await identity.signed_in(EMAIL)
    stranger = await identity.candidate()
    shown = (await laptop.call("GET", "/me/sessions")).json()["items"]
    assert {one["id"]: one["current"] for one in shown} == {laptop.answer["session"]: True, telephone.answer["session"]: False}
    path = f"/me/sessions/{telephone.answer['session']}"
    assert (await stranger.call("DELETE", path)).status_code == 404
    assert await ended(identity) == []
    for _ in range(2):
        assert (await laptop.call("DELETE", path)).status_code == 204
    assert await ended(identity) == [(telephone.answer["session"], "signed-out")]
    assert [one["id"] for one in (await laptop.call("GET", "/me/sessions")).json()["items"]] == [laptop.answer["session"]]


async def test_sessions_that_are_over_are_dropped_a_day_later(identity) -> None:
    person = await identity.candidate(EMAIL)
    await person.call("DELETE", "/sessions/current")
    assert await identity.run_job("sessions-over") == 0
    await move_back(identity, person.answer["session"], ended_at=timedelta(hours=25))
    assert await identity.run_job("sessions-over") == 1


async def test_a_password_hash_of_other_parameters_is_renewed_at_the_next_sign_in(identity, monkeypatch) -> None:
    await identity.candidate(EMAIL)
    before = (await identity.mongo.find("accounts", {}))[0]["password"]
    passwords = identity.app.dependencies["passwords"].dependency()
    monkeypatch.setattr(passwords, "outdated", lambda stored: stored == before)
    assert (await identity.sign_in(EMAIL)).status_code == 201
    assert (await identity.mongo.find("accounts", {}))[0]["password"] != before
    assert (await identity.sign_in(EMAIL)).status_code == 201


async def test_the_language_changes_with_the_version_that_was_seen(identity) -> None:
    person = await identity.candidate(EMAIL)
    seen = (await person.call("GET", "/me/account")).headers["etag"]
    change = {"language": "en"}
    assert (await person.call("PATCH", "/me/account", json=change)).status_code == 428
    changed = await person.call("PATCH", "/me/account", json=change, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["language"]) == (200, "en")
    assert (await person.call("PATCH", "/me/account", json={"language": "nl"}, headers={"If-Match": seen})).status_code == 412
    assert [event["language"] for event in await identity.events("identity.account.v1")] == ["nl", "en"]
    assert [event["language"] for event in await identity.events("identity.contact.v1")] == ["nl", "en"]


async def test_r06_people_of_one_office_who_sign_in_at_once_do_not_hold_each_other_up(identity) -> None:
    """The second looked at the clock before the first was counted, and comes to the shared counter after it."""
    now = identity.clock.machine()
    first, second = (Try.of(key=bytes(32), account=account, caller="office") for account in ("one", "other"))
    await transact(identity.mongo, lambda uow: begin(uow, first, now=now + timedelta(milliseconds=5)))
    await transact(identity.mongo, lambda uow: begin(uow, second, now=now))
    caller = second.counters[1][1]
    assert (await store.counters(identity.mongo, [caller]))[caller].failures == 2
