"""An invitation: nobody becomes a member but by their own word, and nobody learns who has an account."""

import asyncio

import pytest

BASE = "/api/identity/v1"
PASSWORD = "pas fiets brug"


async def inside(identity) -> tuple:
    operator = await identity.operator()
    return operator, await identity.organisation(operator)


async def members(operator, organisation: str) -> list[dict]:
    return (await operator.call("GET", f"/organisations/{organisation}/details")).json()["members"]


async def submit(identity, page: str, **form: str):
    return await identity.client.post(BASE + page, data=form)


async def test_a_new_person_chooses_a_password_and_becomes_a_member_but_no_candidate(identity) -> None:
    operator, organisation = await inside(identity)
    email = identity.new_address()
    page = await identity.invited(operator, organisation, "recruiter", email=email)
    shown = await identity.get(page)
    assert 'type="password"' in shown.text
    assert "Werkplaats Noord" in shown.text
    assert (await submit(identity, page, password=PASSWORD)).status_code == 200
    person = await identity.signed_in(email)
    assert {name: person.claims.get(name) for name in ("role", "org", "bank")} == {
        "role": "recruiter",
        "org": organisation,
        "bank": True,
    }
    assert (await identity.events("identity.account.v1", person.account))[0]["roles"] == []
    assert identity.open((await identity.events("identity.contact.v1", person.account))[0]["sealed"]) == {"address": email}


async def test_who_has_an_account_accepts_with_a_button_and_keeps_their_password(identity) -> None:
    operator, organisation = await inside(identity)
    email = identity.new_address()
    candidate = await identity.candidate(email)
    page = await identity.invited(operator, organisation, "hiring-manager", email=email)
    assert 'type="password"' not in (await identity.get(page)).text
    assert (await submit(identity, page, password="een ander wachtwoord")).status_code == 200
    assert await members(operator, organisation) == [{"account": candidate.account, "roles": ["hiring-manager"]}]
    assert (await identity.signed_in(email)).claims["role"] == "candidate"
    assert (await identity.signed_in(email, organisation=organisation)).claims["role"] == "hiring-manager"
    assert (await identity.sign_in(email, "een ander wachtwoord")).status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_that_follows_the_link_changes_nothing(identity, method) -> None:
    operator, organisation = await inside(identity)
    page = await identity.invited(operator, organisation, "recruiter")
    for _ in range(3):
        assert (await identity.client.request(method, BASE + page)).status_code == 200
    assert await members(operator, organisation) == []


async def test_accepting_twice_at_once_makes_one_account_and_one_member(identity) -> None:
    operator, organisation = await inside(identity)
    page = await identity.invited(operator, organisation, "recruiter")
    answers = await asyncio.gather(*(submit(identity, page, password=PASSWORD) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await members(operator, organisation)) == 1
    assert len(await identity.events("identity.organisation.v1", organisation)) == 2
    assert "al aangenomen" in (await submit(identity, page, password=PASSWORD)).text


@pytest.mark.parametrize(
    ("password", "told"), [("", "minstens 12"), ("kort", "minstens 12"), ("wachtwoord123", "raadt iedereen")]
)
async def test_a_weak_password_is_explained_on_the_page_and_changes_nothing(identity, password, told) -> None:
    operator, organisation = await inside(identity)
    page = await identity.invited(operator, organisation, "recruiter")
    answer = await submit(identity, page, password=password)
    assert answer.status_code == 422
    assert told in answer.text
    assert await members(operator, organisation) == []
    assert (await submit(identity, page, password=PASSWORD)).status_code == 200


async def test_a_new_invitation_takes_the_place_of_the_old_one(identity) -> None:
    operator, organisation = await inside(identity)
    email = identity.new_address()
    old = await identity.invited(operator, organisation, "administrator", email=email)
    new = await identity.invited(operator, organisation, "recruiter", email=email)
    assert (await submit(identity, old, password=PASSWORD)).status_code == 404
    assert (await submit(identity, new, password=PASSWORD)).status_code == 200
    assert [one["roles"] for one in await members(operator, organisation)] == [["recruiter"]]


async def test_an_old_invitation_looks_like_an_unknown_one_and_is_erased_with_its_key(identity) -> None:
    operator, organisation = await inside(identity)
    page = await identity.invited(operator, organisation, "recruiter")
    row = (await identity.mongo.find("invitations", {}))[0]
    identity.turn(hours=49)
    expired, unknown = await submit(identity, page, password=PASSWORD), await submit(identity, "/pages/invitation/van-niemand")
    assert expired.status_code == unknown.status_code == 404
    assert expired.text == unknown.text
    identity.turn(days=5)
    assert await identity.run_job("invitations-over") == 1
    await identity.run_job("destroy-keys")
    assert await identity.mongo.find("invitations", {}) == []
    key = await identity.keyring_mongo.find_one("data_keys", {"_id": f"{row['account']}:identifying"})
    assert key is not None
    assert "wrapped" not in key


async def test_the_answer_does_not_tell_who_has_an_account_and_repeating_it_mails_once(identity) -> None:
    operator, organisation = await inside(identity)
    known, unknown = identity.new_address(), identity.new_address()
    await identity.candidate(known)
    answers = []
    for email in (known, unknown):
        body = {"email": email, "roles": ["recruiter"]}
        for _ in range(2):
            headers = {"Idempotency-Key": f"nodig-{email}"}
            answers.append(await operator.call("POST", f"/organisations/{organisation}/members", json=body, headers=headers))
    assert {(answer.status_code, tuple(answer.json())) for answer in answers} == {(202, ("id",))}
    assert sorted(mail.address for mail in await identity.mails("invitation")) == sorted([known, unknown])


@pytest.mark.parametrize("body", [{"roles": []}, {"roles": ["operator"]}, {"email": "geen adres"}, {"organisation": "x"}])
async def test_an_impossible_invitation_is_refused(identity, body) -> None:
    operator, organisation = await inside(identity)
    wanted = {"email": identity.new_address(), "roles": ["recruiter"], **body}
    answer = await operator.call("POST", f"/organisations/{organisation}/members", json=wanted)
    assert answer.status_code == 422
    assert await identity.mails("invitation") == []


async def test_an_unknown_organisation_invites_nobody(identity) -> None:
    operator, _ = await inside(identity)
    answer = await operator.call(
        "POST", "/organisations/onbekend/members", json={"email": identity.new_address(), "roles": ["recruiter"]}
    )
    assert answer.status_code == 404


async def test_a_member_of_two_organisations_has_to_say_for_which_they_act(identity) -> None:
    operator, ours = await inside(identity)
    theirs = await identity.organisation(operator, name="Anderen")
    email = identity.new_address()
    await submit(identity, await identity.invited(operator, ours, "recruiter", email=email), password=PASSWORD)
    await submit(identity, await identity.invited(operator, theirs, "recruiter", email=email))
    refused = await identity.sign_in(email)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:kandidatenbank:problem:organisation-required")
    assert (await identity.signed_in(email, organisation=theirs)).claims["org"] == theirs
    assert (await identity.sign_in(email, organisation="onbekend")).status_code == 403
    assert (await identity.sign_in(email, organisation=ours, role="administrator")).status_code == 403
    assert (await identity.sign_in(email, organisation=ours, role="operator")).status_code == 403
