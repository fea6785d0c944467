"""R22: a vacancy reaches everybody whose search it fits, once, through shares that come and go, and however many they are."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from chassis.ids import new_id
from chassis.leases import Leases
from chassis.mongo import transact
from chassis.shares import Shares
from notifications import follower
from notifications.fanout.service import FanOut
from notifications.follower import Follower
from notifications.matching.index.engine import Engine
from notifications.matching.model import Offered
from notifications.news import service as news
from testkit.waiting import beside, eventually

pytestmark = pytest.mark.integration
PATH = "/api/notifications/v1/searches"
HOUSE = {"words": "houtbouw"}


@pytest.fixture
def fanout(world):
    """The use cases over three shares."""
    return FanOut(world.parts.alerts, world.parts.searches, shares=3)


async def under_way(world) -> int:
    return len(await world.mongo.find("fanouts", {}))


async def told(world) -> set[tuple[str, str]]:
    """Who was told of what: (search, vacancy)."""
    return {(row["search"], row["vacancy"]) for row in await world.mongo.find("news", {})}


@asynccontextmanager
async def serving(world, fanout, *shares):
    """These shares are served meanwhile."""
    one = Follower(world.mongo, fanout, Engine)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.serve(share)) for share in shares]
        yield
        for task in tasks:
            task.cancel()


async def publish(world, fanout, *vacancies) -> None:
    for vacancy in vacancies:
        await transact(world.mongo, lambda uow, one=vacancy: fanout.take(uow, one))


async def ended(world) -> None:
    async def nothing() -> bool:
        return await under_way(world) == 0

    await eventually(nothing)


async def test_r22_every_share_finds_its_own_and_all_of_them_everybody(world, api, fanout, new):
    searches = [await api.save(new_id(), **HOUSE) for _ in range(12)]
    await api.save(new_id(), words="scheepsbouw")
    vacancy = new()
    await publish(world, fanout, vacancy)
    assert len({UUID(one).int % 256 % 3 for one in searches}) > 1
    async with serving(world, fanout, 0, 1, 2):
        await ended(world)
    assert await told(world) == {(one, vacancy.vacancy) for one in searches}


async def test_r22_a_share_that_nobody_serves_waits_for_whoever_takes_it(world, api, fanout, new):
    searches = [await api.save(new_id(), **HOUSE) for _ in range(12)]
    vacancy = new()
    async with serving(world, fanout, 0, 1):
        await publish(world, fanout, vacancy)

        async def one_left() -> bool:
            return await under_way(world) == 1

        await eventually(one_left)
    async with serving(world, fanout, 2):
        await ended(world)
    assert await told(world) == {(one, vacancy.vacancy) for one in searches}


async def test_r22_two_who_serve_one_share_at_once_tell_nobody_twice(world, api, fanout, new):
    searches = [await api.save(new_id(), **HOUSE) for _ in range(12)]
    vacancies = [new() for _ in range(5)]
    async with serving(world, fanout, 0, 0, 1, 1, 2, 2):
        await publish(world, fanout, *vacancies)
        await ended(world)
    assert await told(world) == {(one, vacancy.vacancy) for one in searches for vacancy in vacancies}
    assert len(await world.mongo.find("news", {})) == 60


async def test_r22_a_search_saved_a_moment_before_the_vacancy_is_found_while_the_share_is_served(world, api, fanout, new):
    async with serving(world, fanout, 0, 1, 2):
        for _ in range(10):
            search, vacancy = await api.save(new_id(), **HOUSE), new()
            await publish(world, fanout, vacancy)
            await ended(world)
            assert (search, vacancy.vacancy) in await told(world)


async def test_r22_a_vacancy_that_fails_waits_and_holds_up_no_other(world, api, fanout, new, monkeypatch):
    tries = []

    class Failing(Engine):
        def match(self, offered: Offered):
            if offered.organisation == broken.organisation:
                tries.append(offered)
                raise RuntimeError
            return super().match(offered)

    monkeypatch.setattr(follower, "REST", 60)
    search = await api.save(new_id(), **HOUSE)
    broken, whole = new(organisation=new_id()), new()
    await publish(world, fanout, broken, whole)
    one = Follower(world.mongo, replace(fanout, shares=1), Failing)

    async def only_whole() -> bool:
        return await told(world) == {(search, whole.vacancy)}

    async with beside(one.serve(0)):
        await eventually(only_whole)
        await publish(world, fanout, third := new())

        async def another() -> bool:
            return (search, third.vacancy) in await told(world)

        await eventually(another)
    assert {row["vacancy"] for row in await world.mongo.find("fanouts", {"share": 0})} == {broken.vacancy}
    assert len(tries) == 1, "it rests"


async def test_r31_soon_nothing_is_left_in_memory_of_a_search_that_was_removed(world, api, fanout):
    made = []

    def make() -> Engine:
        made.append(Engine())
        return made[0]

    person = new_id()
    search, other = await api.save(person, **HOUSE), await api.save(new_id(), **HOUSE)
    one = Follower(world.mongo, replace(fanout, shares=1), make, clean_every=timedelta(seconds=0.05))

    async def known() -> set[bytes]:
        return {base._ids[row].tobytes() for base in made[0]._state[0] for row in range(len(base._ids))} if made else set()

    async def both() -> bool:
        return await known() == {UUID(search).bytes, UUID(other).bytes}

    async def one_left() -> bool:
        return await known() == {UUID(other).bytes}

    async with beside(one.serve(0)):
        await eventually(both)
        await api.http.delete(f"{PATH}/{search}", headers=api.signed_in(person) | {"If-Match": '"1"'})
        await eventually(one_left)


@pytest.mark.parametrize("way", ["removed", "stopped", "erased"])
async def test_r31_who_ended_a_search_is_not_told_even_when_the_index_has_not_heard(world, api, fanout, new, way):
    class Deaf(Engine):
        def remove(self, id_: bytes) -> None:
            """Hear nothing."""

        def put(self, id_: bytes, wanted) -> None:
            """Hear nothing."""

    person = new_id()
    search = await api.save(person, **HOUSE)
    one = Follower(world.mongo, fanout, Deaf)
    async with beside(one.serve(UUID(search).int % 256 % 3)):
        await publish(world, fanout, first := new())

        async def heard() -> bool:
            return (search, first.vacancy) in await told(world)

        await eventually(heard)
        headers = api.signed_in(person) | {"If-Match": '"1"'}
        match way:
            case "removed":
                await api.http.delete(f"{PATH}/{search}", headers=headers)
            case "stopped":
                await api.http.put(
                    f"{PATH}/{search}", json={"criteria": HOUSE, "frequency": "immediate", "active": False}, headers=headers
                )
            case "erased":
                await transact(
                    world.mongo,
                    lambda uow: world.parts.erasure.begin(uow, request=new_id(), subject=person, phase="services"),
                )
        await publish(world, fanout, second := new())

        async def two_left() -> bool:
            return len(await world.mongo.find("fanouts", {"vacancy": second.vacancy})) == 2

        await eventually(two_left)
    assert (search, second.vacancy) not in await told(world)


async def test_r22_a_fan_out_goes_on_where_it_stopped_and_a_changed_vacancy_begins_anew(world, api, fanout, new, monkeypatch):
    monkeypatch.setattr(follower, "BATCH", 2)
    searches = [await api.save(new_id(), **HOUSE) for _ in range(9)]
    one = FanOut(world.parts.alerts, world.parts.searches, shares=1)
    vacancy, served = new(), Follower(world.mongo, one, Engine)
    await publish(world, one, vacancy)
    task = asyncio.ensure_future(served.serve(0))

    async def halfway() -> bool:
        return len(await told(world)) >= 2

    await eventually(halfway)
    task.cancel()
    await asyncio.wait({task})
    before = await told(world)
    await publish(world, one, vacancy.model_copy(update={"title": "Werkvoorbereider houtbouw, ook zonder ervaring"}))
    async with serving(world, one, 0):
        await ended(world)
    assert before <= await told(world) == {(search, vacancy.vacancy) for search in searches}
    assert len(await world.mongo.find("news", {})) == 9


async def test_r22_what_began_before_a_change_does_nothing_after_it(world, api, new):
    search = await api.save(new_id(), **HOUSE)
    one, vacancy = FanOut(world.parts.alerts, world.parts.searches, shares=1), new()
    await publish(world, one, vacancy)
    (old,) = await world.mongo.find("fanouts", {})
    begun = await one.ready(world.mongo, old)
    await publish(world, one, vacancy.model_copy(update={"title": "Werkvoorbereider houtbouw en staalbouw"}))
    (new_run,) = await world.mongo.find("fanouts", {})
    assert new_run["run"] != old["run"]
    for last in (False, True):
        assert await transact(world.mongo, lambda uow, last=last: one.go_on(uow, begun, [search], last=last)) is False
    assert await world.mongo.find("fanouts", {}) == [new_run]
    assert await told(world) == set()


def test_r22_a_share_takes_a_fan_out_on_once_and_anew_when_its_vacancy_has_changed():
    share, row = follower.Share(Engine()), {"_id": "vacancy:0", "run": "first"}
    share.begin(row)
    running = share.todo["vacancy:0"]
    share.begin(dict(row))
    assert share.todo["vacancy:0"] is running
    share.begin(row | {"run": "second"})
    assert share.todo["vacancy:0"].row["run"] == "second"


async def test_r22_a_change_tells_those_whom_it_newly_fits_and_nobody_else(world, api, fanout, new):
    early = await api.save(new_id(), words="staalbouw")
    told_before = await api.save(new_id(), **HOUSE)
    vacancy = new()
    async with serving(world, fanout, 0, 1, 2):
        await publish(world, fanout, vacancy)
        await ended(world)
        world.turn_days(1)
        late_and_fitted = await api.save(new_id(), **HOUSE)
        late_and_new = await api.save(new_id(), words="staalbouw")
        await publish(world, fanout, vacancy.model_copy(update={"title": "Werkvoorbereider houtbouw en staalbouw"}))
        await ended(world)
    found = {search for search, _ in await told(world)}
    assert found == {early, told_before, late_and_new}
    assert late_and_fitted not in found


async def test_r22_two_changes_at_once_lose_nobody_whom_the_first_newly_fits(world, api, fanout, new):
    """Nobody served the shares between them: what decides is what the vacancy said when it was last fanned out."""
    vacancy = new()
    async with serving(world, fanout, 0, 1, 2):
        await publish(world, fanout, vacancy)
        await ended(world)
    world.turn_days(1)
    late = await api.save(new_id(), words="staalbouw")
    changed = vacancy.model_copy(update={"title": "Werkvoorbereider houtbouw en staalbouw"})
    await publish(world, fanout, changed, changed.model_copy(update={"hours_max": 36}))
    async with serving(world, fanout, 0, 1, 2):
        await ended(world)
    assert (late, vacancy.vacancy) in await told(world)


async def test_r22_a_vacancy_that_closes_ends_what_is_under_way(world, api, fanout, new):
    await api.save(new_id(), **HOUSE)
    vacancy = new()
    await publish(world, fanout, vacancy, vacancy.model_copy(update={"state": "closed"}))
    assert await under_way(world) == 0


async def test_r22_a_large_vacancy_holds_up_no_small_one(world, api, fanout, new, monkeypatch):
    """Batches take turns, and so do the mails: the small one's is asked for long before the large one's last."""
    monkeypatch.setattr(follower, "BATCH", 2)
    monkeypatch.setattr(news, "TURN", 2)
    monkeypatch.setattr(news, "WAITING", 4)
    for _ in range(12):
        await api.save(new_id(), **HOUSE)
    small = await api.save(new_id(), words="zeldzaam")
    one = FanOut(world.parts.alerts, world.parts.searches, shares=1)
    large, rare = new(), new(title="Een zeldzaam vak")
    await publish(world, one, large, rare.model_copy(update={"description": ""}))
    async with serving(world, one, 0):

        async def found() -> bool:
            return (small, rare.vacancy) in await told(world)

        await eventually(found)
        await ended(world)
    assert await news.ask_now(world.mongo) == 4
    causes = {row["_id"] for row in await world.mongo.find("mails", {})}
    assert f"notifications:alert:{small}:{rare.vacancy}" in causes
    assert await news.ask_now(world.mongo) == 0  # the queue is full until some have gone


async def test_shares_are_divided_fairly_and_a_dead_workers_are_taken_over(world):
    served: dict[str, set[int]] = {"a": set(), "b": set()}

    def worker(name: str) -> Shares:
        async def serve(share: int) -> None:
            served[name].add(share)
            try:
                await asyncio.Event().wait()
            finally:
                served[name].discard(share)

        leases = Leases(world.mongo, owner=f"{name}-{new_id()}", term=timedelta(milliseconds=600))
        return Shares(leases, name="test-share", count=4, serve=serve)

    async with beside(worker("a").run()):
        await eventually(lambda: len(served["a"]) == 4)
        async with beside(worker("b").run()):
            await eventually(lambda: (len(served["a"]), len(served["b"])) == (2, 2))
            assert served["a"] | served["b"] == {0, 1, 2, 3}
        await eventually(lambda: len(served["a"]) == 4)
