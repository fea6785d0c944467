"""View budgets through the API (R40): what gets out is at most the budget, also with many at once; then frozen, told, lifted."""

import asyncio
import json
from dataclasses import dataclass, field

import httpx
import pytest
from chassis.ids import new_handle, new_id
from chassis.metrics import REGISTRY
from chassis.mongo import transact
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from profiles.budgets.model import Scope
from profiles.disclosure.model import Choice, Visibility
from profiles.lifecycle.model import Lifecycle, activate
from profiles.records import Record

PURPOSE = {"Purpose": "candidate-search"}
TOLD = {"career": {"skills": [{"name": "SQL", "level": 4}]}}
SHOWN = Visibility({"career.skills": Choice.SHOWN})
walks = pytest.mark.timeout(400)  # some hundred looks one after another: on a busy machine that takes its time
REASON = {"reason": "Drie vacatures tegelijk, nagevraagd"}


@pytest.fixture(autouse=True)
def small(world):
    """Budgets that a test walks through quickly."""
    allow(world, recruiter=6, organisation=15)


def allow(world, *, recruiter, organisation):
    world.made.budgets.views.update({Scope.RECRUITER: recruiter, Scope.ORGANISATION: organisation})


async def bank_of(world, count):
    """Let so many people stand in the bank and return their handles."""
    handles = []

    async def seed(uow):
        for _ in range(min(50, count - len(handles))):
            record = Record(new_id(), new_handle(), consent=True, account="confirmed", visibility=SHOWN)
            record.life = activate(Lifecycle(), today=world.today)
            await world.made.records.tell(record, TOLD)
            await world.made.records.keep(uow, record)
            handles.append(record.handle)

    while len(handles) < count:
        await transact(world.made.mongo, seed)
    return handles


@dataclass
class Company:
    """An organisation as the tests meet it."""

    org: str
    recruiters: list = field(default_factory=list)
    administrator: object = None
    operator: object = None


async def company(world, recruiters=1):
    """Return an organisation with recruiters and an administrator, and an operator of the portal."""
    org = new_id()
    made = Company(
        org, [world.member(org) for _ in range(recruiters)], world.member(org, "administrator"), world.candidate("operator")
    )
    members = [{"account": one.subject, "roles": ("recruiter",)} for one in made.recruiters]
    members.append({"account": made.administrator.subject, "roles": ("administrator",)})
    facts = {"organisation": org, "name": "Waterlinie Werk", "state": "active", "bank_access": True, "members": members}
    await world.hear(OrganisationEvent.model_validate(facts))
    await account(world, made.operator.subject, roles=("operator",))
    await world.fresh()
    return made


async def account(world, subject, *, roles, state="confirmed"):
    await world.hear(AccountEvent(account=subject, state=state, language="nl", roles=roles, confirmed_on=world.today))


async def insist(recruiter, path):
    """Ask again while the database is busy with the others: a scraper would, and nothing was shown."""
    for _ in range(50):
        answer = await recruiter.send("GET", path, **PURPOSE)
        if answer.status_code != 503:
            break
    return answer


async def look(recruiter, handle):
    return await insist(recruiter, f"/bank/profiles/{handle}")


async def search(recruiter, limit=20, link=None):
    path = link.removeprefix("/api/profiles/v1") if link else f"/bank/search?limit={limit}"
    return await insist(recruiter, path)


def is_refusal(answer):
    return answer.status_code == 403 and answer.json()["type"] == "urn:kandidatenbank:problem:view-budget"


async def freezes(caller):
    return (await caller.get("/bank/freezes"))["items"]


async def lift(caller, freeze, body=REASON):
    return await caller.send("POST", f"/bank/freezes/{freeze}/lifting", body)


@dataclass
class Haul:
    """What somebody carried away, counted from the answers, in twentieths of a view."""

    twentieths: int = 0
    refused: int = 0

    def take(self, answer: httpx.Response) -> None:
        if is_refusal(answer):
            self.refused += 1
        else:
            assert answer.status_code == 200, answer.text
            shown = answer.json()
            self.twentieths += len(shown["items"]) if "items" in shown else 20


async def by_views(haul, recruiter, handles):
    for handle in handles:
        haul.take(await look(recruiter, handle))


async def by_searches(haul, recruiter, limit=20, pages=20):
    link = None
    for _ in range(pages):
        answer = await search(recruiter, limit, link)
        haul.take(answer)
        link = answer.json().get("next") if answer.status_code == 200 else link


