"""What systems outside are told of the bank: who is there, who is gone, and what they have to forget (R14, R19, R31, R36)."""

import json

import pytest
from chassis.ids import new_handle, new_id
from chassis.mongo import transact
from contracts.consent.request import SAMPLES as REQUESTS
from contracts.consent.request import RequestEvent
from contracts.identity.organisation import Member, OrganisationEvent
from contracts.notifications.bank import BankEvent
from contracts.notifications.organisation import EVERY_HANDLE, ForOrganisationEvent
from contracts.profiles.profile import SAMPLES, ProfileEvent
from hypothesis import given
from hypothesis import strategies as st
from notifications.app import SUBSCRIPTIONS
from notifications.outward import store
from notifications.outward.service import TEMPLATE, late, without_access
from pydantic_core import to_json
from testkit.deliveries import arrive, few_examples, history, schedules

pytestmark = pytest.mark.integration
PREFIX = "/api/notifications/v1"
BODY = SAMPLES[0].model_dump()


def profile(subject: str, handle: str, *, in_bank: bool = True, **changes) -> ProfileEvent:
    return ProfileEvent.model_validate({**BODY, "subject": subject, "handle": handle, "in_bank": in_bank, **changes})


def organisation(name: str, *, access: bool = True, state: str = "active", administrators=()) -> OrganisationEvent:
    members = tuple(Member(account=one, roles=("administrator",)) for one in administrators)
    return OrganisationEvent(organisation=name, name="De Steiger", state=state, bank_access=access, members=members)


class Outside:
    """What was told, as somebody who reads the topics from their beginning sees it."""

    def __init__(self, world) -> None:
        self.world, self.mongo, self.outward = world, world.mongo, world.parts.outward

    async def follows(self, name: str, **said) -> str:
        """Let an organisation with access follow."""
        await self.world.hear(organisation(name, **said))
        await transact(self.mongo, self._let_in(name))
        return name

    def _let_in(self, name: str):
        async def work(uow) -> None:
            store.put_follower(uow, name, reads_bank=True)

        return work

    async def told(self, topic: str, key: str) -> list[dict | None]:
        rows = await self.mongo.find("outbox", {"topic": topic, "key": key}, sort=[("sequence", 1)])
        numbers = [row["sequence"] for row in rows]
        assert numbers == list(range(1, len(numbers) + 1))
        return [row["body"] and json.loads(row["body"]) for row in rows]

    async def of(self, handle: str) -> list[str | None]:
        """What was said of a handle, in its order."""
        return [said and said["state"] for said in await self.told(BankEvent.topic.name, handle)]

    async def asked(self, name: str, handle: str) -> list[int | None]:
        """How often an organisation had been asked before, each time that it was asked; None is the tombstone."""
        topic = ForOrganisationEvent.topic.of(name).name
        return [said and said["reminder"] for said in await self.told(topic, handle)]

    async def acknowledge(self, name: str, handle: str) -> None:
        await transact(self.mongo, lambda uow: self.outward.acknowledge(uow, name, handle))


@pytest.fixture
def outside(world) -> Outside:
    return Outside(world)


@pytest.fixture
def handle() -> str:
    return new_handle()


async def test_a_profile_appears_changes_and_goes_under_its_handle_and_nothing_personal(world, outside, subject, handle):
    await world.hear(profile(subject, handle, in_bank=False), profile(subject, handle))
    await world.hear(profile(subject, handle, visible_groups=("wishes",)), profile(subject, handle, in_bank=False))
    assert await outside.of(handle) == ["appeared", "changed", "gone"]
    first, second, last = await outside.told(BankEvent.topic.name, handle)
    assert first == {
        "handle": handle,
        "state": "appeared",
        "visible_groups": ["career", "wishes"],
        "link": f"/api/profiles/v1/bank/profiles/{handle}",
    }
    assert (second["visible_groups"], last["visible_groups"]) == (["wishes"], [])
    rows = await world.mongo.find("outbox", {"topic": BankEvent.topic.name})
    assert subject not in str(rows)
    assert await world.mongo.find(store.PEOPLE, {}) == []
    assert subject not in str(await world.mongo.find(store.HANDLES, {}))


async def test_who_goes_anonymous_is_gone_under_the_old_handle_and_followers_have_to_forget_it(world, outside, subject, handle):
    ours, other = await outside.follows("org-1"), await outside.follows("org-2", access=False)
    new = new_handle()
    await world.hear(profile(subject, handle), profile(subject, new, anonymity="anonymous"))
    assert (await outside.of(handle), await outside.of(new)) == (["appeared", "gone"], ["appeared"])
    assert await outside.asked(ours, handle) == [0]
    assert await outside.asked(other, handle) == []
    [said] = await outside.told("organisation.org-1.v1", handle)
    assert (said["says"], said["up_to"]) == ("forget", 2)
    assert new not in str(await world.mongo.find("outbox", {"topic": "organisation.org-1.v1"}))


