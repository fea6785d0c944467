"""The access log in signed blocks (R33): sealed exactly once, and whatever somebody does to it is found by the command."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from bson import encode
from chassis.ids import new_id
from chassis.mongo import transact
from chassis.tokens import Caller
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from profiles import access_log
from profiles.blocks import service as blocks
from profiles.blocks import store as block_store
from profiles.blocks.service import end, seal
from profiles.organisations.service import Organisation
from profiles.signatures.service import LIFE, Signer
from profiles.views import service as views
from profiles.views.service import Shown

TERM = timedelta(days=730)


@dataclass
class Log:
    """The access log of a test: rows as the bank notes them, and the hand of somebody at the database."""

    world: Any

    @property
    def mongo(self):
        return self.world.made.mongo

    @property
    def rows(self):
        return self.mongo.database["accesses"]

    @property
    def blocks(self):
        return self.mongo.database["access_blocks"]

    async def note(self, *subjects: str) -> None:
        """Note one page on which these people stood."""
        shown = [Shown(subject, f"handle-{subject}", ["career.skills"]) for subject in subjects or (new_id(),)]
        await transact(self.mongo, lambda uow: self._note(uow, shown))

    async def _note(self, uow, shown) -> None:
        await views.note(
            uow,
            keyring=self.world.made.keyring,
            clock=self.world.clock,
            caller=Caller("account-1", "recruiter", org="org-1"),
            organisation=Organisation("org-1", "Waterlinie Werk", active=True, bank_access=True, members={}),
            kind="search-page",
            purpose="candidate-search",
            shown=shown,
        )

    async def seal(self, rows: int = 3) -> None:
        """Let so many rows be noted and sealed into a block of their own."""
        for _ in range(rows):
            await self.note()
        assert await seal(self.mongo, self.world.made.signatures) == rows

    async def ids(self, block: int) -> list[str]:
        """The ids of a block's rows."""
        return [row["_id"] async for row in self.rows.find({"block": block}).sort("_id")]

    async def verify(self, *words: str) -> tuple[int, dict[str, Any]]:
        """What the command says, and its status."""
        said: list[str] = []
        parser = argparse.ArgumentParser()
        access_log.arguments(parser)
        asked = parser.parse_args(["verify", "--json", *words])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(access_log, "say", said.append)
            with pytest.raises(SystemExit) as ended:
                await asyncio.to_thread(access_log.run, self.world.settings, asked)
        return ended.value.code, json.loads(said[-1])

    async def findings(self, *words: str) -> list[tuple[str, int, list[str]]]:
        """What the command finds wrong."""
        status, report = await self.verify(*words)
        assert status == (1 if report["findings"] else 0)
        assert report["valid"] is not bool(report["findings"])
        return [(one["what"], one["block"], one["rows"]) for one in report["findings"]]


@pytest.fixture
async def log(world):
    """A log of three sealed blocks of three rows."""
    made = Log(world)
    for _ in range(3):
        await made.seal()
    return made


async def test_what_was_sealed_is_valid_and_the_head_is_told(log) -> None:
    await log.note()
    status, report = await log.verify()
    assert (status, report["valid"], report["blocks"], report["rows"], report["unsealed"]) == (0, True, 3, 9, 1)
    assert report["head"].startswith("3:")
    assert (await log.verify("--head", report["head"]))[0] == 0
    assert (await log.verify("--from", "3"))[1]["blocks"] == 1