async def walk(ways, at_once=20):
    """Go all ways, so many at once."""
    gate = asyncio.Semaphore(at_once)

    async def one(way):
        async with gate:
            await way

    await asyncio.gather(*(one(way) for way in ways))


@walks
async def test_r40_one_recruiter_carries_away_no_more_than_the_budget(world):
    handles, shop = await bank_of(world, 40), await company(world)
    (thief,), haul = shop.recruiters, Haul()
    await walk(
        [by_views(haul, thief, handles[number::10]) for number in range(10)] + [by_searches(haul, thief, 7) for _ in range(10)]
    )
    assert 0 < haul.twentieths <= 6 * 20
    assert haul.refused > 20
    assert [(one["scope"], one["owner"]) for one in await freezes(shop.administrator)] == [("recruiter", thief.subject)]


@walks
async def test_r40_twenty_recruiters_of_one_organisation_carry_away_no_more_than_its_budget(world):
    handles, shop = await bank_of(world, 40), await company(world, recruiters=20)
    haul = Haul()
    views = [by_views(haul, one, handles[:8]) for one in shop.recruiters[:10]]
    searches = [by_searches(haul, one, 9) for one in shop.recruiters[10:]]
    await walk(views + searches)
    assert 0 < haul.twentieths <= 15 * 20
    found = await freezes(shop.administrator)
    assert [one["owner"] for one in found if one["scope"] == "organisation"] == [shop.org]
    assert all(map(is_refusal, [await look(one, handles[0]) for one in shop.recruiters]))


async def test_r40_the_whole_budget_is_had_by_views_and_by_searches_before_anybody_is_refused(world):
    handles, shop = await bank_of(world, 40), await company(world, recruiters=2)
    viewer, searcher = shop.recruiters
    hauls = Haul(), Haul()
    await by_views(hauls[0], viewer, handles[:6])
    for limit in (20, 20, 20, 20, 20, 13, 7):
        hauls[1].take(await search(searcher, limit))
    assert [(haul.twentieths, haul.refused) for haul in hauls] == [(120, 0), (120, 0)]
    assert is_refusal(await look(viewer, handles[6]))
    assert is_refusal(await search(searcher, 1))


@walks
async def test_r40_with_the_budgets_of_the_settings_a_recruiter_takes_a_hundred_views(world):
    allow(world, recruiter=world.settings.views_per_recruiter, organisation=world.settings.views_per_organisation)
    handles, shop = await bank_of(world, 200), await company(world)
    (thief,), haul = shop.recruiters, Haul()
    await by_searches(haul, thief, 100, pages=10)
    assert haul.twentieths == 50 * 20
    await walk([by_views(haul, thief, handles[number::20]) for number in range(20)])
    assert (haul.twentieths, haul.refused) == (100 * 20, 150)


@walks
async def test_r40_with_the_budgets_of_the_settings_twenty_recruiters_take_five_hundred_views(world):
    allow(world, recruiter=world.settings.views_per_recruiter, organisation=world.settings.views_per_organisation)
    _, shop, haul = await bank_of(world, 100), await company(world, recruiters=20), Haul()
    for one in shop.recruiters:  # one after the other: what many at once get is seen above
        await by_searches(haul, one, 100, pages=10)
    assert (haul.twentieths, haul.refused > 50) == (500 * 20, True)
    found = await freezes(shop.administrator)
    assert [one["owner"] for one in found if one["scope"] == "organisation"] == [shop.org]


async def test_r40_two_at_once_at_the_border_do_not_both_get_the_last_view(world):
    handles, shop = await bank_of(world, 8), await company(world)
    (recruiter,) = shop.recruiters
    for _ in range(3):
        allow(world, recruiter=2, organisation=1000)
        other = world.member(shop.org, subject=recruiter.subject)
        await look(recruiter, handles[0])
        answers = await asyncio.gather(look(recruiter, handles[1]), look(other, handles[2]))
        assert sorted(answer.status_code for answer in answers) == [200, 403]
        (freeze, *_) = await freezes(shop.administrator)
        assert freeze["counted"] == {"opened": 2, "rows": 0}
        world.turn(1)
        assert (await lift(shop.administrator, freeze["id"])).status_code == 200