async def test_who_comes_back_need_not_be_forgotten_any_more(world, outside, subject, handle):
    ours = await outside.follows("org-1")
    await world.hear(profile(subject, handle), profile(subject, handle, in_bank=False), profile(subject, handle))
    assert await outside.of(handle) == ["appeared", "gone", "appeared"]
    assert await outside.asked(ours, handle) == [0, None]
    await world.hear(profile(subject, handle, in_bank=False))
    assert await outside.asked(ours, handle) == [0, None, 0]


@pytest.mark.parametrize("first", ["request", "tombstone"])
async def test_an_erased_person_is_gone_outward_whatever_comes_first(world, outside, subject, handle, first):
    ours = await outside.follows("org-1")
    await world.hear(profile(subject, handle))
    request = RequestEvent.model_validate({**REQUESTS[0].model_dump(), "subject": subject, "phase": "services"})
    said = [request, world.incoming(None, key=subject, event_type=ProfileEvent)]
    for one in said if first == "request" else reversed(said):
        await world.hear(one)
    await world.hear(world.incoming(profile(subject, handle), sequence=9))
    assert await outside.of(handle) == ["appeared", "gone"]
    assert await outside.asked(ours, handle) == [0]
    assert await world.mongo.find(store.PEOPLE, {}) == []


async def test_whose_news_cannot_be_handled_is_gone_until_an_operator_resolves_it(world, outside, subject, handle):
    await world.hear(profile(subject, handle))
    [listened] = [one for one in SUBSCRIPTIONS if one.event is ProfileEvent]
    parked = world.incoming(profile(subject, handle, visible_groups=()))
    await transact(world.mongo, lambda uow: listened.bound(world.parts).when_parked(parked, uow))
    assert await outside.of(handle) == ["appeared", "gone"]
    await world.hear(parked)
    assert await outside.of(handle) == ["appeared", "gone", "appeared"]


async def test_an_organisation_that_loses_its_access_has_to_forget_everybody_once(world, outside, subject, handle):
    ours = await outside.follows("org-1")
    await world.hear(profile(subject, handle))
    await world.hear(organisation(ours, access=False), organisation(ours, access=False, state="suspended"))
    assert await outside.asked(ours, EVERY_HANDLE) == [0]
    assert await without_access(world.mongo) == 1
    await world.hear(profile(subject, handle, in_bank=False))
    assert await outside.asked(ours, handle) == []
    await outside.acknowledge(ours, EVERY_HANDLE)
    await world.hear(organisation(ours, access=False))
    assert await outside.asked(ours, EVERY_HANDLE) == [0, None]
    await world.hear(organisation(ours), organisation(ours, access=False))
    assert await outside.asked(ours, EVERY_HANDLE) == [0, None, 0]


async def test_who_is_suspended_or_gone_has_no_access(world, outside):
    ours, theirs = await outside.follows("org-1"), await outside.follows("org-2")
    await world.hear(organisation(ours, state="suspended"))
    await world.hear_tombstone(OrganisationEvent, theirs)
    assert await outside.asked(ours, EVERY_HANDLE) == await outside.asked(theirs, EVERY_HANDLE) == [0]
    assert await without_access(world.mongo) == 2


async def test_an_organisation_whose_systems_do_not_follow_is_asked_nothing(world, outside, subject, handle):
    await world.hear(organisation("org-1"), profile(subject, handle), profile(subject, handle, in_bank=False))
    await world.hear(organisation("org-1", access=False))
    assert await world.mongo.find(store.FORGETS, {}) == []
    assert await world.mongo.find("outbox", {"topic": "organisation.org-1.v1"}) == []


async def test_it_is_reminded_twice_then_reported_and_mailed_once(world, outside, subject, handle):
    administrator, second = new_id(), new_handle()
    ours = await outside.follows("org-1", administrators=[administrator])
    other = new_id()
    await world.hear(profile(subject, handle), profile(other, second))
    await world.hear(profile(subject, handle, in_bank=False), profile(other, second, in_bank=False))
    assert await world.parts.outward.tend(world.mongo) == 0
    counts = []
    for days in (1, 2, 3, 4):
        world.turn_days(days)
        await world.parts.outward.tend(world.mongo)
        await world.parts.outward.tend(world.mongo)
        counts.append([one["forgets"] for one in await late(world.mongo)])
    assert counts == [[], [], [2], [2]]
    assert await outside.asked(ours, handle) == [0, 1, 2, 3]
    assert await outside.of(handle) == ["appeared", "gone", None]
    [mail] = await world.mongo.find("mails", {"template": TEMPLATE})
    assert mail["subject"] == administrator
    assert mail["facts"]["organisation"] == "De Steiger"
    await outside.acknowledge(ours, handle)
    await outside.acknowledge(ours, second)
    assert await late(world.mongo) == []
    assert await outside.asked(ours, handle) == [0, 1, 2, 3, None]


async def test_what_was_acknowledged_is_not_asked_again(world, outside, subject, handle):
    ours = await outside.follows("org-1")
    await world.hear(profile(subject, handle), profile(subject, handle, in_bank=False))
    await outside.acknowledge(ours, handle)
    await outside.acknowledge(ours, handle)
    world.turn_days(5)
    await world.parts.outward.tend(world.mongo)
    assert await outside.asked(ours, handle) == [0, None]


