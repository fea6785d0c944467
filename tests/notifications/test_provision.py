"""Who is let in at Kafka by the command, and what Kafka itself refuses them (R36)."""

import argparse
import stat
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from chassis.background import running
from chassis.ids import new_handle, new_id
from chassis.kafka import Kafka, ensure_topics
from chassis.process import chosen, tasks_of
from chassis.provisioning import Administrator
from confluent_kafka import KafkaException
from contracts.identity.organisation import OrganisationEvent
from contracts.notifications.bank import BankEvent
from contracts.notifications.organisation import EVERY_HANDLE, ForOrganisationEvent
from contracts.profiles.profile import SAMPLES
from localstack import kafka as local_kafka
from notifications import provision
from notifications.app import build_worker
from notifications.outward import store
from notifications.provision import Provisioning, RefusedError, grants, user_of
from testkit.parts import TEST, fresh_name, kafka_settings
from testkit.probe import read_topic
from testkit.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def organisation(name: str, *, access: bool = True) -> OrganisationEvent:
    return OrganisationEvent(organisation=name, name="De Steiger", state="active", bank_access=access, members=())


@pytest.fixture
def work(world, kafka: Kafka) -> Provisioning:
    return Provisioning.over(world.mongo, world.parts.outward, kafka)


@pytest.fixture
async def name(world) -> str:
    """An organisation with access to the bank."""
    made = fresh_name("1").replace("-", "")
    await world.hear(organisation(made))
    return made


def own_topic(organisation: str) -> str:
    return ForOrganisationEvent.topic.of(organisation).name


def login(kafka: Kafka, organisation: str, password: str | None) -> Kafka:
    return Kafka(kafka.servers, user_of(organisation), password or "")


async def test_a_follower_reads_the_bank_and_its_own_topic_and_no_other(work, kafka, name):
    follower = login(kafka, name, await work.admit(name))
    other = f"{name}0"
    await ensure_topics(kafka, [ForOrganisationEvent.topic.of(other)])
    assert await read_topic(follower, own_topic(name)) == []
    assert await read_topic(follower, BankEvent.topic.name) is not None
    for topic in (own_topic(other), "profiles.profile.v1", "identity.account.v1"):
        with pytest.raises(TopicAuthorizationFailedError):
            await read_topic(follower, topic)


async def test_another_organisations_credential_is_refused_by_kafka_itself(world, work, kafka, name):
    other = f"{name}0"
    await world.hear(organisation(other))
    await work.admit(name)
    stranger = login(kafka, other, await work.admit(other))
    with pytest.raises(TopicAuthorizationFailedError):
        await read_topic(stranger, own_topic(name))
    with pytest.raises(KafkaError):
        await read_topic(login(kafka, name, stranger.password), own_topic(name))
    consumer = AIOKafkaConsumer(own_topic(other), **stranger.arguments, group_id=f"organisation.{name}.group")
    with pytest.raises(KafkaError):
        await consumer.start()
    await consumer.stop()


async def test_what_the_service_writes_as_itself_is_read_by_the_organisation_that_it_is_for(world, work, kafka, name):
    """The worker's relay with the service's own user, on a topic that the administrator made."""
    follower, handle, person = login(kafka, name, await work.admit(name)), new_handle(), new_id()
    shown = SAMPLES[0].model_copy(update={"subject": person, "handle": handle})
    await world.hear(shown, shown.model_copy(update={"in_bank": False}))
    told = world.settings.model_copy(update=kafka_settings(local_kafka.login(TEST, "notifications")))
    worker = build_worker(told, made=replace(world.made, settings=told))

    async def arrived():
        return [one for one in await read_topic(follower, own_topic(name)) if one.key == handle.encode()]

    async with running(tasks_of(worker, chosen(worker, ["relay"]))):
        await eventually(arrived, timeout=40)
    [record] = await arrived()
    headers = {header: value.decode() for header, value in record.headers}
    assert (headers["ce_source"], headers["ce_type"]) == ("/notifications", ForOrganisationEvent.topic.event_type)
    assert ForOrganisationEvent.model_validate_json(record.value).up_to == 2
    of_bank = [one for one in await read_topic(follower, BankEvent.topic.name) if one.key == handle.encode()]
    assert [BankEvent.model_validate_json(one.value).state for one in of_bank] == ["appeared", "gone"]