async def test_r40_who_goes_over_gets_nothing_and_the_freeze_is_kept_with_its_refusal(world):
    handles, shop = await bank_of(world, 30), await company(world)
    (recruiter,) = shop.recruiters
    before = REGISTRY.get_sample_value("kandidatenbank_bank_frozen_total", {"scope": "recruiter"})
    for handle in handles[:5]:
        await look(recruiter, handle)
    rows = len(await world.made.mongo.find("accesses", {}))
    refused = await search(recruiter, 21)
    assert is_refusal(refused)
    assert not [handle for handle in handles if handle in refused.text]
    assert len(await world.made.mongo.find("accesses", {})) == rows
    assert REGISTRY.get_sample_value("kandidatenbank_bank_frozen_total", {"scope": "recruiter"}) == before + 1
    (freeze,) = await freezes(shop.administrator)
    assert (freeze["counted"], freeze["views"], freeze["lifted"]) == ({"opened": 5, "rows": 0}, 6, None)


async def test_r40_a_frozen_caller_gets_one_and_the_same_answer_and_learns_nothing(world):
    handles, shop = await bank_of(world, 8), await company(world)
    (recruiter,) = shop.recruiters
    for handle in handles[:7]:
        await look(recruiter, handle)
    asked = ("/bank/search", "/bank/search?skills=cobol", f"/bank/profiles/{handles[7]}", "/bank/profiles/unknown")
    answers = [await recruiter.send("GET", path, **PURPOSE) for path in asked]
    assert len({json.dumps({**answer.json(), "instance": ""}) for answer in answers}) == 1
    assert is_refusal(answers[0])
    assert len(await freezes(shop.administrator)) == 1


async def test_r40_the_first_refusal_is_the_same_answer_in_both_languages(world):
    handles, shop = await bank_of(world, 8), await company(world)
    (recruiter,) = shop.recruiters
    for handle in handles[:6]:
        await look(recruiter, handle)
    titles = [
        (await recruiter.send("GET", f"/bank/profiles/{handles[6]}", Accept_Language=language, **PURPOSE)).json()["title"]
        for language in ("nl", "en")
    ]
    assert titles == [
        "U kunt nu geen profielen inzien: het aantal inzagen is bereikt en uw organisatie is ingelicht",
        "You cannot see profiles now: the number of views is reached and your organisation has been told",
    ]


async def test_r40_the_day_turns_and_a_new_budget_begins_but_who_is_frozen_stays_so(world):
    handles, shop = await bank_of(world, 8), await company(world, recruiters=2)
    careful, frozen = shop.recruiters
    for handle in handles[:6]:
        await look(careful, handle)
    for handle in handles[:7]:
        await look(frozen, handle)
    world.turn(1)
    assert (await look(careful, handles[0])).status_code == 200
    assert is_refusal(await look(frozen, handles[0]))
    assert (await careful.get("/bank/budget"))["used"] == 1
    world.turn(30)
    assert is_refusal(await look(frozen, handles[0]))


async def test_r40_another_organisation_is_untouched(world):
    handles, shop, other = await bank_of(world, 8), await company(world, recruiters=3), await company(world)
    for recruiter in shop.recruiters:
        for handle in handles[:6]:
            await look(recruiter, handle)
    assert is_refusal(await look(shop.recruiters[0], handles[6]))
    assert (await look(other.recruiters[0], handles[0])).status_code == 200
    assert await freezes(other.administrator) == []
    assert (await other.recruiters[0].get("/bank/budget"))["organisation"]["used"] == 1


async def test_r40_a_recruiter_of_two_organisations_has_one_budget(world):
    handles, shop, other = await bank_of(world, 8), await company(world), await company(world)
    (recruiter,) = shop.recruiters
    double = world.member(other.org, subject=recruiter.subject)
    await world.organisation(*other.recruiters, double, org=other.org)
    for number, handle in enumerate(handles[:6]):
        assert (await look((recruiter, double)[number % 2], handle)).status_code == 200
    assert is_refusal(await look(double, handles[6]))
    assert is_refusal(await look(recruiter, handles[6]))


async def test_r40_the_organisations_administrators_and_the_operators_are_told_without_details(world):
    handles, shop = await bank_of(world, 8), await company(world)
    former, locked = new_id(), new_id()
    await account(world, former, roles=("operator",))
    await account(world, former, roles=())
    await account(world, locked, roles=("operator",), state="locked")
    await search(shop.recruiters[0], 5)
    for handle in handles[:6]:
        await look(shop.recruiters[0], handle)
    (freeze,) = await freezes(shop.administrator)
    mails = [mail for mail in await world.events("mail-request") if mail["template"] == "bank-frozen"]
    assert {mail["subject"] for mail in mails} == {shop.administrator.subject, shop.operator.subject}
    assert {mail["cause"] for mail in mails} == {f"profiles:bank-frozen:{freeze['id']}:{mail['subject']}" for mail in mails}
    assert [mail["facts"] for mail in mails] == [
        {
            "scope": "recruiter",
            "who": shop.recruiters[0].subject,
            "organisation": shop.org,
            "since": world.today.isoformat(),
            "opened": "5",
            "rows": "5",
            "budget": "6",
        }
    ] * 2
    assert not [handle for handle in handles if handle in json.dumps(mails)]
    await look(shop.recruiters[0], handles[0])
    assert len([mail for mail in await world.events("mail-request") if mail["template"] == "bank-frozen"]) == 2