async def test_a_handle_that_was_forgotten_can_come_back_under_a_higher_sequence(world, outside, subject, handle):
    ours = await outside.follows("org-1")
    await world.hear(profile(subject, handle), profile(subject, handle, in_bank=False))
    world.turn_days(4)
    assert await world.parts.outward.tend(world.mongo) == 2
    await world.hear(profile(subject, handle))
    assert await outside.of(handle) == ["appeared", "gone", None, "appeared"]
    assert await late(world.mongo) == []
    await world.hear(profile(subject, handle, in_bank=False))
    assert await outside.asked(ours, handle) == [0, 3, None, 0]
    assert (await outside.told(ForOrganisationEvent.topic.of(ours).name, handle))[-1]["up_to"] == 5


@few_examples
@given(data=st.data())
async def test_whatever_the_way_in_which_profiles_arrive_nobody_is_left_outside_who_is_not_in_the_bank(world, data):
    outside = Outside(world)
    for name in (store.HANDLES, store.PEOPLE, "outbox", "inbox"):
        await world.mongo.database[name].delete_many({})
    histories = [
        history(profile("anna", "a1"), profile("anna", "a2", anonymity="anonymous"), profile("anna", "a3")),
        history(profile("bram", "b1"), profile("bram", "b1", in_bank=False)),
        history(profile("cleo", "c1"), then_gone=True),
        history(profile("dirk", "d1"), profile("dirk", "d1", in_bank=False), profile("dirk", "d1")),
    ]
    await arrive(world.consumer, data.draw(schedules(histories)))
    ends = {name: (await outside.of(name) or ["gone"])[-1] for name in ("a1", "a2", "a3", "b1", "c1", "d1")}
    assert {name for name, state in ends.items() if state != "gone"} == {"a3", "d1"}
    assert {row["_id"]: row["handle"] for row in await world.mongo.find(store.PEOPLE, {})} == {"anna": "a3", "dirk": "d1"}


def as_system(api, org: str, *scopes: str) -> dict[str, str]:
    return api._signer.headers(new_id(), "system", org=org, scopes=frozenset(scopes or ("bank:follow",)))


async def test_a_system_lists_what_it_has_to_forget_and_acknowledges_it(world, api, outside, subject, handle):
    ours, theirs = await outside.follows("org-1"), await outside.follows("org-2")
    await world.hear(profile(subject, handle), profile(subject, handle, in_bank=False))
    path = f"{PREFIX}/organisations/{ours}/forgets"
    [one] = (await api.http.get(path, headers=as_system(api, ours))).json()["items"]
    assert (one["handle"], one["up_to"], one["reminders"]) == (handle, 2, 0)
    assert subject not in to_json(one).decode()
    for _ in range(2):
        answer = await api.http.post(f"{path}/{handle}/acknowledgement", headers=as_system(api, ours))
        assert answer.status_code == 204, answer.text
    assert (await api.http.get(path, headers=as_system(api, ours))).json()["items"] == []
    assert await outside.asked(theirs, handle) == [0]


async def test_nobody_else_sees_or_acknowledges_it(world, api, outside, subject, handle):
    ours, theirs = await outside.follows("org-1"), await outside.follows("org-2")
    await world.hear(profile(subject, handle), profile(subject, handle, in_bank=False))
    path = f"{PREFIX}/organisations/{ours}/forgets"
    for headers in (as_system(api, theirs), as_system(api, ours, "vacancies:write"), api.signed_in(subject, "administrator")):
        assert (await api.http.get(path, headers=headers)).status_code == 403
        assert (await api.http.post(f"{path}/{handle}/acknowledgement", headers=headers)).status_code == 403
    never = await api.http.post(f"{path}/{new_handle()}/acknowledgement", headers=as_system(api, ours))
    assert never.status_code == 404
    assert await outside.asked(ours, handle) == [0]


async def test_pages_of_what_has_to_be_forgotten_neither_skip_nor_repeat(world, api, outside):
    ours = await outside.follows("org-1")
    handles = sorted(new_handle() for _ in range(5))
    for one in handles:
        person = new_id()
        await world.hear(profile(person, one), profile(person, one, in_bank=False))
    seen, path = [], f"{PREFIX}/organisations/{ours}/forgets?limit=2"
    while path:
        page = (await api.http.get(path, headers=as_system(api, ours))).json()
        seen, path = [*seen, *(one["handle"] for one in page["items"])], page["next"]
    assert seen == handles


async def test_operators_see_who_is_late_by_id_and_count(world, api, outside, subject, handle):
    await outside.follows("org-1")
    await world.hear(profile(subject, handle), profile(subject, handle, in_bank=False))
    world.turn_days(3)
    await world.parts.outward.tend(world.mongo)
    [one] = (await api.http.get(f"{PREFIX}/forgets/overdue", headers=api.signed_in(new_id(), "operator"))).json()["items"]
    assert (one["organisation"], one["forgets"]) == ("org-1", 1)
    assert handle not in str(one)
    assert (await api.http.get(f"{PREFIX}/forgets/overdue", headers=as_system(api, "org-1"))).status_code == 403
