"""What lies on the disks of the whole system after all other tests: nothing that points to anybody.

Everything personal that the tests say carries the run's mark, and telephone numbers and the postal code are the run's own. The
mail catcher's own store holds the mails that were sent, as a person's mailbox would; it is no part of this system or this scan.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chassis.clock import Clock
from chassis.crypto import UnreadableError, decrypt_fields
from chassis.ids import new_handle, new_id
from chassis.keyring import KeyDestroyedError, Keyring
from chassis.resources import connect
from chassis.settings import load
from contracts.profiles.profile import ProfileEvent
from profiles.settings import ProfilesSettings
from pymongo import MongoClient
from testkit.cast import Candidate, Cast, Organisation
from testkit.portal import ok
from testkit.probe import send_raw
from testkit.residue import Finding, all_files, encodings, flush, search
from testkit.stack import Stack
from testkit.waiting import eventually

Client = MongoClient[dict[str, Any]]
SERVICES = ("identity", "profiles", "consent", "notifications")
DATABASES = [*SERVICES, *(f"{service}_keyring" for service in SERVICES)]


@pytest.fixture
def mongo(stack: Stack) -> Iterator[Client]:
    """MongoDB as its administrator sees it."""
    with Client(stack.mongo_url(), readConcernLevel="majority") as client:  # as services read
        yield client


async def scanned(stack: Stack, *texts: str) -> list[Finding]:
    """All places of these texts in the files as they are now."""

    def scan() -> list[Finding]:
        flush(stack.mongo_url())
        return list(search(all_files(stack.instance), *texts))

    return await asyncio.to_thread(scan)


async def test_residue_a_planted_text_is_found_on_every_path(stack: Stack, mongo: Client) -> None:
    """Each database's collection file, the journal, the oplog, a Kafka segment, a log; in each encoding that is searched for."""
    canary = f"kanarie{new_handle()}"
    forms = encodings(canary)
    expected: dict[str, Path] = {}
    for database in DATABASES:
        mongo[database].canaries.insert_one({"_id": canary, **forms})
        expected[database] = _file_of(stack, mongo, database, "canaries")
    expected["the oplog"] = _file_of(stack, mongo, "local", "oplog.rs")
    expected["a log"] = stack.instance.logs / "canary.log"
    expected["a log"].write_bytes(b" ".join(forms.values()))
    topic = ProfileEvent.topic.name
    headers = [("ce_specversion", b"1.0"), ("ce_id", new_id().encode()), ("ce_source", b"/profiles"), ("ce_subject", b"x")]
    headers += [("ce_type", b"nl.kandidatenbank.canary"), ("ce_time", b"2026-01-01T00:00:00+00:00"), ("ce_sequence", b"1")]
    await send_raw(stack.kafka, topic, canary.encode(), b" ".join(forms.values()), headers)
    found = await scanned(stack, canary)
    for where, path in expected.items():
        assert {one.encoding for one in found if one.path == path} == set(forms), where
    journal = {one.encoding for one in found if one.path.parent.name == "journal"}
    kafka = {one.encoding for one in found if one.path.suffix == ".log" and one.path.parent.name.startswith(topic)}
    expected["a log"].unlink()
    for database in DATABASES:
        mongo[database].canaries.drop()
    assert journal == kafka == set(forms)


async def test_residue_what_the_services_wrote_themselves_would_be_found(
    stack: Stack, candidate: Candidate, organisation: Organisation
) -> None:
    """Through outbox and relay too: ids and public facts stand there to be read."""
    found = await scanned(stack, candidate.actor.subject, organisation.name)
    kafka = {one.text for one in found if one.path.suffix == ".log" and one.path.is_relative_to(stack.instance.folder / "kafka")}
    mongod = {one.text for one in found if one.path.suffix == ".wt"}
    assert kafka == mongod == {candidate.actor.subject, organisation.name}


async def test_residue_no_name_address_mail_address_or_telephone_number_lies_on_any_disk(stack: Stack, cast: Cast) -> None:
    """Shown to recruiters or hidden, kept, replaced or refused: of nobody in this run."""
    assert cast.made > 0
    found = await scanned(stack, cast.mark, cast.phones, cast.postal_code)
    told = {f"{one.path.relative_to(stack.instance.folder)} at {one.offset}: {one.text} as {one.encoding}" for one in found}
    assert not told


class LaterClock(Clock):
    """Machine time that a test may turn, for a cache's age."""

    later = timedelta()

    def machine(self) -> datetime:
        return super().machine() + self.later


async def test_residue_after_permanent_anonymity_what_is_left_cannot_be_opened(
    stack: Stack, cast: Cast, mongo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old copy of the profile (a backup, the journal) stays shut: its key is no more, and is never made again."""
    made = await cast.active()
    subject = made.actor.subject
    boxes = _identifying(mongo, subject)
    async with _keyring(stack, monkeypatch) as (keyring, clock):
        told = decrypt_fields(await keyring.existing(subject, "identifying"), subject, boxes)
        assert told["identity.given_name"] == made.person.profile["identity"]["given_name"]
        ok(await made.actor.post("profiles/v1/me/anonymity/permanent", {"confirm": "permanent"}))
        row = await eventually(lambda: _destroyed(mongo, subject), timeout=15)
        assert not {"wrapped", "epoch"} & set(row)
        clock.later = timedelta(seconds=61)  # a process may hold a key for a minute, no longer
        for ask in (keyring.existing, keyring.key):
            with pytest.raises(KeyDestroyedError):
                await ask(subject, "identifying")
        career = await keyring.existing(subject, "career")
        with pytest.raises(UnreadableError):
            decrypt_fields(career, subject, boxes)
    assert _identifying(mongo, subject) == {}
    assert mongo.profiles.pending_destruction.count_documents({"subject": subject}) == 0


def _identifying(mongo: Client, subject: str) -> dict[str, bytes]:
    [profile] = mongo.profiles.profiles.find({"_id": subject})
    return {row["path"]: row["box"] for row in profile["boxes"] if row["class"] == "identifying"}


def _destroyed(mongo: Client, subject: str) -> dict[str, Any] | None:
    return mongo.profiles_keyring.data_keys.find_one({"_id": f"{subject}:identifying", "destroyed": {"$ne": None}})


def _file_of(stack: Stack, mongo: Client, database: str, collection: str) -> Path:
    uri = mongo[database].command("collStats", collection)["wiredTiger"]["uri"]
    return stack.instance.folder / "mongod" / f"{uri.removeprefix('statistics:table:')}.wt"


@asynccontextmanager
async def _keyring(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Keyring, LaterClock]]:
    """The keyring of profiles, as one of its processes would open it, with a clock that a test turns."""
    for name, value in stack.environment("profiles").items():
        monkeypatch.setenv(name, value)
    clock = LaterClock()
    opened = connect(load(ProfilesSettings), clock=clock)
    try:
        yield opened.keyring, clock
    finally:
        await opened.close()