async def test_r40_an_erased_operator_is_forgotten(world):
    shop = await company(world)
    assert [row["_id"] for row in await world.made.mongo.find("operators", {})] == [shop.operator.subject]
    await world.hear_tombstone(AccountEvent, shop.operator.subject)
    assert await world.made.mongo.find("operators", {}) == []


async def test_r40_a_recruiter_sees_what_is_left(world):
    handles, shop = await bank_of(world, 8), await company(world)
    (recruiter,) = shop.recruiters
    await look(recruiter, handles[0])
    await search(recruiter, 5)
    state = await recruiter.get("/bank/budget")
    assert state == {
        "day": world.today.isoformat(),
        "views": 6,
        "used": 1.25,
        "left": 4.75,
        "frozen": False,
        "organisation": {"views": 15, "used": 1.25, "left": 13.75, "frozen": False},
    }
    for handle in handles[:5]:
        await look(recruiter, handle)
    state = await recruiter.get("/bank/budget")
    assert (state["used"], state["left"], state["frozen"], state["organisation"]["frozen"]) == (5.25, 0, True, False)


async def test_r40_what_was_seen_on_the_frozen_day_can_be_listed(world):
    handles, shop = await bank_of(world, 8), await company(world, recruiters=2)
    thief, other = shop.recruiters
    await look(thief, handles[7])
    world.turn(1)
    await look(other, handles[6])
    answer = await search(thief, 3)
    cards = [item["handle"] for item in answer.json()["items"]]
    for handle in handles[:6]:
        await look(thief, handle)
    (freeze,) = await freezes(shop.administrator)
    expected = [("search-page", cards), *(("view", [handle]) for handle in handles[:5])]
    for watcher in (shop.administrator, shop.operator):
        pages, link = [], f"/bank/freezes/{freeze['id']}/seen?limit=4"
        while link:
            page = await watcher.get(link)
            pages += page["items"]
            link = (page["next"] or "").removeprefix("/api/profiles/v1")
        assert [(one["kind"], one["handles"]) for one in pages] == expected
        assert {(one["account"], one["purpose"]) for one in pages} == {(thief.subject, "candidate-search")}


async def test_r40_an_administrator_reads_what_was_seen_for_the_own_organisation_and_an_operator_all(world):
    handles, shop, other = await bank_of(world, 8), await company(world), await company(world)
    (recruiter,) = shop.recruiters
    double = world.member(other.org, subject=recruiter.subject)
    await world.organisation(double, org=other.org)
    for one, handle in ((double, handles[0]), *((recruiter, handle) for handle in handles[1:7])):
        await look(one, handle)
    (freeze,) = await freezes(shop.administrator)
    seen = [(await one.get(f"/bank/freezes/{freeze['id']}/seen"))["items"] for one in (shop.administrator, shop.operator)]
    assert [[one["handles"] for one in items] for items in seen] == [
        [[handle] for handle in handles[1:6]],
        [[handle] for handle in handles[:6]],
    ]


async def test_r40_of_a_frozen_organisation_is_listed_what_all_of_its_recruiters_saw(world):
    handles, shop, other = await bank_of(world, 8), await company(world, recruiters=3), await company(world)
    await look(other.recruiters[0], handles[7])
    for recruiter in shop.recruiters:
        for handle in handles[:6]:
            await look(recruiter, handle)
    freeze = next(one for one in await freezes(shop.operator) if one["scope"] == "organisation")
    items = (await shop.operator.get(f"/bank/freezes/{freeze['id']}/seen"))["items"]
    assert len(items) == 15
    assert {one["account"] for one in items} == {one.subject for one in shop.recruiters}
    assert {one["organisation"] for one in items} == {shop.org}


