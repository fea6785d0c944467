"""R2 and R33: the public list of organisations, who may change what, and what losing a role or access does at once."""

import asyncio

import pytest

PASSWORD = "pas fiets brug"


async def ended(identity) -> set[tuple[str, str]]:
    return {(event["session"], event["reason"]) for event in await identity.events("identity.session.v1")}


async def etag_of(person, organisation: str) -> str:
    return (await person.call("GET", f"/organisations/{organisation}/details")).headers["etag"]


async def change(person, organisation: str, body: dict):
    tag = await etag_of(person, organisation)
    return await person.call("PATCH", f"/organisations/{organisation}", json=body, headers={"If-Match": tag})


async def test_everybody_reads_who_takes_part_and_what_they_do_with_the_data(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    listed = (await identity.get("/organisations")).json()
    assert listed == {"items": [{"id": organisation, **identity.facts}], "next": None}
    assert (await identity.get(f"/organisations/{organisation}")).json() == listed["items"][0]
    assert (await identity.get("/organisations/onbekend")).status_code == 404


async def test_the_list_is_read_page_by_page_without_gaps(identity) -> None:
    operator = await identity.operator()
    made = [await identity.organisation(operator, name=f"Werkplaats {number}") for number in range(5)]
    seen, path = [], "/organisations?limit=2"
    while path:
        page = (await identity.get(path)).json()
        seen += [one["id"] for one in page["items"]]
        path = (page["next"] or "").removeprefix("/api/identity/v1")
    assert seen == sorted(made)
    assert (await identity.get("/organisations?after=verzonnen")).status_code == 422


async def test_an_organisation_is_told_with_its_members(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    member = await identity.member(operator, organisation, "recruiter", "administrator")
    first, last = await identity.events("identity.organisation.v1", organisation)
    assert first == {
        "organisation": organisation,
        "name": identity.facts["name"],
        "state": "active",
        "bank_access": True,
        "members": [],
    }
    assert last["members"] == [{"account": member.account, "roles": ["recruiter", "administrator"]}]


async def test_a_repeated_creation_makes_one_organisation(identity) -> None:
    operator = await identity.operator()
    headers = {"Idempotency-Key": "eenmaal"}
    answers = await asyncio.gather(
        *(operator.call("POST", "/organisations", json=identity.facts, headers=headers) for _ in range(4))
    )
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(201, answers[0].json()["id"])}
    assert len((await identity.get("/organisations")).json()["items"]) == 1
    other = await operator.call("POST", "/organisations", json={**identity.facts, "name": "Anders"}, headers=headers)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "regel\nregel"),
        ("name", "werk@plaats"),
        ("name", "\u202estaalpkreW"),
        ("name", "\u200b"),
        ("country", "nederland"),
        ("data_use", {"nl": "Alleen Nederlands"}),
        ("privacy_contact", None),
        ("kvk", "12345678"),
    ],
)
async def test_a_wrong_fact_is_named(identity, field, value) -> None:
    operator = await identity.operator()
    answer = await operator.call("POST", "/organisations", json={**identity.facts, field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert (await identity.get("/organisations")).json()["items"] == []


async def test_only_the_operator_makes_organisations_and_changes_their_access(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    administrator = await identity.member(operator, organisation, "administrator")
    recruiter = await identity.member(operator, organisation, "recruiter")
    candidate = await identity.candidate()
    for person in (administrator, recruiter, candidate):
        assert (await person.call("POST", "/organisations", json=identity.facts)).status_code == 403
    for body in ({"bank_access": False}, {"state": "suspended"}):
        assert (await change(administrator, organisation, body)).status_code == 403
    for person in (recruiter, candidate):
        answer = await person.call("PATCH", f"/organisations/{organisation}", json={}, headers={"If-Match": '"1"'})
        assert answer.status_code == 403
    assert (await change(administrator, organisation, {"facts": {**identity.facts, "name": "Nieuwe naam"}})).status_code == 200
    assert (await identity.get(f"/organisations/{organisation}")).json()["name"] == "Nieuwe naam"


async def test_an_administrator_of_another_organisation_is_nobody_here(identity) -> None:
    operator = await identity.operator()
    ours, theirs = await identity.organisation(operator), await identity.organisation(operator, name="Anderen")
    stranger = await identity.member(operator, theirs, "administrator")
    member = await identity.member(operator, ours, "recruiter")
    path = f"/organisations/{ours}"
    tag = {"If-Match": await etag_of(operator, ours)}
    tries = [
        await stranger.call("GET", f"{path}/details"),
        await stranger.call("PATCH", path, json={"facts": identity.facts}, headers=tag),
        await stranger.call("POST", f"{path}/members", json={"email": identity.new_address(), "roles": ["recruiter"]}),
        await stranger.call("PUT", f"{path}/members/{member.account}", json={"roles": ["administrator"]}, headers=tag),
        await stranger.call("DELETE", f"{path}/members/{member.account}"),
        await stranger.call("POST", f"{path}/clients", json={"name": "ATS", "scopes": ["vacancies:write"]}),
        await stranger.call("GET", f"{path}/clients"),
    ]
    assert [answer.status_code for answer in tries] == [403] * len(tries)
    assert await etag_of(operator, ours) == tag["If-Match"]


async def test_a_change_needs_the_version_that_was_seen(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    path, seen = f"/organisations/{organisation}", await etag_of(operator, organisation)
    assert (await operator.call("PATCH", path, json={"bank_access": False})).status_code == 428
    assert (await operator.call("PATCH", path, json={"bank_access": False}, headers={"If-Match": seen})).status_code == 200
    stale = await operator.call("PATCH", path, json={"bank_access": True}, headers={"If-Match": seen})
    assert stale.status_code == 412
    assert [event["bank_access"] for event in await identity.events("identity.organisation.v1")] == [True, False]


@pytest.mark.parametrize("loss", [{"bank_access": False}, {"state": "suspended"}])
async def test_losing_access_signs_out_everybody_who_acts_for_the_organisation(identity, loss) -> None:
    operator = await identity.operator()
    organisation, other = await identity.organisation(operator), await identity.organisation(operator, name="Anderen")
    recruiter = await identity.member(operator, organisation, "recruiter")
    outsider = await identity.member(operator, other, "recruiter")
    assert recruiter.claims["bank"] is True
    assert (await change(operator, organisation, loss)).status_code == 200
    assert await ended(identity) == {(recruiter.answer["session"], "role-lost")}
    refreshed = await identity.post("/sessions/refresh", {"refresh_token": recruiter.answer["refresh_token"]})
    assert refreshed.status_code == 401
    assert (await identity.post("/sessions/refresh", {"refresh_token": outsider.answer["refresh_token"]})).status_code == 200


async def test_a_suspended_organisation_is_not_listed_and_nobody_acts_for_it(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    email = identity.new_address()
    page = await identity.invited(operator, organisation, "recruiter", email=email)
    await change(operator, organisation, {"state": "suspended"})
    assert (await identity.get("/organisations")).json()["items"] == []
    assert (await identity.get(f"/organisations/{organisation}")).status_code == 404
    assert (await identity.get(page)).status_code == 404
    invite = {"email": identity.new_address(), "roles": ["recruiter"]}
    assert (await operator.call("POST", f"/organisations/{organisation}/members", json=invite)).status_code == 409
    await change(operator, organisation, {"state": "active"})
    assert (await identity.get(page)).status_code == 200


async def test_a_member_who_loses_a_role_is_signed_out_of_it_and_keeps_the_other(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    email = identity.new_address()
    page = await identity.invited(operator, organisation, "recruiter", "hiring-manager", email=email)
    await identity.client.post(f"/api/identity/v1{page}", data={"password": PASSWORD})
    as_recruiter = await identity.signed_in(email, organisation=organisation, role="recruiter")
    as_manager = await identity.signed_in(email, organisation=organisation, role="hiring-manager")
    assert (as_recruiter.claims["role"], as_manager.claims["role"]) == ("recruiter", "hiring-manager")
    path = f"/organisations/{organisation}/members/{as_manager.account}"
    tag = {"If-Match": await etag_of(operator, organisation)}
    assert (await operator.call("PUT", path, json={"roles": ["hiring-manager"]}, headers=tag)).status_code == 200
    assert await ended(identity) == {(as_recruiter.answer["session"], "role-lost")}
    assert (await identity.sign_in(email, organisation=organisation, role="recruiter")).status_code == 403
    assert (await operator.call("DELETE", path)).json()["members"] == []
    assert len(await ended(identity)) == 2
    assert (await identity.sign_in(email, organisation=organisation)).status_code == 403
    assert (await operator.call("DELETE", path)).status_code == 404


async def test_the_last_administrator_cannot_leave_or_step_down(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    administrator = await identity.member(operator, organisation, "administrator")
    await identity.member(operator, organisation, "recruiter")
    path = f"/organisations/{organisation}/members/{administrator.account}"
    assert (await administrator.call("DELETE", path)).status_code == 409
    tag = {"If-Match": await etag_of(operator, organisation)}
    assert (await administrator.call("PUT", path, json={"roles": ["recruiter"]}, headers=tag)).status_code == 409
    assert await ended(identity) == set()


async def test_nobody_becomes_a_member_without_being_invited(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    candidate = await identity.candidate()
    tag = {"If-Match": await etag_of(operator, organisation)}
    path = f"/organisations/{organisation}/members/{candidate.account}"
    assert (await operator.call("PUT", path, json={"roles": ["recruiter"]}, headers=tag)).status_code == 404
    assert (await operator.call("GET", f"/organisations/{organisation}/details")).json()["members"] == []
