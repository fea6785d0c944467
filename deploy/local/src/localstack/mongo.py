"""mongod as a replica set of one node or three, with a user per service who may use that service's databases and no others."""

from pathlib import Path
from typing import Any

from fiftyone import db as wheel
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from localstack.layout import Instance, services, stack
from localstack.secretfiles import key_file, secret

Client = MongoClient[dict[str, Any]]
REPLICA_SET = "rs0"
NODES = ("mongod", "mongod-2", "mongod-3")
ALREADY_INITIALIZED = 23


def nodes(instance: Instance) -> tuple[str, ...]:
    """The names of the instance's nodes."""
    return NODES[: instance.told.get("mongod_nodes", 1)]


def url(instance: Instance, user: str = "root", database: str = "") -> str:
    """The connection string of a user: root administers, `<service>` and `<service>_keyring` own a database each."""
    hosts = ",".join(f"127.0.0.1:{instance.dial(node)}" for node in nodes(instance))
    login = f"{user}:{secret(instance, f'mongo-{user}')}"
    return f"mongodb://{login}@{hosts}/{database}?replicaSet={REPLICA_SET}&authSource=admin&appName={user}"


def command(instance: Instance, node: str = "mongod") -> list[str]:
    """What starts a node."""
    program = Path(wheel.__path__[0]) / "bin" / "mongod"
    program.chmod(0o755)  # the wheel forgets the run bit
    data = instance.folder / node
    data.mkdir(parents=True, exist_ok=True)
    settings = stack()["mongod"]
    parameters = [
        # what a killed process held in a transaction is free again after 10 s, not 60
        "transactionLifetimeLimitSeconds=10",
        "diagnosticDataCollectionEnabled=false",
        # only tests may inject failures (failCommand)
        *(["enableTestCommands=1"] if "failpoints" in instance.told else []),
    ]
    # Nothing is compressed, so that a search of these files for what must not be there could find it.
    plain = [
        "--wiredTigerCollectionBlockCompressor=none",
        "--wiredTigerJournalCompressor=none",
        "--wiredTigerIndexPrefixCompression=false",
    ]
    return [
        str(program),
        f"--dbpath={data}",
        f"--port={instance.port(node)}",
        "--bind_ip=127.0.0.1",
        "--nounixsocket",
        "--quiet",
        f"--replSet={REPLICA_SET}",
        f"--oplogSize={settings['oplog_mb']}",
        f"--wiredTigerCacheSizeGB={settings['cache_gb']}",
        "--auth",
        f"--keyFile={key_file(instance, 'mongo-keyfile')}",
        *plain,
        *(f"--setParameter={parameter}" for parameter in parameters),
    ]


def answers(instance: Instance, node: str) -> bool:
    """Whether a node serves; the first one tells whether a primary knows our users, and makes set and users the first time."""
    if node != NODES[0]:
        return _serves(instance, node)
    try:
        with Client(url(instance), serverSelectionTimeoutMS=300, connectTimeoutMS=500) as client:
            client.admin.command("ping")
            return True
    except PyMongoError:
        return _begin(instance)


def direct(instance: Instance, node: str, **options: Any) -> Client:
    """A connection to one node, whatever it is in its set and whatever stands between."""
    return Client("127.0.0.1", instance.port(node), directConnection=True, serverSelectionTimeoutMS=300, **options)


def _serves(instance: Instance, node: str) -> bool:
    """Whether a node answers; which part it has in the set, the set decides."""
    try:
        with direct(instance, node) as client:
            return bool(client.admin.command("ping")["ok"])
    except PyMongoError:
        return False


def _begin(instance: Instance) -> bool:
    """Initiate and create the users where that has not happened; from this machine it is allowed while there is no user."""
    try:
        with direct(instance, NODES[0]) as client:
            _initiate(client, instance)
        for node in nodes(instance):
            with direct(instance, node) as client:
                if client.admin.command("hello")["isWritablePrimary"]:
                    _create_users(client, instance)
                    return True
    except PyMongoError:
        return False  # still starting, or still electing
    return False


def _initiate(client: Client, instance: Instance) -> None:
    members = [{"_id": number, "host": f"127.0.0.1:{instance.dial(node)}"} for number, node in enumerate(nodes(instance))]
    # three nodes elect sooner than after ten seconds: the fault suite kills the primary again and again
    hurry = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500} if len(members) > 1 else {}
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members, "settings": hurry})
    except OperationFailure as failure:
        if failure.code != ALREADY_INITIALIZED:
            raise


def _create_users(client: Client, instance: Instance) -> None:
    _create_user(client, instance, "root", [{"role": "root", "db": "admin"}])
    with Client(url(instance), serverSelectionTimeoutMS=5000) as administrator:
        for service in services():
            for owner in (service, f"{service}_keyring"):
                _create_user(administrator, instance, owner, [{"role": "readWrite", "db": owner}])


def _create_user(client: Client, instance: Instance, name: str, roles: list[dict[str, str]]) -> None:
    client.admin.command("createUser", name, pwd=secret(instance, f"mongo-{name}"), roles=roles)
