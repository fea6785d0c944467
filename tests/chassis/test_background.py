"""A background task that crashes is told and started again; one that is done is done."""

import asyncio

import pytest
from chassis import background
from structlog.testing import capture_logs
from testkit.waiting import eventually


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_WAIT", 0.001)


async def test_a_crashed_task_runs_again_and_its_neighbour_goes_on() -> None:
    runs, neighbour = 0, asyncio.Event()

    async def crashing() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise ValueError("Janneke")
        await asyncio.Event().wait()

    async def calm() -> None:
        await asyncio.Event().wait()
        neighbour.set()

    with capture_logs() as lines:
        async with background.running({"crashing": crashing, "calm": calm}):
            await eventually(lambda: runs == 4)
    assert [line["task"] for line in lines] == ["crashing"] * 3
    waits = [line["again_in"] for line in lines]
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


async def test_tasks_are_cancelled_and_may_finish_what_they_hold() -> None:
    finished = False

    async def task() -> None:
        nonlocal finished
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(lambda: None)
            finished = True

    started = asyncio.Event()

    async def first() -> None:
        started.set()
        await task()

    async with background.running({"task": first}):
        await started.wait()
    assert finished


async def test_a_task_that_returns_is_not_run_again() -> None:
    runs = 0

    async def once() -> None:
        nonlocal runs
        runs += 1

    await background.keep("once", once)
    assert runs == 1