async def test_the_command_line_tells_and_its_status_says_so(log) -> None:
    environment = {**os.environ, **_variables(log.world.settings)}
    command = [sys.executable, "-m", "profiles", "access-log", "verify"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own command

    good = await asyncio.to_thread(run)
    assert (good.returncode, good.stderr) == (0, "")
    assert "3 blocks with 9 rows looked at" in good.stdout
    assert good.stdout.endswith("all is as it was sealed\n")
    changed = (await log.ids(2))[1]
    await log.rows.update_one({"_id": changed}, {"$set": {"purpose": "own-data"}})
    bad = await asyncio.to_thread(run)
    assert bad.returncode == 1
    assert f"block 2: rows were changed: {changed}\n" in bad.stdout


def _variables(settings) -> dict[str, str]:
    told = {name: getattr(settings, name) for name in type(settings).model_fields if name in settings.model_fields_set}
    plain = {name: value.get_secret_value() if hasattr(value, "get_secret_value") else value for name, value in told.items()}
    return {f"PROFILES_{name.upper()}": _text(value) for name, value in plain.items()}


def _text(value: Any) -> str:
    return f"PT{value.total_seconds():.0f}S" if isinstance(value, timedelta) else str(value)


CHANGES = {
    "another purpose": {"$set": {"purpose": "own-data"}},
    "another time": {"$inc": {"at": 1}},
    "a field more": {"$set": {"note": "x"}},
    "another person": {"$set": {"shown.0.subject": "somebody"}},
    "another box": {"$set": {"shown.0.box": b"x"}},
    "nobody shown": {"$set": {"shown": []}},
    "no account": {"$unset": {"account": ""}},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_row_is_found(log, change) -> None:
    changed = (await log.ids(2))[1]
    pipeline = [{"$set": {"at": {"$add": ["$at", 1]}}}] if change == "another time" else CHANGES[change]
    await log.rows.update_one({"_id": changed}, pipeline)
    assert await log.findings() == [("row-changed", 2, [changed])]


async def test_a_removed_row_is_found(log) -> None:
    removed = (await log.ids(1))[0]
    await log.rows.delete_one({"_id": removed})
    assert await log.findings() == [("row-removed", 1, [removed])]


async def test_a_row_that_takes_anothers_place_is_found(log) -> None:
    first, second = (await log.ids(1))[:2]
    row = await log.rows.find_one_and_delete({"_id": first})
    await log.rows.insert_one({**row, "_id": second + "x"})
    assert await log.findings() == [("row-removed", 1, [first]), ("row-inserted", 1, [second + "x"])]


@pytest.mark.parametrize("block", [2.5, 7, -1, 0.5, "2", None, float("nan"), [2], True])
async def test_an_inserted_row_that_names_no_block_that_there_can_be_is_found(log, block) -> None:
    row = await log.rows.find_one({"block": 2})
    await log.rows.insert_one({**row, "_id": "inserted", "block": block})
    assert [(what, rows) for what, _, rows in await log.findings()] == [("row-stray", ["inserted"])]


async def test_an_inserted_row_is_found(log) -> None:
    row = await log.rows.find_one({"block": 2})
    await log.rows.insert_one({**row, "_id": "inserted"})
    assert await log.findings() == [("row-inserted", 2, ["inserted"])]


async def test_a_row_without_a_block_is_found(log) -> None:
    row = await log.rows.find_one({"block": 2})
    del row["block"]
    await log.rows.insert_one({**row, "_id": "inserted"})
    assert await log.findings() == [("row-stray", 3, ["inserted"])]


async def test_a_removed_block_is_found_with_its_rows_or_without(log) -> None:
    rows = await log.ids(2)
    await log.blocks.delete_one({"_id": 2})
    assert await log.findings() == [("block-missing", 2, rows)]
    await log.rows.delete_many({"block": 2})
    assert await log.findings() == [("block-missing", 2, [])]
    assert await log.findings("--from", "3") == []


async def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_noted(log, capsys) -> None:
    await log.seal()
    noted = (await log.verify())[1]["head"]
    assert f"head={noted}" in capsys.readouterr().out  # the job logged it
    await log.blocks.delete_many({"_id": {"$gte": 3}})
    assert [what for what, *_ in await log.findings()] == ["row-stray"]
    await log.rows.delete_many({"block": {"$gte": 3}})
    assert await log.findings() == []
    assert await log.findings("--head", noted) == [("head-missing", 4, [])]
    await log.seal()
    await log.seal()
    assert await log.findings() == []
    assert await log.findings("--head", noted) == [("head-differs", 4, [])]


async def test_blocks_that_changed_places_are_found(log) -> None:
    second, third = [await log.blocks.find_one_and_delete({"_id": number}) for number in (2, 3)]
    await log.blocks.insert_many([{**third, "_id": 2}, {**second, "_id": 3}])
    found = await log.findings()
    assert {("signature-wrong", 2), ("signature-wrong", 3), ("chain-broken", 3)} <= {(what, block) for what, block, _ in found}


async def test_a_chain_that_was_made_anew_from_one_block_on_does_not_follow(log) -> None:
    """Even with a good signature: block 3 was sealed after another block 2."""
    signer = await log.world.made.signatures.signer()
    await _seal_anew(log, 2, signer, sealed_on=log.world.today - timedelta(days=1))
    assert await log.findings() == [("chain-broken", 3, [])]


async def test_a_foreign_signature_is_found_though_its_key_was_put_among_ours(log) -> None:
    foreign = Signer("foreign", Ed25519PrivateKey.generate())
    keys = log.mongo.database["access_log_keys"]
    own = await keys.find_one({})
    public = foreign.private.public_key().public_bytes_raw()
    await keys.insert_one({**own, "_id": foreign.id, "number": 2, "public": public})
    await _seal_anew(log, 3, foreign, key=foreign.id)
    assert await log.findings() == [("signature-wrong", 3, [])]


async def _seal_anew(log, number, signer, **changed) -> None:
    """Put another block in the place of one, over the same rows."""
    block = block_store.block_of(await log.blocks.find_one_and_delete({"_id": number}))
    head = type(block.head)(**{**vars(block.head), **changed})
    again = type(block)(head, signer.sign(head.statement), block.lines)

    async def work(uow) -> None:
        block_store.add(uow, again)

    await transact(log.mongo, work)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"$set": {"count": 2}}, {"signature-wrong", "block-changed", "chain-broken"}),
        ({"$set": {"previous": bytes(32)}}, {"signature-wrong", "chain-broken"}),
        ({"$set": {"sealed_on": "2020-01-01"}}, {"signature-wrong", "chain-broken"}),
        ({"$set": {"signature": bytes(64)}}, {"signature-wrong"}),
        ({"$unset": {"signature": ""}}, {"block-unreadable"}),
        ({"$set": {"signature": "text"}}, {"block-unreadable"}),
        ({"$set": {"rows.0.hash": bytes(32)}}, {"block-changed", "row-changed"}),
        ({"$pop": {"rows": 1}}, {"block-changed", "row-inserted"}),
        ({"$unset": {"rows": ""}}, {"block-changed", "row-inserted"}),
    ],
)
async def test_a_changed_block_is_found(log, change, what) -> None:
    await log.blocks.update_one({"_id": 2}, change)
    found = await log.findings()
    assert {one for one, *_ in found} == what
    assert found[0][1] == 2


