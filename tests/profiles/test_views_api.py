"""The access log as its subject reads it (R19, R33): who looked, when, at what; and nothing about anybody else."""

from bson import encode
from chassis.ids import new_id
from chassis.mongo import transact
from contracts.identity.organisation import OrganisationEvent
from testkit.samples import people

PURPOSE = {"Purpose": "candidate-search"}


async def shown_candidate(world, profile):
    candidate = world.candidate()
    await candidate.tell(profile)
    await candidate.show(career__skills="shown", identity__given_name="shown")
    await world.consent(candidate.subject)
    assert (await candidate.activate()).json()["in_bank"] is True
    return candidate, (await candidate.get("/me/profile/as-recruiter"))["handle"]


async def organisation(world, name):
    org = new_id()
    recruiter = world.member(org)
    await world.organisation(recruiter, org=org, name=name)
    await world.fresh()
    return recruiter, org


async def look(recruiter, handle):
    answer = await recruiter.send("GET", f"/bank/profiles/{handle}", **PURPOSE)
    assert answer.status_code == 200, answer.text


async def test_r19_views_come_in_pages_the_newest_first(world):
    candidate, handle = await shown_candidate(world, people()[0].profile)
    for name in ("Een", "Twee", "Drie"):
        await look((await organisation(world, name))[0], handle)
    first = await candidate.get("/me/views?limit=2")
    second = await candidate.get(first["next"].removeprefix("/api/profiles/v1"))
    views = [*first["items"], *second["items"]]
    assert [view["organisation"] for view in views] == ["Drie", "Twee", "Een"]
    assert second["next"] is None
    assert {view["handle"] for view in views} == {handle}
    assert set(views[0]["fields"]) == {"career.skills", "identity.given_name"}


async def test_r19_a_page_of_results_tells_each_candidate_only_their_own_part(world):
    (fenna, handle), (okke, other) = [await shown_candidate(world, person.profile) for person in people()[:2]]
    recruiter, _ = await organisation(world, "Een")
    assert (await recruiter.send("GET", "/bank/search", **PURPOSE)).status_code == 200
    for candidate, own, foreign in ((fenna, handle, other), (okke, other, handle)):
        views = (await candidate.get("/me/views"))["items"]
        assert [(view["kind"], view["handle"], view["fields"]) for view in views] == [("search-page", own, ["career.skills"])]
        assert foreign not in str(views)


async def test_r33_what_a_row_tells_about_a_person_lies_under_a_key_of_theirs(world):
    candidate, handle = await shown_candidate(world, people()[0].profile)
    recruiter, _ = await organisation(world, "Een")
    await look(recruiter, handle)
    [row] = await world.made.mongo.find("accesses", {})
    assert {"subject": candidate.subject} == {name: value for name, value in row["shown"][0].items() if name != "box"}
    assert not [trace for trace in (handle, "career", "given_name") if trace in str(row)]
    before = encode(row)
    await world.made.keyring.destroy(candidate.subject, "access-log")
    [view] = (await candidate.get("/me/views"))["items"]
    assert (view["kind"], view["organisation"], view["purpose"]) == ("view", "Een", "candidate-search")
    assert (view["handle"], view["fields"]) == (None, None)
    assert [encode(one) for one in await world.made.mongo.find("accesses", {})] == [before]


async def test_r33_a_box_opens_in_its_own_row_only(world):
    candidate, handle = await shown_candidate(world, people()[0].profile)
    recruiter, _ = await organisation(world, "Een")
    await look(recruiter, handle)
    await look(recruiter, handle)
    first, second = await world.made.mongo.find("accesses", {})
    await world.made.mongo.database["accesses"].update_one({"_id": first["_id"]}, {"$set": {"shown": second["shown"]}})
    assert (await candidate.send("GET", "/me/views")).status_code == 500


async def test_r33_who_is_being_erased_is_not_shown(world):
    """Their keys are gone before the bank lets go of them: there can be no row, so there is no answer."""
    (fenna, handle), (_, other) = [await shown_candidate(world, person.profile) for person in people()[:2]]
    recruiter, _ = await organisation(world, "Een")
    await world.made.keyring.destroy(fenna.subject, "access-log")
    answers = [await recruiter.send("GET", path, **PURPOSE) for path in (f"/bank/profiles/{handle}", "/bank/search")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert await world.made.mongo.find("accesses", {}) == []
    await look(recruiter, other)


async def test_r19_who_looked_stays_told_when_the_organisation_is_gone(world):
    candidate, handle = await shown_candidate(world, people()[0].profile)
    recruiter, org = await organisation(world, "Een")
    await look(recruiter, handle)
    await world.hear_tombstone(OrganisationEvent, org)
    assert [view["organisation"] for view in (await candidate.get("/me/views"))["items"]] == ["Een"]
    gone = await recruiter.send("GET", f"/bank/profiles/{handle}", **PURPOSE)
    assert gone.status_code == 403


async def test_r33_an_organisation_whose_last_word_could_not_be_applied_does_not_look(world):
    """It may have lost its access: until an operator resolves the parked event, nobody acts for it."""
    _, handle = await shown_candidate(world, people()[0].profile)
    recruiter, org = await organisation(world, "Een")
    listed = next(one for one in world.worker.consumer.subscriptions if one.topic.name == "identity.organisation.v1")

    class Parked:
        key = org

    await transact(world.made.mongo, lambda uow: listed.when_parked(Parked(), uow))
    assert (await recruiter.send("GET", f"/bank/profiles/{handle}", **PURPOSE)).status_code == 403
    await world.organisation(recruiter, org=org, name="Een")
    await look(recruiter, handle)


async def test_r01_a_refusal_is_logged_with_ids_and_without_details(world, capsys):
    _, handle = await shown_candidate(world, people()[0].profile)
    recruiter, org = await organisation(world, "Een")
    capsys.readouterr()
    await recruiter.send("GET", f"/bank/profiles/{handle}", Purpose="curiosity")
    await world.member(org, "candidate").send("GET", f"/bank/profiles/{handle}", **PURPOSE)
    await world.organisation(recruiter, org=org, name="Een", bank_access=False)
    await recruiter.send("GET", f"/bank/profiles/{handle}", **PURPOSE)
    lines = [line for line in capsys.readouterr().out.splitlines() if "request_refused" in line]
    assert len(lines) == 3
    for line, why in zip(lines, ("purpose", "access", "organisation-without-bank"), strict=True):
        assert f"why={why}" in line
        assert org in line
        assert not [trace for trace in (handle, "Een", "Fenna", "curiosity") if trace in line]