async def test_r40_lifting_needs_a_reason_and_the_right_role_and_is_kept(world, capsys):
    handles, shop, other = await bank_of(world, 20), await company(world), await company(world)
    (recruiter,) = shop.recruiters
    for handle in handles[:7]:
        await look(recruiter, handle)
    (freeze,) = await freezes(shop.administrator)
    for body in ({}, {"reason": ""}, {"reason": "         "}, {"reason": "ok"}):
        assert (await lift(shop.administrator, freeze["id"], body)).status_code == 422
    for text, rule in (("de kandidaat met 111222333", "bsn"), ("hij heeft een strafblad, nagevraagd", "special-category")):
        refused = await lift(shop.administrator, freeze["id"], {"reason": text})
        assert [(one["field"], one["rule"]) for one in refused.json()["errors"]] == [("reason", rule)]
        assert text not in refused.text
    wrong = [recruiter, world.candidate(), world.candidate("privacy-officer"), shop.operator, other.administrator]
    assert [(await lift(one, freeze["id"])).status_code for one in wrong] == [403, 403, 403, 403, 404]
    assert is_refusal(await look(recruiter, handles[0]))
    lifted = await lift(shop.administrator, freeze["id"])
    assert lifted.status_code == 200
    assert lifted.json()["lifted"]["by"] == shop.administrator.subject
    assert (await lift(shop.administrator, freeze["id"])).status_code == 409
    line = next(line for line in capsys.readouterr().out.splitlines() if "bank_freeze_lifted" in line)
    assert freeze["id"] in line
    assert "vacatures" not in line
    (kept,) = await freezes(shop.administrator)
    assert kept["lifted"]["reason"] == REASON["reason"]
    (seen,) = await freezes(shop.operator)
    assert "reason" not in seen["lifted"]
    haul = Haul()
    await by_views(haul, recruiter, handles[7:])
    assert haul.twentieths == 6 * 20  # one more budget, and not a view more
    assert len(await freezes(shop.administrator)) == 2


async def test_r40_an_operator_lifts_an_organisations_freeze_and_nobody_of_it(world):
    handles, shop = await bank_of(world, 8), await company(world, recruiters=3)
    for recruiter in shop.recruiters:
        for handle in handles[:6]:
            await look(recruiter, handle)
    found = {one["scope"]: one["id"] for one in await freezes(shop.operator)}
    assert (await lift(shop.administrator, found["organisation"])).status_code == 403
    assert (await lift(shop.operator, found["organisation"])).status_code == 200
    assert (await look(shop.recruiters[2], handles[0])).status_code == 200


async def test_r40_an_administrator_who_is_a_recruiter_does_not_lift_their_own(world):
    handles, org = await bank_of(world, 8), new_id()
    both = world.member(org)
    boss = world.member(org, "administrator", subject=both.subject)
    roles = ("recruiter", "administrator")
    facts = {"organisation": org, "name": "Een", "state": "active", "bank_access": True}
    await world.hear(OrganisationEvent.model_validate({**facts, "members": [{"account": both.subject, "roles": roles}]}))
    await world.fresh()
    for handle in handles[:7]:
        await look(both, handle)
    (freeze,) = await freezes(boss)
    assert (await lift(boss, freeze["id"])).status_code == 403
    assert (await lift(world.candidate("operator"), freeze["id"])).status_code == 200  # nobody else of it could
    assert (await look(both, handles[0])).status_code == 200


async def test_r40_a_look_that_fails_costs_nothing(world):
    handles, shop = await bank_of(world, 2), await company(world)
    (recruiter,) = shop.recruiters
    assert (await look(recruiter, "unknown")).status_code == 404
    assert (await search(recruiter, 0)).status_code == 422
    assert (await recruiter.get("/bank/budget"))["used"] == 0
    assert (await recruiter.send("GET", "/bank/search?skills=cobol", **PURPOSE)).json()["items"] == []
    assert (await recruiter.get("/bank/budget"))["used"] == 0
    assert (await look(recruiter, handles[0])).status_code == 200
    assert (await recruiter.get("/bank/budget"))["used"] == 1


@pytest.mark.parametrize("role", ["candidate", "recruiter", "hiring-manager", "privacy-officer", "system"])
async def test_r40_others_do_not_see_freezes(world, role):
    shop = await company(world)
    other = world.member(shop.org, role)
    asked = [("GET", "/bank/freezes", None), ("GET", "/bank/freezes/x/seen", None), ("POST", "/bank/freezes/x/lifting", REASON)]
    assert [(await other.send(*one)).status_code for one in asked] == [403, 403, 403]