async def test_a_row_and_its_line_changed_together_do_not_fit_the_signed_head(log) -> None:
    changed = (await log.ids(2))[0]
    await log.rows.update_one({"_id": changed}, {"$set": {"purpose": "own-data"}})
    row = await log.rows.find_one({"_id": changed})
    await log.blocks.update_one({"_id": 2, "rows.id": changed}, {"$set": {"rows.$.hash": blocks.hash_of(row)}})
    assert await log.findings() == [("block-changed", 2, [])]


async def test_destroyed_keys_leave_the_chain_valid_and_every_stored_byte_as_it_was(log) -> None:
    subjects = [new_id() for _ in range(3)]
    await log.note(*subjects)
    await seal(log.mongo, log.world.made.signatures)
    before = [encode(row) async for row in log.rows.find().sort("_id")]
    for subject in subjects:
        await log.world.made.keyring.erase(subject)
    assert [encode(row) async for row in log.rows.find().sort("_id")] == before
    assert await log.findings() == []


async def test_a_row_that_is_committed_late_is_sealed_in_the_next_block(log) -> None:
    """It was begun, with its id and time, before rows that are sealed already."""
    committing, sealed = asyncio.Event(), asyncio.Event()

    async def slow(uow) -> None:
        await log._note(uow, [Shown("somebody", "handle", [])])
        await uow.flush()
        committing.set()
        await sealed.wait()

    late = asyncio.create_task(transact(log.mongo, slow))
    await committing.wait()
    await log.seal()
    sealed.set()
    await late
    assert await seal(log.mongo, log.world.made.signatures) == 1
    [row] = [row async for row in log.rows.find({"block": 5})]
    assert row["_id"] < (await log.ids(4))[0]
    assert await log.findings() == []


async def test_two_workers_seal_each_row_exactly_once(log) -> None:
    for _ in range(20):
        await log.note()
    sealed = await asyncio.gather(*(seal(log.mongo, log.world.made.signatures) for _ in range(4)))
    assert sum(sealed) == 20
    assert await log.findings() == []
    assert (await log.verify())[1]["rows"] == 29


async def test_many_rows_make_several_blocks(log, monkeypatch) -> None:
    monkeypatch.setattr(blocks, "MOST", 2)
    await log.seal(5)
    assert [block["count"] async for block in log.blocks.find().sort("_id")] == [3, 3, 3, 2, 2, 1]
    assert await log.findings() == []


