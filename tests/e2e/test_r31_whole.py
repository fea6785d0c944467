"""R31: once erased, nobody comes back and nothing of them opens: from no topic, from no older dump, from no whole old copy.

an@ and jan@ live the same life and everything is copied. Then an@ is erased. Each test takes the old copy and does its worst.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord
from chassis.inbox import Incoming
from chassis.worker import Worker
from contracts.topics import SERVICES, TOPICS
from testkit.burglar import break_in
from testkit.cast import Candidate, Cast, Organisation
from testkit.copies import Copy, copied, store_of
from testkit.deliveries import as_decoded
from testkit.groups import behind, rewind
from testkit.portal import PASSWORD, SEARCHING, Portal, ok
from testkit.probe import read_topic
from testkit.residue import Finding, all_files, flush, search
from testkit.roots import settings_of, worker_of
from testkit.samples import saved_search
from testkit.spans import Collector, collecting
from testkit.stack import Stack
from testkit.waiting import eventually
from testkit.whereabouts import BY_JOBS, Client, documents_of, left_of

SEED = "a hundred ways"
ERASE = "identity/v1/me/account/erasure"
APIS, WORKERS = [f"{service}-api" for service in SERVICES], [f"{service}-worker" for service in SERVICES]
STOPS_EVERYTHING = pytest.mark.timeout(400, func_only=True)
"""A test in which all our processes stop and start again, on a machine that may do much else."""
GUARDED = {
    "identity": "me/account",
    "profiles": "me/profile",
    "consent": "decisions",
    "notifications": "searches",
}
"""A path of each API that answers 401 to a visitor, once it answers at all."""


@dataclass(frozen=True)
class Story:
    """Two people, and everything as it was before one of them was erased."""

    an: Candidate
    jan: Candidate
    words: str
    """What an@ looks for, in a saved search."""
    before: Copy
    documents: dict[tuple[str, str], list[bytes]]
    """Those that name jan@."""

    @property
    def canaries(self) -> list[str]:
        """Everything by which an@ would be known."""
        told = self.an.person.profile
        names = [told["identity"]["given_name"], told["identity"]["family_name"], told["identity"]["address"]["street"]]
        return [self.an.email, *names, told["contact"]["telephone"], told["career"]["summary"], self.words]


@pytest.fixture(scope="module")
def mongo(stack: Stack) -> Iterator[Client]:
    """MongoDB as its administrator sees it."""
    with Client(stack.mongo_url(), readConcernLevel="majority") as client:
        yield client


@pytest.fixture(scope="module")
def collector(stack: Stack) -> Iterator[Collector]:
    """Where all processes of the instance send their spans."""
    with collecting(stack.instance.port("otlp")) as (made, _):
        yield made


async def at_rest(stack: Stack, mongo: Client) -> None:
    """Wait until everything that was said is heard, and every erasure is through."""

    def moving() -> int:
        rows = [mongo[service][name].count_documents({}) for service in SERVICES for name in ("outbox", "pending_destruction")]
        begun = [mongo[service].erasures.count_documents({"begun": {"$type": "string"}}) for service in SERVICES]
        return sum(rows + begun) + mongo.consent.requests.count_documents({"phase": {"$ne": "closed"}})

    async def still() -> bool:
        return not moving() and not await behind(stack.kafka) and not moving()

    await eventually(still, timeout=240, every=0.5)  # all that the tests before said is heard once more


def lasting(mongo: Client, somebody: Candidate) -> dict[tuple[str, str], list[bytes]]:
    """Return every document that names somebody, as stored, save for what jobs write as time passes."""
    return documents_of(mongo, somebody.actor.subject, without=BY_JOBS)


async def _living(cast: Cast, organisation: Organisation, name: str, like: int, words: str) -> Candidate:
    """Somebody in the bank, looked at, with a saved search."""
    made = await cast.active(like, email=f"{name}@geheel.{cast.mark}.example")
    ok(await made.actor.post("notifications/v1/searches", {"criteria": {**saved_search(), "words": words}}))
    ok(await organisation.recruiter.get(f"profiles/v1/bank/profiles/{await made.handle()}", headers=SEARCHING))
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def story(
    cast: Cast, portal: Portal, organisation: Organisation, stack: Stack, mongo: Client, collector: Collector
) -> Story:
    """Two lives, the copy, and the end of one of them."""
    words = cast.marked("kanariegeel")
    an = await _living(cast, organisation, "an", 0, words)
    jan = await _living(cast, organisation, "jan", 1, "boekhouder")
    await at_rest(stack, mongo)
    before, documents = await copied(stack, mongo), lasting(mongo, jan)
    ok(await an.actor.post(ERASE, {"password": PASSWORD}))
    await portal.mailbox.wait(an.email, subject="verwijderd", timeout=60)
    await at_rest(stack, mongo)
    return Story(an, jan, words, before, documents)


@asynccontextmanager
async def older_dump(stack: Stack, mongo: Client, copy: Copy) -> AsyncIterator[None]:
    """Put the services' databases back beside the newest keyring while nothing runs; in the end everything runs again."""
    await asyncio.to_thread(stack.stop, *APIS, *WORKERS)
    try:
        await asyncio.to_thread(copy.restore, mongo, SERVICES)
        yield
    finally:
        await asyncio.to_thread(stack.start, *APIS, *WORKERS)


