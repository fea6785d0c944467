"""The images that docker-compose.yml names do what we need. Runs where a Docker engine answers, else says why not."""

import gc
import smtplib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

import docker
import httpx
import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from chassis.kafka import Kafka
from docker.errors import DockerException
from localstack.layout import ROOT
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testkit.parts import create_topics, fresh_name
from testkit.ports import free_port
from testkit.waiting import eventually

COMPOSE: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def engine_is_missing() -> str:
    """Why there is no Docker engine here, or nothing when one answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        why = _no_answer()
        gc.collect()  # a client that finds no engine leaves its socket open, and a later test would be blamed for it
    return why


def _no_answer() -> str:
    try:
        client = docker.from_env()
        client.ping()
        client.close()
    except DockerException as error:
        return f"no Docker engine answers ({type(error).__name__})"
    return ""


testcontainers_config.ryuk_disabled = True  # each container ends with its block; the reaper's image would be one more to fetch
REASON = engine_is_missing()
pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(bool(REASON), reason=REASON),
    pytest.mark.timeout(300),
    # docker's client leaves its socket to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextmanager
def container(name: str, ports: dict[int, int], **environment: str) -> Iterator[DockerContainer]:
    """A service of docker-compose.yml on other ports."""
    service = COMPOSE[name]
    started = DockerContainer(service["image"], hostname=name)
    for variable, value in {**service.get("environment", {}), **environment}.items():
        started.with_env(variable, str(value))
    for inside, outside in ports.items():
        started.with_bind_ports(inside, outside)
    if "command" in service:
        started.with_command(service["command"])
    with started:
        yield started


async def test_kafka_takes_a_transaction_and_gives_it_back() -> None:
    port = free_port()
    names = {"KAFKA_ADVERTISED_LISTENERS": f"HOST://localhost:{port},INSIDE://kafka:9094"}
    with container("kafka", {9092: port}, **names) as started:
        await eventually(lambda: answers_health_check(started, "kafka"), timeout=120, every=1)
        kafka, topic = Kafka(f"localhost:{port}"), fresh_name("containers")
        await create_topics(kafka, [topic], partitions=1)
        producer = AIOKafkaProducer(**kafka.arguments, transactional_id=fresh_name("containers"))
        async with producer, producer.transaction():
            await producer.send_and_wait(topic, b"value", key=b"key")
        consumer = AIOKafkaConsumer(topic, **kafka.arguments, auto_offset_reset="earliest", isolation_level="read_committed")
        async with consumer:
            record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")


async def test_mongo_runs_transactions_that_a_killed_process_does_not_hold_for_long() -> None:
    port = free_port()
    with container("mongo", {27017: port}) as started:
        await eventually(lambda: answers_health_check(started, "mongo"), timeout=120, every=1)
        url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        with MongoClient[dict[str, Any]](url) as client, client.start_session() as session:
            with session.start_transaction():
                client.things.kept.insert_one({"_id": 1}, session=session)
            with pytest.raises(DuplicateKeyError):
                write_and_fail(client.things.kept, session)
            assert [thing["_id"] for thing in client.things.kept.find()] == [1]
            limit = client.admin.command("getParameter", transactionLifetimeLimitSeconds=1)
    assert limit["transactionLifetimeLimitSeconds"] == 10


async def test_a_sent_mail_is_shown() -> None:
    smtp, web = free_port(), free_port()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bank@kandidatenbank.example", "sanne@kandidaat.example", "Hallo"
    message.set_content("Dag Sanne")
    with container("mail", {1025: smtp, 1080: web}):
        mails = f"http://127.0.0.1:{web}/email"
        await eventually(lambda: shown(mails) is not None, timeout=60)
        with smtplib.SMTP("127.0.0.1", smtp) as connection:
            connection.send_message(message)
        subjects = await eventually(lambda: shown(mails), timeout=10)
    assert subjects == ["Hallo"]


def write_and_fail(kept: Collection[dict[str, Any]], session: ClientSession) -> None:
    with session.start_transaction():
        kept.insert_one({"_id": 2}, session=session)
        kept.insert_one({"_id": 1}, session=session)


def answers_health_check(started: DockerContainer, name: str) -> bool:
    """Whether the health check of docker-compose.yml succeeds in the container."""
    check = COMPOSE[name]["healthcheck"]["test"]
    command = check[1:] if isinstance(check, list) else ["sh", "-c", check]
    return bool(started.exec(command).exit_code == 0)


def shown(url: str) -> list[str] | None:
    """The subjects of the mails that the catcher shows; nothing as long as it does not answer."""
    try:
        return [mail["subject"] for mail in httpx.get(url, trust_env=False).raise_for_status().json()]
    except httpx.HTTPError:
        return None