@pytest.mark.parametrize("step", ["add", "name_block", "commit"])
async def test_a_worker_that_dies_at_any_step_has_sealed_a_row_or_not(log, monkeypatch, step) -> None:
    await log.note()
    target = {"add": block_store, "name_block": views, "commit": log.mongo}[step]
    does = getattr(target, step)

    def dies(*given):
        does(*given) if step != "commit" else None
        raise ConnectionError(step)

    monkeypatch.setattr(target, step, dies)
    with pytest.raises(ConnectionError):
        await seal(log.mongo, log.world.made.signatures)
    monkeypatch.undo()
    assert (await log.verify())[1]["unsealed"] == 1
    assert await seal(log.mongo, log.world.made.signatures) == 1
    assert await log.findings() == []


async def test_after_the_term_rows_go_block_by_block_and_their_signed_heads_stay(log) -> None:
    log.world.turn(730)
    await log.seal()
    assert await end(log.mongo, log.world.made.signatures, TERM + timedelta(days=1)) == 0
    assert await end(log.mongo, log.world.made.signatures, TERM) == 9
    assert await end(log.mongo, log.world.made.signatures, TERM) == 0
    status, report = await log.verify()
    assert (status, report["blocks"], report["rows"]) == (0, 4, 3)
    assert (report["ended_blocks"], report["ended_rows"]) == (3, 9)
    assert await log.rows.count_documents({}) == 3
    assert "rows" not in await log.blocks.find_one({"_id": 1})


async def test_what_is_told_to_be_past_its_term_is_not_believed_without_the_jobs_word(log) -> None:
    await log.rows.delete_many({"block": 2})
    removal = {"on": "2020-01-01", "key": (await log.blocks.find_one({"_id": 2}))["key"], "signature": bytes(64)}
    await log.blocks.update_one({"_id": 2}, {"$set": {"removal": removal}, "$unset": {"rows": ""}})
    assert await log.findings() == [("removal-unsigned", 2, [])]


async def test_a_row_that_comes_back_after_its_term_is_found(log) -> None:
    row = await log.rows.find_one({"block": 1})
    log.world.turn(731)
    await end(log.mongo, log.world.made.signatures, TERM)
    await log.rows.insert_one(row)
    assert await log.findings() == [("row-inserted", 1, [row["_id"]])]


async def test_the_next_key_takes_over_and_what_the_old_one_signed_stays_good(log) -> None:
    keys, signatures = log.mongo.database["access_log_keys"], log.world.made.signatures
    first = await signatures.signer()
    await keys.update_one({}, {"$set": {"made": log.world.clock.machine() - LIFE}})
    made = await asyncio.gather(*(signatures.signer() for _ in range(4)))
    assert len({one.id for one in made}) == 1
    assert made[0].id != first.id
    await log.seal()
    assert await log.findings() == []
    pending = await log.mongo.find("pending_destruction", {"class": "access-log-key"})
    assert first.id in {row["subject"] for row in pending}
    assert made[0].id not in {row["subject"] for row in pending}


async def test_a_signing_key_that_was_lost_is_replaced(log) -> None:
    first = await log.world.made.signatures.signer()
    await log.world.made.keyring.destroy(first.id, "access-log-key")
    await log.seal()
    assert (await log.blocks.find_one({"_id": 4}))["key"] != first.id
    assert await log.findings() == []


async def test_the_private_half_lies_nowhere_readable(log) -> None:
    signer = await log.world.made.signatures.signer()
    raw = signer.private.private_bytes_raw()
    rows = await log.mongo.find("access_log_keys", {}) + await log.world.made.keyring.mongo.find("data_keys", {})
    assert not [row for row in rows if raw in encode(row)]


async def test_nothing_to_seal_makes_neither_block_nor_key(world) -> None:
    assert await seal(world.made.mongo, world.made.signatures) == 0
    assert await world.made.mongo.find("access_log_keys", {}) == []
    assert await Log(world).findings() == []


@pytest.mark.parametrize("words", [("--head", "3"), ("--head", "3:xyz"), ("--from", "0"), ("--from", "x")])
async def test_a_command_line_that_cannot_be_meant_is_refused(world, words, capsys) -> None:
    parser = argparse.ArgumentParser()
    access_log.arguments(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["verify", *words])
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err
