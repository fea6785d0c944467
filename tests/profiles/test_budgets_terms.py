"""R40, R28, R31: what is counted goes with its day, a freeze after two years, and a recruiter's own with the recruiter."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import bson
import pytest
from chassis.ids import new_id
from chassis.mongo import transact
from contracts.consent.request import RequestEvent
from profiles.app import build_worker
from profiles.budgets import store
from profiles.budgets.model import Abuse, Budget, Freeze, Lifting, Looks, Scope
from testkit.parts import kafka_settings
from testkit.running import working
from testkit.waiting import eventually

DAY = timedelta(days=1)


def now_in(world) -> datetime:
    """Machine time, as exact as the database keeps it."""
    return world.clock.machine().replace(microsecond=0)


def budget(world, owner: str, scope: Scope = Scope.RECRUITER, **more) -> Budget:
    kept = {"views": 100, "day": world.today, "began": now_in(world), "looks": Looks(1, 3), **more}
    return Budget(scope=scope, owner=owner, **kept)


def freeze(world, owner: str, scope: Scope = Scope.RECRUITER, **more) -> Freeze:
    now = now_in(world)
    kept = {"organisation": "org", "day": world.today, "began": now, "since": now, "looks": Looks(100), "views": 100, **more}
    return Freeze(id=new_id(), scope=scope, owner=owner, **kept)


def lifting(world, by: str = "boss") -> Lifting:
    return Lifting(by=by, role="administrator", at=now_in(world), reason="een drukke dag, nagevraagd")


def abuse(world, by: str = "chief") -> Abuse:
    return Abuse(by=by, at=now_in(world), reason="handel in gegevens", told_on=world.today)


async def keep(world, *things) -> None:
    async def work(uow) -> None:
        for one in things:
            (store.keep_budget if isinstance(one, Budget) else store.keep_freeze)(uow, one)

    await transact(world.made.mongo, work)


async def stored(world, collection: str) -> dict[str, bytes]:
    """Every document as it lies there, by its id."""
    return {row["_id"]: bson.encode(row) for row in await world.made.mongo.find(collection, {})}


async def by_the_job(world) -> int:
    """The job as the worker runs it."""
    (job,) = (one for one in world.worker.jobs.jobs if one.name == "end-budgets")
    return await job.run()


async def test_r28_a_days_count_goes_when_the_day_after_it_begins_and_a_frozen_one_stays(world):
    await keep(world, budget(world, "done"), budget(world, "org", Scope.ORGANISATION), budget(world, "held", frozen="f"))
    assert await by_the_job(world) == 0
    world.turn(1)
    await keep(world, budget(world, "busy"))
    assert await by_the_job(world) == 2
    assert set(await stored(world, "view_budgets")) == {"recruiter:held", "recruiter:busy"}


async def test_r28_a_freeze_goes_two_years_after_it_was_lifted_and_none_that_still_holds(world):
    old = freeze(world, "a", lifted=lifting(world), over_on=world.today)
    young = freeze(world, "b", lifted=lifting(world), over_on=world.today + DAY)
    holds = freeze(world, "c")
    await keep(world, old, young, holds)
    world.turn(729)
    assert await by_the_job(world) == 0
    world.turn(1)
    assert await by_the_job(world) == 1
    assert set(await stored(world, "view_freezes")) == {young.id, holds.id}


async def test_r28_more_than_a_run_removes_at_once_goes_in_several(world, monkeypatch):
    monkeypatch.setattr("profiles.budgets.service.BATCH", 3)
    await keep(world, *(budget(world, str(number)) for number in range(7)))
    world.turn(2)
    assert [await by_the_job(world) for _ in range(4)] == [3, 3, 1, 0]


@pytest.fixture
def settings(settings, kafka):
    """Let the worker find the real Kafka."""
    often = {"terms_every": timedelta(seconds=0.3), "erasure_settled": timedelta(seconds=0.5)}
    return settings.model_copy(update={**kafka_settings(kafka), **often})


async def erase(world, subject: str) -> dict:
    """Let consent ask for an erasure, the job finish it, and return what is confirmed."""
    request = new_id()
    event = {"request": request, "subject": subject, "kind": "erasure", "phase": "services", "opened_on": world.today}
    await world.hear(RequestEvent.model_validate({**event, "due_on": world.today + 31 * DAY}))

    async def confirmed():
        await world.made.erasure.finish(world.made.mongo)
        return await world.events("request-part", request)

    (part,) = await eventually(confirmed, timeout=30)
    return part


async def test_r31_of_two_recruiters_whose_ids_look_alike_only_the_erased_ones_count_and_freezes_go(world):
    """One id is the end of the other; every other document stays as it is, byte for byte."""
    an, jan = "an", "jan"
    await keep(world, *(budget(world, one) for one in (an, jan)), budget(world, "org", Scope.ORGANISATION))
    mine = [freeze(world, an, lifted=lifting(world), over_on=world.today) for _ in range(2)]
    await keep(world, *mine, freeze(world, jan, lifted=lifting(world, by="boss"), over_on=world.today), freeze(world, jan))
    before = {**await stored(world, "view_budgets"), **await stored(world, "view_freezes")}
    part = await erase(world, an)
    assert (part["counts"]["view-budgets"], part["counts"]["view-freezes"]) == (1, 2)
    assert {kept["what"] for kept in part["kept"]} == {"access-log"}
    left = {**await stored(world, "view_budgets"), **await stored(world, "view_freezes")}
    assert left == {name: row for name, row in before.items() if name not in {f"recruiter:{an}", *(one.id for one in mine)}}


async def test_r31_a_freeze_that_may_be_an_abuse_stays_for_its_term_is_named_and_then_goes(world):
    """Or whoever carries the bank away could take along what those who were seen are told by."""
    open_, declared = (
        freeze(world, "thief"),
        freeze(world, "thief", lifted=lifting(world), abuse=abuse(world), over_on=world.today),
    )
    await keep(world, budget(world, "thief", frozen=open_.id), open_, declared)
    part = await erase(world, "thief")
    assert (part["counts"]["view-budgets"], part["counts"]["view-freezes"]) == (1, 0)
    kept = {one["what"]: date.fromisoformat(one["until"]) for one in part["kept"]}
    assert kept["view-freezes"] == world.today + 730 * DAY
    assert set(await stored(world, "view_freezes")) == {open_.id, declared.id}
    operator = world.candidate("operator")
    answer = await operator.send("POST", f"/bank/freezes/{open_.id}/lifting", {"reason": "er is niemand meer"})
    assert answer.status_code == 409  # there is nobody whose budget could be given back
    assert await stored(world, "view_budgets") == {}
    world.turn(730)
    assert await by_the_job(world) == 2


async def test_r31_whoever_lifted_or_declared_is_named_no_more(world):
    lifted = freeze(world, "x", lifted=lifting(world, by="gone"), over_on=world.today)
    declared = freeze(world, "y", abuse=abuse(world, by="gone"))
    await keep(world, lifted, declared)
    await erase(world, "gone")
    rows = await stored(world, "view_freezes")
    assert not [row for row in rows.values() if b"gone" in row]
    assert len(rows) == 2
    found = {one.id: one for one in await store.find_freezes(world.made.mongo, organisation=None, before=None, limit=9)}
    assert found[lifted.id] == replace(lifted, lifted=replace(lifted.lifted, by=None))


async def test_r28_the_terms_are_kept_by_the_worker(world, settings):
    old = freeze(world, "a", lifted=lifting(world), over_on=world.today)
    await keep(world, old, budget(world, "done"))
    world.turn(730)
    async with working(build_worker(settings, made=world.made, group=new_id())):

        async def gone():
            return not await stored(world, "view_freezes") and not await stored(world, "view_budgets")

        await eventually(gone, timeout=30)
