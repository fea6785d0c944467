"""`python -m consent dead-letters …`: what an operator types at the machine, and what its exit codes say."""

import argparse
import asyncio
import json
import os
import subprocess
import sys

import pytest
from aiokafka import ConsumerRecord
from chassis import outbox, parking, setaside_command
from chassis.ids import new_id
from chassis.inbox import Poison
from chassis.mongo import transact
from consent.app import build_worker, consumer_of, use_cases
from contracts.identity.account import AccountEvent
from pydantic import SecretStr
from testkit.deliveries import decoded, saying

WHY = ("--by", "beheer", "--why", "identity sent this by mistake")


class Machine:
    """The command line beside the service's own database."""

    def __init__(self, settings, made, capsys):
        self.settings, self.made, self.consumer, self._capsys = settings, made, consumer_of(use_cases(made)), capsys

    async def type(self, *words, code=0, **changes):
        """Type a command and return what it says."""
        parser = argparse.ArgumentParser()
        setaside_command.arguments(parser)
        settings = self.settings.model_copy(update=changes)
        self._capsys.readouterr()
        try:
            asked = parser.parse_args(words)
        except SystemExit as refused:
            done = refused.code
        else:
            done = await asyncio.to_thread(setaside_command.run, lambda: build_worker(settings), asked)
        assert done == code
        return "".join(line for line in self._capsys.readouterr().out.splitlines(keepends=True) if "set_aside_" not in line)

    async def json(self, *words, code=0):
        return [json.loads(line) for line in (await self.type(*words, "--json", code=code)).splitlines()]

    async def park(self):
        """Park a closed account's key, as the consumer does; return the account."""
        event = AccountEvent(account=new_id(), state="closed", language="nl", roles=(), confirmed_on="2027-03-01")
        item = decoded(self.consumer, saying(event, 1))
        await transact(self.made.mongo, lambda uow: self.consumer._parking.park(uow, item, attempts=5, error="KeyError"))
        return event.account

    async def unreadable(self, offset):
        record = ConsumerRecord(AccountEvent.topic.name, 0, offset, 0, 0, b"jan@example.nl", b"{jan", None, 1, 4, ())
        poison = Poison(record, "malformed", "missing: ce_id")
        await transact(self.made.mongo, lambda uow: self.consumer._parking.set_aside(uow, [poison]))


@pytest.fixture
async def machine(consent, settings, capsys):
    await consent.mongo.ensure_indexes(outbox.INDEXES, parking.INDEXES)
    return Machine(settings, consent.made, capsys)


async def test_one_by_one_a_key_is_shown_rehearsed_replayed_and_gone(machine):
    account = await machine.park()
    [one] = await machine.json("list", "--reason", "failed")
    assert (one["key"], one["kind"], one["attempts"]) == (account, "parked-key", 5)
    assert await machine.json("show", one["id"]) == [one]
    assert "dry run" in await machine.type("replay", one["id"], "--dry-run")
    assert await machine.made.mongo.find("closed_accounts", {}) == []
    assert await machine.json("replay", one["id"]) == [{"id": one["id"], "outcome": "applied"}]
    assert await machine.made.mongo.find("closed_accounts", {}) == [{"_id": account}]
    assert await machine.json("replay", one["id"], code=3) == [{"id": one["id"], "outcome": "gone"}]


async def test_what_still_fails_is_told_and_stays_and_nobody_sees_what_is_in_it(machine):
    for offset in range(3):
        await machine.unreadable(offset)
    said = await machine.type("replay", "--topic", AccountEvent.topic.name, code=1)
    assert said.splitlines()[-1] == "3 failed"
    said += await machine.type("list", "--limit", "2")
    assert "2 shown, there are more" in said
    assert "jan" not in said
    assert [one["attempts"] for one in await machine.json("list")] == [2, 2, 2]


async def test_a_discard_asks_for_a_reason_which_is_kept_with_who_it_was(machine):
    await machine.unreadable(1)
    await machine.type("discard", "--all", code=2)
    await machine.type("discard", "--all", *WHY[:2], "--why", "jan@example.nl did this", code=2)
    assert (await machine.type("discard", "--all", "--dry-run", *WHY)).endswith("1 discarded (dry run: nothing was changed)\n")
    [one] = await machine.json("list")
    await machine.type("discard", one["id"], *WHY)
    [kept] = await machine.json("show", one["id"])
    assert (kept["kind"], kept["by"], kept["why"]) == ("discarded", WHY[1], WHY[3])
    assert await machine.json("list") == []


@pytest.mark.parametrize("words", [("replay",), ("replay", "x", "--all"), ("replay", "x", "--reason", "failed")])
async def test_a_command_that_could_mean_too_much_does_nothing(machine, words):
    account = await machine.park()
    await machine.type(*words, code=2)
    assert [one["key"] for one in await machine.json("list")] == [account]


async def test_what_is_not_there_and_a_database_that_is_away_have_codes_of_their_own(machine):
    await machine.type("show", "nergens", code=3)
    await machine.type("list", "--since", "yesterday", code=2)
    await machine.type("list", code=4, mongo_url=SecretStr("mongodb://127.0.0.1:1/"))


async def test_the_process_says_what_it_did_apart_from_its_log_and_ends_with_the_code(machine):
    await machine.unreadable(1)
    settings = machine.settings
    told = {name: getattr(settings, name).get_secret_value() for name in ("mongo_url", "keyring_url", "hash_key")}
    told["master_keys"] = str(settings.master_keys)
    told |= {"mongo_database": settings.mongo_database, "keyring_database": settings.keyring_database, "production": "false"}
    environment = {f"CONSENT_{name.upper()}": value for name, value in told.items()} | {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "consent", "dead-letters", "replay", "--all", "--json"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["outcome"] == "failed"
    assert json.loads(done.stderr)["event"] == "set_aside_still_fails"


@pytest.mark.parametrize("service", ["identity", "profiles", "consent", "notifications"])
def test_every_service_has_the_command(service):
    command = [sys.executable, "-m", service, "dead-letters", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout  # noqa: S603 - our own package
    assert "Exit codes: 0 done" in said
