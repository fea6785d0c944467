"""Turns within one process."""

import asyncio
from datetime import timedelta

import pytest
from chassis.mongo import BusyError
from chassis.turns import Turns

LONG = timedelta(seconds=10)


async def test_one_key_is_had_by_one_at_a_time_and_others_do_not_wait():
    turns, inside, most = Turns(), dict.fromkeys("ab", 0), dict.fromkeys("ab", 0)

    async def take(key):
        async with turns.of(key, patience=LONG):
            inside[key] += 1
            most[key] = max(most[key], inside[key])
            both.add(inside["a"] and inside["b"])
            await asyncio.sleep(0)
            inside[key] -= 1

    both = set()
    await asyncio.gather(*(take(key) for key in "abab" * 5))
    assert (most, both) == ({"a": 1, "b": 1}, {0, 1})


async def test_whose_turn_does_not_come_in_time_hears_so_and_the_next_one_has_it():
    turns = Turns()
    async with turns.of("a", patience=LONG):
        with pytest.raises(BusyError):
            async with turns.of("a", patience=timedelta(seconds=0.01)):
                pytest.fail("two at once")
    async with turns.of("a", patience=timedelta()):
        pass


async def test_a_failure_and_a_cancelled_wait_give_the_turn_back():
    turns = Turns()

    async def wait():
        async with turns.of("a", patience=LONG):
            pytest.fail("was cancelled")

    async def fail():
        async with turns.of("a", patience=LONG):
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with turns.of("a", patience=timedelta()):
        pass


async def test_a_key_that_nobody_uses_is_forgotten():
    turns = Turns()
    for number in range(100):
        async with turns.of(str(number), patience=LONG):
            pass
    assert len(turns._locks) <= 1
