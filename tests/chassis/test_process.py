"""Real processes: they start while everything is down, say what they miss, and stop without losing what they hold."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from chassis.clock import Clock
from chassis.kafka import Kafka
from chassis.mongo import Mongo
from chassis.wrapped import DATA_KEYS, SEALING_KEYS
from localstack.figures import Page
from testkit.counters import fresh_stream, prepare, raise_counter
from testkit.keys import folder_of_keys
from testkit.waiting import eventually

pytestmark = pytest.mark.integration
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NOBODY = "mongodb://127.0.0.1:9/?directConnection=true"
NOWHERE = Kafka("127.0.0.1:9")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sample:
    """One process of the sample service."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
        self.process, self.port = process, port
        self.started, self.release, self.log = folder / "started", folder / "release", folder / "log"
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10)

    async def status(self, path: str) -> int:
        try:
            return (await self.http.get(path)).status_code
        except httpx.TransportError:
            return 0

    async def lives(self) -> None:
        await eventually(lambda: self._is(200, "/health/live"), timeout=30)

    async def is_ready(self) -> None:
        await eventually(lambda: self._is(200, "/health/ready"), timeout=30)

    async def _is(self, status: int, path: str) -> bool:
        return await self.status(path) == status

    async def missing(self) -> list[str]:
        found: list[str] = (await self.http.get("/health/ready")).json()["missing"]
        return found

    async def stop(self, *, within: float = 10) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), within)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


Start = Callable[..., Any]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    started: list[Sample] = []

    async def start_one(*arguments: str, mongo: str = NOBODY, kafka: Kafka = NOWHERE, port: int = 0, **more: str) -> Sample:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        port = port or free_port()
        told = {
            "MONGO_URL": mongo,
            "KEYRING_URL": mongo,
            "MASTER_KEYS": str(folder_of_keys(tmp_path)),
            "HASH_KEY": KEY,
            "PRODUCTION": "false",
            "KAFKA": kafka.servers,
            "KAFKA_USER": kafka.user,
            "KAFKA_PASSWORD": kafka.password,
        }
        told |= {"PORT": str(port), "WORKER_PORT": str(port)} | more
        environment = os.environ | {f"SAMPLE_{name}": value for name, value in told.items()}
        environment |= {
            "STARTED": str(folder / "started"),
            "RELEASE": str(folder / "release"),
            "STREAM": more.get("MONGO_DATABASE", "s"),
        }
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, Path(__file__).with_name("sample_process.py"), *arguments, env=environment, stdout=log, stderr=log
            )
        sample = Sample(process, port, folder)
        started.append(sample)
        return sample

    yield start_one
    for sample in started:
        await sample.http.aclose()
        if sample.process.returncode is None:
            sample.process.kill()
            await sample.process.wait()


@asynccontextmanager
async def forwarding(port: int, to: str) -> AsyncIterator[None]:
    """Make a database appear at a port where nobody was."""
    target = urlsplit(to)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def test_an_api_starts_without_its_database_and_finds_it_later(start: Start, mongo_url: str, mongo_database: str) -> None:
    port = free_port()
    there = mongo_url.replace(str(urlsplit(mongo_url).port), str(port))
    sample = await start("api", mongo=there, MONGO_DATABASE=mongo_database)
    await sample.lives()
    assert await sample.missing() == ["mongo"]
    refused = await sample.http.get("/things")
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) > 0
    async with forwarding(port, mongo_url):
        await sample.is_ready()
        assert (await sample.http.get("/things")).json() == {"things": 0}
        assert await sample.stop() == 0


async def test_a_stopping_api_finishes_its_requests(start: Start) -> None:
    sample = await start("api")
    await sample.lives()
    running = asyncio.create_task(sample.http.get("/slow"))
    await eventually(sample.started.exists)
    sample.process.send_signal(signal.SIGTERM)
    await eventually(lambda: sample._is(0, "/health/live"))  # it takes no new ones
    assert not running.done()
    sample.release.touch()
    assert (await running).json() == {"finished": "yes"}
    assert await asyncio.wait_for(sample.process.wait(), 10) == 0


async def test_an_api_does_not_wait_for_ever_for_a_request(start: Start) -> None:
    sample = await start("api", STOP_PATIENCE="PT1S")
    await sample.lives()
    running = asyncio.create_task(sample.http.get("/slow"))
    await eventually(sample.started.exists)
    assert await sample.stop(within=5) == 1
    with pytest.raises(httpx.TransportError):
        await running
    assert sample.lines()[-1]["event"] == "stopped_impatiently"


@pytest.mark.parametrize("what", ["api", "worker"])
async def test_a_process_stops_while_nothing_answers_it(start: Start, what: str) -> None:
    sample = await start(what)
    await sample.lives()
    assert await sample.stop() == 0


