"""What Kafka itself allows each service's user, and what it refuses."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from chassis.kafka import Kafka, TopicsError, ensure_topics, find_topics
from chassis.provisioning import Administrator, follower_grants, may_follow
from confluent_kafka import KafkaException
from contracts.envelope import HAPPENING, Topic
from contracts.topics import SERVICES, TOPICS, owned_by
from localstack import kafka as local_kafka
from localstack import layout, supervise, users
from localstack.instance import NotReadyError, ensure
from localstack.layout import Instance
from testkit.parts import TEST, create_topics, fresh_name
from testkit.probe import read_topic, send_raw

each_service = pytest.mark.parametrize("service", SERVICES)
OF_IDENTITY = "identity.account.v1"
"""A topic that profiles may read."""


def as_user(name: str) -> Kafka:
    """The real Kafka, as a service's own user."""
    return local_kafka.login(TEST, name)


def topic_named(name: str) -> Topic:
    """A topic of one partition that no contract names."""
    return Topic(name, kind=HAPPENING, key="none", says="Nothing.", followed_by=(), kept=timedelta(days=1), partitions=1)


def followed_in_truth(service: str) -> set[str]:
    """The topics in the service's own list of subscriptions."""
    return {one.topic.name for one in importlib.import_module(f"{service}.app").SUBSCRIPTIONS}


