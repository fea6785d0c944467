"""Operators resolve what a consumer set aside, over HTTP: whom a parked event hides is seen again when it is replayed."""

import pytest
from chassis.http.app import handlers_of
from chassis.http.dead_letters import ROUTES
from chassis.http.guards import roles
from chassis.mongo import transact
from contracts.consent.decision import DecisionEvent
from profiles import app
from profiles.organisations import store as organisations
from profiles.organisations.store import Organisation
from testkit.deliveries import decoded, saying

WHY = "the event is a leftover of a test of last year"
ANYTHING = {"all": True}


@pytest.fixture
async def operator(world):
    return world.candidate("operator")


@pytest.fixture
async def sanne(world):
    """Somebody whose profile is in the bank."""
    candidate = world.candidate()
    await candidate.tell({"identity": {"given_name": "Sanne", "family_name": "Zee", "place": "Utrecht"}, "wishes": WISHES})
    await world.consent(candidate.subject)
    assert (await candidate.activate()).status_code == 200
    return candidate


EVIDENCE = {
    *("id", "kind", "consumer", "topic", "partition", "offset", "key", "event", "sequence"),
    *("reason", "attempts", "error", "trace", "at"),
}
WISHES = {"titles": ["Timmerman"], "place": "Utrecht"}


async def park(world, event, sequence=9):
    """Park an event as the consumer does with one whose handler failed five times."""
    consumer = world.worker.consumer
    item = decoded(consumer, saying(event, sequence))
    [subscription] = [one for one in consumer.subscriptions if one.event is type(event)]

    async def work(uow):
        await consumer._parking.park(uow, item, attempts=5, error="KeyError at profiles.records:1")
        await subscription.when_parked(item, uow)

    await transact(world.made.mongo, work)


async def listed(operator, query=""):
    return (await operator.get(f"/dead-letters{query}"))["items"]


async def in_bank(candidate):
    return (await candidate.get("/me/lifecycle"))["in_bank"]


async def test_nobody_but_operators_sees_or_changes_anything(world, sanne):
    for caller in (
        sanne,
        world.candidate("privacy-officer"),
        world.member("0198c0de-0000-7000-8000-0000000000aa", "administrator"),
    ):
        assert (await caller.send("GET", "/dead-letters")).status_code == 403
    handlers = [one for one in handlers_of(world.client._transport.app) if one.fn.__module__ == "chassis.http.dead_letters"]
    assert len(handlers) == len(ROUTES)
    assert {one.opt["access"] for one in handlers} == {roles("operator")}


async def test_a_replayed_consent_shows_the_person_again_and_says_nothing_of_them(world, operator, sanne):
    await park(world, world.decision(sanne.subject, "consented"))
    assert not await in_bank(sanne)
    [one] = await listed(operator)
    assert (one["kind"], one["topic"], one["reason"], one["attempts"]) == ("parked-key", DecisionEvent.topic.name, "failed", 5)
    assert one.keys() == EVIDENCE
    assert await operator.get(f"/dead-letters/{one['id']}") == one
    rehearsed = await operator.send("POST", "/dead-letters/replay", {"topic": DecisionEvent.topic.name, "dry_run": True})
    assert rehearsed.json() == {"items": [{"id": one["id"], "outcome": "applied"}], "after": None}
    assert not await in_bank(sanne)
    replayed = await operator.send("POST", f"/dead-letters/{one['id']}/replay")
    assert (replayed.status_code, replayed.json()["outcome"]) == (200, "applied")
    assert await in_bank(sanne)
    assert (await operator.send("POST", f"/dead-letters/{one['id']}/replay")).status_code == 404


async def test_a_replayed_withdrawal_keeps_the_person_out_of_the_bank(world, operator, sanne):
    await park(world, world.decision(sanne.subject, "withdrawn"))
    [one] = await listed(operator)
    assert (await operator.send("POST", f"/dead-letters/{one['id']}/replay")).json()["outcome"] == "applied"
    assert not await in_bank(sanne)
    await world.consent(sanne.subject, sequence=10)
    assert await in_bank(sanne)


