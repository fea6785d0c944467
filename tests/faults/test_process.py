"""A process can be reached into while it runs, by files, and only itself."""

import asyncio
import sys
from datetime import timedelta

import pytest
from chassis.clock import Clock
from localstack import layout
from localstack.layout import Instance
from testkit.faults import nextversion
from testkit.faults.process import Reins, WrongClock


@pytest.fixture
def reins(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "STATE", tmp_path)
    return Reins(Instance("faults"), "profiles-worker")


def test_a_machine_clock_goes_wrong_in_both_directions_and_takes_domain_time_along(reins, tmp_path):
    clock, right = WrongClock(None, reins.clock), Clock()
    for wrong in (0, 600, -600):
        reins.set_clock(wrong)
        assert abs(clock.machine() - right.machine() - timedelta(seconds=wrong)) < timedelta(seconds=1)
        assert abs(clock.now() - right.now() - timedelta(seconds=wrong)) < timedelta(seconds=1)


def test_a_death_comes_once(reins):
    reins.arm("before-delete")
    assert not reins.disarm("before-offsets")
    assert reins.disarm("before-delete")
    assert not reins.disarm("before-delete")


def test_what_holds_for_one_process_holds_for_no_other(reins):
    other = Reins(reins.instance, "consent-worker")
    reins.tell("roles", "consume", "relay")
    reins.arm("mid-job")
    assert (reins.told("roles"), other.told("roles")) == (["consume", "relay"], [])
    assert not other.disarm("mid-job")
    reins.tell("roles")
    assert reins.told("roles") == []


def test_the_next_version_says_more_and_todays_version_reads_it():
    event = nextversion.NoticeEvent(notice="n")
    assert nextversion.NoticeEvent.model_validate_json(event.model_dump_json()) == event


async def test_the_next_version_follows_everything_and_one_topic_more():
    script = """
import profiles.app, consent.app, notifications.app, identity.app
from contracts.identity.account import AccountEvent, SAMPLES
from testkit.faults import nextversion
for app in (profiles.app, consent.app, notifications.app, identity.app):
    before = [one.topic.name for one in app.SUBSCRIPTIONS]
    nextversion.upgrade(app)
    assert [one.topic.name for one in app.SUBSCRIPTIONS] == [*before, "identity.notice.v1"], app
read = next(one.event for one in consent.app.SUBSCRIPTIONS if one.topic.name == "identity.account.v1")
said = SAMPLES[0].model_dump_json()
assert nextversion.FIELD in said
assert getattr(read.model_validate_json(said), nextversion.FIELD) == "yes"
assert AccountEvent.model_validate_json(said) == SAMPLES[0]
"""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await child.wait() == 0