async def test_a_follower_writes_nothing(work, kafka, name):
    await work.admit(name)
    writing = [one for one in grants(name, bank=True) if one.operation.name != "READ"]
    assert writing == []
    assert Administrator(kafka).grants(user_of(name)) == grants(name, bank=True)


async def test_done_twice_it_is_done_once_and_the_password_stays(work, kafka, name):
    password = await work.admit(name)
    assert await work.admit(name) is None
    assert await read_topic(login(kafka, name, password), own_topic(name)) == []
    newer = await work.admit(name, new_password=True)
    assert newer not in {None, password}
    assert await read_topic(login(kafka, name, newer), own_topic(name)) == []


@pytest.mark.parametrize("known", [False, True])
async def test_who_may_not_see_the_bank_is_not_let_in(world, work, kafka, known):
    name = new_id()
    if known:
        await world.hear(organisation(name, access=False))
    with pytest.raises(RefusedError):
        await work.admit(name)
    assert Administrator(kafka).grants(user_of(name)) == frozenset()
    assert await store.follower(world.mongo, name) is None


async def test_who_lost_its_access_reads_only_what_to_forget_and_gets_it_back(world, work, kafka, name):
    follower = login(kafka, name, await work.admit(name))
    await world.hear(organisation(name, access=False))
    assert await work.reconcile() == {name: False}
    with pytest.raises(TopicAuthorizationFailedError):
        await read_topic(follower, BankEvent.topic.name)
    assert await read_topic(follower, own_topic(name)) == []
    assert (await store.follower(world.mongo, name))["reads_bank"] is False
    await world.hear(organisation(name))
    assert await work.reconcile() == {name: True}
    assert await read_topic(follower, BankEvent.topic.name) is not None


async def test_who_is_revoked_comes_in_no_more_and_is_asked_nothing(world, work, kafka, name):
    follower = login(kafka, name, await work.admit(name))
    await world.hear(organisation(name, access=False))
    assert await work.revoke(name) == 1
    assert await work.revoke(name) == 0
    with pytest.raises(KafkaError):
        await read_topic(follower, own_topic(name))
    administrator = Administrator(kafka)
    assert administrator.grants(user_of(name)) == frozenset()
    users = administrator._client.describe_user_scram_credentials([user_of(name)])
    assert users[user_of(name)].result().scram_credential_infos, "a broker of Kafka 4.3 can lose all users when one is deleted"
    assert (await store.forget(world.mongo, name, EVERY_HANDLE))["state"] == "withdrawn"
    assert await store.followers(world.mongo) == []


async def test_a_service_cannot_let_anybody_in(world, name):
    service = Provisioning.over(world.mongo, world.parts.outward, local_kafka.login(TEST, "notifications"))
    with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
        await service.admit(name)


def typed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    provision.arguments(parser)
    return parser.parse_args(words)


def test_a_dry_run_says_what_it_would_do_and_needs_nobodys_credential(settings, capsys):
    provision.run(settings, typed("--organisation", "org-1", "--dry-run"))
    said = capsys.readouterr().out
    assert "organisation.org-1.v1" in said
    assert "nothing was done" in said


@pytest.mark.parametrize("words", [[], ["--organisation", "a", "--reconcile"], ["--revoke"]])
def test_a_command_that_names_nothing_or_two_things_is_wrong(words):
    with pytest.raises(SystemExit) as ended:
        typed(*words)
    assert ended.value.code == 2


def test_the_command_hands_the_password_over_once_in_a_file_that_only_its_owner_reads(
    world, kafka, name, settings, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("KAFKA_ADMIN_USER", kafka.user)
    monkeypatch.setenv("KAFKA_ADMIN_PASSWORD", kafka.password)
    told, file = settings.model_copy(update={"kafka": kafka.servers}), tmp_path / "password"
    provision.run(told, typed("--organisation", name, "--password-to", str(file)))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() not in capsys.readouterr().out
    provision.run(told, typed("--organisation", name))
    assert "was there" in capsys.readouterr().out


def test_the_command_says_why_it_refuses(world, kafka, settings, capsys, monkeypatch):
    monkeypatch.setenv("KAFKA_ADMIN_USER", kafka.user)
    monkeypatch.setenv("KAFKA_ADMIN_PASSWORD", kafka.password)
    with pytest.raises(SystemExit) as ended:
        provision.run(settings.model_copy(update={"kafka": kafka.servers}), typed("--organisation", new_id()))
    assert ended.value.code == 1
    assert "may see the bank" in capsys.readouterr().out