async def test_a_discarded_consent_hides_the_person_until_they_decide_again(world, operator, sanne):
    await park(world, world.decision(sanne.subject, "consented"))
    [one] = await listed(operator)
    discarded = await operator.send("POST", f"/dead-letters/{one['id']}/discard", {"why": WHY})
    assert discarded.json() == {"id": one["id"], "outcome": "discarded"}
    assert not await in_bank(sanne)
    kept = await operator.get(f"/dead-letters/{one['id']}")
    assert (kept["kind"], kept["why"], kept["by"]) == ("discarded", WHY, operator.subject)
    assert await listed(operator) == []
    assert [row["id"] for row in await listed(operator, "?kind=discarded")] == [one["id"]]
    await world.consent(sanne.subject, sequence=10)
    assert await in_bank(sanne)


async def test_a_replayed_account_and_organisation_release_what_was_held_too(world, operator, sanne):
    await world.account(sanne.subject)
    recruiter, org = world.member("org"), "0198c0de-0000-7000-8000-0000000000bb"
    await world.organisation(recruiter, org=org)
    account, organisation = (
        await last(world, world.account(sanne.subject)),
        await last(world, world.organisation(recruiter, org=org)),
    )
    await park(world, account)
    await park(world, organisation)
    assert not await in_bank(sanne)
    assert (await known(world, org)).held
    done = await operator.send("POST", "/dead-letters/replay", ANYTHING)
    assert [one["outcome"] for one in done.json()["items"]] == ["applied", "applied"]
    assert await in_bank(sanne)
    assert not (await known(world, org)).held


async def last(world, saying_it):
    """Return the event that a helper of the world would let the service hear."""
    heard, hear = [], world.hear

    async def note(event, **_):
        heard.append(event)

    world.hear = note
    try:
        await saying_it
    finally:
        world.hear = hear
    return heard[0]


async def known(world, org) -> Organisation:
    return await organisations.find(world.made.mongo, org)


async def test_lists_have_pages_and_batches_go_on_behind_what_was_tried(world, operator):
    subjects = [world.candidate().subject for _ in range(3)]
    for subject in subjects:
        await park(world, world.decision(subject, "consented"))
    first = await operator.get("/dead-letters?limit=2&reason=failed")
    second = await operator.get(first["next"].removeprefix("/api/profiles/v1"))
    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
    some = (await operator.send("POST", "/dead-letters/replay", {"reason": "failed", "limit": 2, "dry_run": True})).json()
    assert some["after"] == first["items"][1]["id"]
    rest = (await operator.send("POST", "/dead-letters/discard", {"all": True, "after": some["after"], "why": WHY})).json()
    assert [one["outcome"] for one in [*some["items"], *rest["items"]]] == ["applied", "applied", "discarded"]
    assert rest["after"] is None
    assert await listed(operator) == first["items"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("replay", {}, "all"),
        ("discard", {"why": WHY}, "all"),
        ("discard", ANYTHING, "why"),
        ("discard", {"all": True, "why": "because of jan@example.nl"}, "why"),
        ("replay", {"reason": "bad luck"}, "reason"),
        ("replay", {"kind": "discarded"}, "kind"),
        ("replay", {"all": True, "limit": 101}, "limit"),
        ("replay", {"since": "2026-10-01T00:00:00"}, "since"),
    ],
)
async def test_a_selection_that_could_mean_too_much_is_refused_by_field(operator, path, body, field):
    answer = await operator.send("POST", f"/dead-letters/{path}", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "jan" not in answer.text


async def test_what_is_not_there_is_not_found(operator):
    for method, path, body in [("GET", "", None), ("POST", "/replay", None), ("POST", "/discard", {"why": WHY})]:
        assert (await operator.send(method, f"/dead-letters/nergens{path}", body)).status_code == 404


async def test_the_openapi_document_tells_of_it(world):
    paths = (await world.client.get(f"{app.PREFIX}/openapi.json")).json()["paths"]
    assert {path.removeprefix(app.PREFIX) for path in paths if "dead-letters" in path} == {
        "/dead-letters",
        "/dead-letters/replay",
        "/dead-letters/discard",
        "/dead-letters/{letter}",
        "/dead-letters/{letter}/replay",
        "/dead-letters/{letter}/discard",
    }