async def first_answer(stack: Stack, service: str) -> int:
    """Start an API and wait for the first answer that is one."""
    url = f"http://127.0.0.1:{stack.instance.service_port(service, 'api')}/api/{service}/v1/{GUARDED[service]}"
    await asyncio.to_thread(stack.launch, f"{service}-api")
    async with httpx.AsyncClient(trust_env=False) as client:

        async def answers() -> int | None:
            try:
                status = (await client.get(url)).status_code
            except httpx.TransportError:
                return None
            return None if status == httpx.codes.SERVICE_UNAVAILABLE else status

        return await eventually(answers, timeout=60, every=0.01)


async def test_r31_of_two_people_whose_addresses_look_alike_only_one_is_erased(story: Story, mongo: Client) -> None:
    """One address is the end of the other."""
    assert story.jan.email.endswith(story.an.email)
    assert left_of(mongo, story.an.actor.subject) == {}
    assert lasting(mongo, story.jan) == story.documents


@STOPS_EVERYTHING
async def test_r31_an_older_dump_and_every_topic_from_its_beginning_bring_nobody_back(
    story: Story, stack: Stack, mongo: Client, portal: Portal
) -> None:
    an, mails = story.an.actor.subject, len(await portal.mailbox.all(story.an.email))
    async with older_dump(stack, mongo, story.before):
        assert {database for database, _ in left_of(mongo, an)} == set(SERVICES)
        await rewind(stack.kafka)
        for service in SERVICES:
            assert await first_answer(stack, service) == httpx.codes.UNAUTHORIZED
            assert left_of(mongo, an, [service]) == {}
    await at_rest(stack, mongo)
    assert left_of(mongo, an) == {}
    assert lasting(mongo, story.jan) == story.documents
    assert len(await portal.mailbox.all(story.an.email)) == mails


@asynccontextmanager
async def one_worker(stack: Stack, service: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    """A service's worker from its composition root; nothing of it runs but what the test does with it."""
    for name, value in stack.environment(service).items():
        monkeypatch.setenv(name, value)
    worker = worker_of(service)(settings_of(service))
    try:
        yield worker
    finally:
        await worker.close()


@STOPS_EVERYTHING
async def test_r31_whatever_was_said_of_somebody_in_whatever_order_brings_them_not_back(
    story: Story, stack: Stack, mongo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inbox knows nothing of them any more either, so that every event is new."""
    an = story.an.actor.subject
    since = await read_topic(stack.kafka, *(topic.name for topic in TOPICS))
    said = [one for one in [*story.before.records, *since] if names(one, an)]
    async with older_dump(stack, mongo, story.before):
        for service in SERVICES:
            async with one_worker(stack, service, monkeypatch) as worker:
                assert worker.before is not None
                await worker.before()
                mongo[service].inbox.delete_many({"_id": {"$regex": an}})
                events = [one for record in said if isinstance(one := as_decoded(worker.consumer, record), Incoming)]
                assert events
                for event in sorted(events, key=by_chance):
                    await worker.consumer.apply([event])
    await at_rest(stack, mongo)
    assert left_of(mongo, an) == {}
    assert lasting(mongo, story.jan) == story.documents


def by_chance(event: Incoming[Any]) -> bytes:
    """A place in an order that has nothing to do with the events', and is the same for the same ones."""
    return sha256(f"{SEED} {event.id}".encode()).digest()


def names(record: "ConsumerRecord[bytes, bytes]", subject: str) -> bool:
    return subject.encode() in (record.key or b"") + (record.value or b"")


async def test_r31_nothing_that_would_name_an_erased_person_lies_anywhere(
    story: Story, stack: Stack, collector: Collector, tmp_path: Path
) -> None:
    """Databases with journal and oplog, topics, every log, what waits to be mailed, and the traces of the whole life.

    An id and a path of the API may stand there, and are found: so would be what may not.
    """
    spans, id_, path = tmp_path / "spans", story.an.actor.subject, f"/api/{ERASE}"

    def scan() -> list[Finding]:
        spans.write_bytes(b"\n".join(collector.bodies))
        flush(stack.mongo_url())
        return list(search([*all_files(stack.instance), spans], id_, path, *story.canaries))

    found = await asyncio.to_thread(scan)
    folder = stack.instance.folder
    would = {one.path.relative_to(folder).parts[0] for one in found if one.text == id_ and one.path != spans}
    assert would >= {"kafka", "mongod", "logs"}
    assert [one for one in found if one.text == path and one.path == spans]
    told = [f"{one.text} as {one.encoding} in {one.path} at {one.offset}" for one in found if one.text not in {id_, path}]
    assert not told


async def test_r31_an_old_copy_of_everything_but_the_master_keys_goes_dark(story: Story, stack: Stack, tmp_path: Path) -> None:
    """After 14 days, for everybody in it: the living are read from the living system, where their keys lie under a newer one."""
    then = {service: story.before.rebuild_store(service, tmp_path / service) for service in SERVICES}
    now = {service: store_of(stack, service) for service in SERVICES}
    for who in (story.an, story.jan):
        loot = await break_in(story.before, then, who.actor.subject)
        text = b"\n".join(loot.opened.values()).decode()
        assert not loot.shut
        assert who.email in text
    await asyncio.to_thread(stack.turn, timedelta(days=14))
    old = [now[service] / epoch for service, epochs in story.before.master_keys.items() for epoch in epochs]
    await eventually(lambda: not any(epoch.exists() for epoch in old), timeout=90)
    for who in (story.an, story.jan):
        loot = await break_in(story.before, now, who.actor.subject)
        assert not loot.opened
        assert loot.shut
    profile = ok(await story.jan.actor.get("profiles/v1/me/profile")).json()
    assert profile["identity"]["given_name"] == story.jan.person.profile["identity"]["given_name"]
    assert ok(await story.jan.actor.get("notifications/v1/searches")).json()["items"]