async def test_a_process_whose_port_is_taken_ends_with_an_error(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        sample = await start("api", port=taken.getsockname()[1])
        assert await asyncio.wait_for(sample.process.wait(), 20) == 1
    assert sample.lines()[-1]["event"] == "process_failed"


@pytest.mark.parametrize("process", ["api", "worker"])
async def test_a_process_that_lacks_master_keys_refuses_and_names_their_epochs(
    process: str, start: Start, mongo_url: str, mongo_database: str
) -> None:
    mongo = Mongo(mongo_url, database=mongo_database, clock=Clock())
    await mongo.database[DATA_KEYS].insert_many([{"epoch": "2020-01-06"}, {"epoch": "2020-01-13"}, {"destroyed": "long ago"}])
    await mongo.database[SEALING_KEYS].insert_one({"epoch": "2019-12-30"})
    sample = await start(process, mongo=mongo_url, MONGO_DATABASE=mongo_database, KEYRING_DATABASE=mongo_database)
    assert await asyncio.wait_for(sample.process.wait(), 30) == 1
    last = sample.lines()[-1]
    assert (last["event"], last["epochs"]) == ("master_keys_missing", ["2019-12-30", "2020-01-06", "2020-01-13"])
    assert not any(line["event"] == "worker_started" for line in sample.lines())
    await mongo.close()


async def test_a_process_without_its_settings_says_in_one_line_what_it_misses(start: Start) -> None:
    sample = await start("api", HASH_KEY="")
    assert await asyncio.wait_for(sample.process.wait(), 20) == 1
    assert sample.log.read_text() == "SAMPLE_HASH_KEY: Field required\n"


async def test_a_worker_refuses_a_role_that_it_does_not_have(start: Start) -> None:
    sample = await start("worker", "consume", "dance")
    assert await asyncio.wait_for(sample.process.wait(), 20) == 1
    assert "no such role: dance" in sample.lines()[-1]["error_detail"]


async def test_head_has_no_body_and_large_bodies_are_refused_on_the_wire(start: Start) -> None:
    sample = await start("api")
    await sample.lives()
    shown, head = await sample.http.get("/page"), await sample.http.head("/page")
    assert (head.status_code, head.content, shown.status_code) == (200, b"", 200)
    large = await sample.http.post("/things", json={"text": "x" * 5_000_000})
    assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")
    assert (await sample.http.post("/things", json={"text": "x"})).status_code == 201


async def test_an_api_logs_json_without_what_was_sent(start: Start) -> None:
    sample = await start("api")
    await sample.lives()
    await sample.http.post("/things?name=Janneke", json={"text": "Janneke", "email": "janneke@example.nl"})
    await sample.http.get("/things")
    await sample.http.get("/bug")
    await sample.stop()
    assert "anneke" not in sample.log.read_text()
    requests = [line for line in sample.lines() if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in requests] == [("/things", 422), ("/things", 503), ("/bug", 500)]
    assert [line["error"] for line in sample.lines() if line["event"] == "request_failed"] == ["KeyError"]
    assert all(line["request_id"] and line["trace_id"] for line in requests)


async def test_a_worker_starts_without_anything_and_says_what_it_misses(start: Start) -> None:
    sample = await start("worker")
    await sample.lives()
    assert await sample.missing() == ["mongo", "events"]


async def test_a_stopping_worker_finishes_its_batch_commits_and_leaves_the_group(
    start: Start, mongo: Any, mongo_url: str, mongo_database: str, kafka: Kafka
) -> None:
    stream = fresh_stream(name=mongo_database)
    await prepare(mongo, stream, kafka)
    sample = await start("worker", mongo=mongo_url, kafka=kafka, MONGO_DATABASE=mongo_database)
    await sample.is_ready()
    await raise_counter(mongo, stream, "c")
    await eventually(sample.started.exists, timeout=30)
    sample.process.send_signal(signal.SIGTERM)
    await eventually(lambda: any(line["event"] == "worker_stopping" for line in sample.lines()))
    sample.release.touch()
    assert await asyncio.wait_for(sample.process.wait(), 20) == 0
    assert await mongo.find_one("seen", {"_id": "c"}) == {"_id": "c", "applied": 1}
    assert await members_and_commits(kafka, stream.name) == (0, [1])
    assert await mongo.find("leases", {}) == []


async def test_both_processes_tell_metrics_also_while_everything_around_them_is_away(start: Start) -> None:
    api, worker = await start("api"), await start("worker")
    for sample in (api, worker):
        await sample.lives()
        page = await sample.http.get("/metrics", timeout=20)
        assert (page.status_code, Page.read(page.text).get("missing", "mongo")) == (200, 1)
    told = Page.read((await worker.http.get("/metrics", timeout=20)).text)
    assert {source: told.get("unread", source) for source in ("outbox", "set-aside", "freshness", "relay", "health")} == {
        "outbox": 1, "set-aside": 1, "freshness": 1, "relay": 0, "health": 0,
    }  # fmt: skip
    assert told.get("outbox_rows") is None


async def members_and_commits(kafka: Kafka, group: str) -> tuple[int, list[int]]:
    admin = AIOKafkaAdminClient(**kafka.arguments)
    await admin.start()
    try:
        described = (await admin.describe_consumer_groups([group]))[0].to_object()["groups"][0]
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return len(described["members"]), [found.offset for found in offsets.values() if found.offset > 0]