@asynccontextmanager
async def reading(kafka: Kafka, topics: set[str], group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer at the end of a partition of each of these topics; without a group it asks for no right to one."""
    consumer = AIOKafkaConsumer(**kafka.arguments, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0) for topic in topics])
        await consumer.seek_to_end()
        yield consumer
    finally:
        await consumer.stop()


@each_service
async def test_a_service_reads_every_topic_that_it_subscribes_to_in_its_own_group(kafka: Kafka, service: str) -> None:
    followed = followed_in_truth(service)
    await find_topics(as_user(service), followed)
    async with reading(as_user(service), followed, service) as consumer:
        assert await consumer.getmany(timeout_ms=500) is not None
        assert {partition.topic for partition in consumer.assignment()} == followed
        await consumer.committed(TopicPartition(min(followed), 0))


@each_service
async def test_a_service_makes_and_writes_topics_of_its_own_name_as_its_relay_does(kafka: Kafka, service: str) -> None:
    await ensure_topics(as_user(service), [event.topic for event in owned_by(service)])
    topic = topic_named(f"{service}.{fresh_name('users')}.v1")
    await ensure_topics(as_user(service), [topic])
    producer = AIOKafkaProducer(**as_user(service).arguments, transactional_id=f"{service}-{fresh_name('users')}")
    async with producer, producer.transaction():
        await producer.send_and_wait(topic.name, b"value", key=b"key")
    await send_raw(as_user(service), topic.name, b"key", b"without a transaction", [])
    assert [record.value for record in await read_topic(kafka, topic.name)][::2] == [b"value"]


@each_service
async def test_a_service_sees_its_own_topics_and_those_that_it_follows_and_no_others(kafka: Kafka, service: str) -> None:
    known = {event.topic.name for event in owned_by(service)} | followed_in_truth(service)
    await find_topics(as_user(service), known)
    for topic in {one.name for one in TOPICS} - known:
        with pytest.raises(TopicsError, match=f"TopicsError: {topic}: not there"):
            await find_topics(as_user(service), [topic])


async def test_what_a_service_may_read_it_may_not_write(kafka: Kafka) -> None:
    await find_topics(as_user("profiles"), [OF_IDENTITY])
    with pytest.raises(TopicAuthorizationFailedError):
        await send_raw(as_user("profiles"), OF_IDENTITY, b"key", b"forged", [])


async def test_what_a_service_writes_another_reads_only_when_it_follows_it(kafka: Kafka) -> None:
    async with reading(as_user("profiles"), {OF_IDENTITY}) as consumer:
        await consumer.getmany(timeout_ms=500)
    with pytest.raises(TopicAuthorizationFailedError):
        await read_topic(as_user("identity"), "profiles.vacancy.v1")


async def test_a_service_does_not_even_read_its_own_topics(kafka: Kafka) -> None:
    async with reading(as_user("identity"), {OF_IDENTITY}) as consumer:
        with pytest.raises(TopicAuthorizationFailedError):
            await consumer.getmany(timeout_ms=5000)


async def test_a_service_makes_no_topic_of_anothers_name_but_finds_what_is_there(kafka: Kafka) -> None:
    foreign = topic_named(f"identity.{fresh_name('users')}.v1")
    with pytest.raises(TopicsError, match=f"{foreign.name}: TopicAuthorizationFailedError"):
        await ensure_topics(as_user("profiles"), [foreign])
    await ensure_topics(as_user("profiles"), [one for one in TOPICS if one.name == OF_IDENTITY])


async def test_nobody_takes_part_in_anothers_group_or_takes_over_its_relay(kafka: Kafka) -> None:
    consumer = AIOKafkaConsumer(OF_IDENTITY, **as_user("profiles").arguments, group_id="identity")
    with pytest.raises(GroupAuthorizationFailedError):
        await consumer.start()
    await consumer.stop()
    producer = AIOKafkaProducer(**as_user("profiles").arguments, transactional_id="identity-0")
    with pytest.raises(TransactionalIdAuthorizationFailed):
        await producer.start()
    await producer.stop()


async def test_no_service_changes_what_anybody_may_do(kafka: Kafka) -> None:
    service = Administrator(as_user("profiles"))
    with pytest.raises(KafkaException, match="CLUSTER_AUTHORIZATION_FAILED"):
        service.allow("profiles", {may_follow("profiles", "notifications.delivery.v1")})
    with pytest.raises(KafkaException, match="CLUSTER_AUTHORIZATION_FAILED"):
        service.admit("profiles", "another password", frozenset())
    with pytest.raises(TopicAuthorizationFailedError):
        await local_kafka.configure(as_user("profiles"), {OF_IDENTITY: {"retention.ms": "1"}})


@pytest.mark.parametrize("login", [("profiles", "wrong"), ("nobody", "wrong"), ("", "")], ids=["password", "user", "nobody"])
async def test_who_is_not_known_does_not_come_in(kafka: Kafka, login: tuple[str, str]) -> None:
    with pytest.raises(KafkaError):
        await find_topics(Kafka(kafka.servers, *login), [])


async def test_a_follower_reads_its_own_organisations_topic_and_not_one_that_only_begins_like_it(kafka: Kafka) -> None:
    number = fresh_name("1").replace("-", "")
    own, other, user = f"organisation.{number}.v1", f"organisation.{number}0.v1", f"organisation-{number}"
    await create_topics(kafka, [own, other], partitions=1)
    grants = follower_grants(user, topics=[], below=[f"organisation.{number}."], groups_below=f"organisation.{number}.")
    Administrator(kafka).admit(user, "a password", grants)
    follower = Kafka(kafka.servers, user, "a password")
    assert await read_topic(follower, own) == []
    with pytest.raises(TopicAuthorizationFailedError):
        await read_topic(follower, other)
    Administrator(kafka).allow(user, frozenset())
    with pytest.raises(TopicAuthorizationFailedError):
        await read_topic(follower, own)


def test_a_prefix_ends_where_a_name_ends() -> None:
    with pytest.raises(ValueError, match=r"'organisation\.1' would open what only begins like it"):
        follower_grants("x", topics=[], below=["organisation.1"], groups_below="x.")


def test_users_are_brought_up_to_date_at_each_start(kafka: Kafka) -> None:
    administrator = Administrator(kafka)
    for service in SERVICES:
        assert administrator.grants(service) == users.grants(service)
    users.let_follow(TEST, "consent", "profiles.vacancy.v1")
    assert len(administrator.grants("consent") - users.grants("consent")) == 1
    administrator.allow("identity", frozenset())
    ensure(TEST, ["kafka"])
    for service in SERVICES:
        assert administrator.grants(service) == users.grants(service)


def test_the_password_is_no_programs_argument(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "STATE", tmp_path)
    instance = Instance("main")
    password = local_kafka.login(instance).password
    assert password not in " ".join([local_kafka.first(instance), *local_kafka.command(instance)])
    holding = [path for path in instance.folder.rglob("*") if path.is_file() and password in path.read_text()]
    assert len(holding) == 3
    assert {path.stat().st_mode & 0o077 for path in holding} == {0}


def test_data_from_before_there_were_users_is_not_started_but_told(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "STATE", tmp_path)
    monkeypatch.setattr(supervise, "launch", lambda _: pytest.fail("it was started"))
    instance = Instance("test")
    data = instance.folder / "kafka"
    assert not local_kafka.is_older(instance)
    data.mkdir(parents=True)
    (data / "meta.properties").write_text(f"version=1\ncluster.id={local_kafka.CLUSTER_ID}\n")
    assert not local_kafka.is_older(instance)
    (data / "meta.properties").write_text("version=1\ncluster.id=kandidatenbank-local-g\n")
    with pytest.raises(NotReadyError, match="localstack clean --instance test"):
        ensure(instance, ["kafka"])
