"""mongod as a replica set of one node, with a user per service who may use that service's databases and no others."""

from pathlib import Path
from typing import Any

from fiftyone import db as wheel
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from localstack.layout import Instance, services, stack
from localstack.secretfiles import key_file, secret

Client = MongoClient[dict[str, Any]]
REPLICA_SET = "rs0"
ALREADY_INITIALIZED = 23


def url(instance: Instance, user: str = "root", database: str = "") -> str:
    """The connection string of a user: root administers, `<service>` and `<service>_keyring` own a database each."""
    host = f"127.0.0.1:{instance.port('mongod')}"
    return f"mongodb://{user}:{secret(instance, f'mongo-{user}')}@{host}/{database}?replicaSet={REPLICA_SET}&authSource=admin"


def command(instance: Instance) -> list[str]:
    """What starts the server."""
    program = Path(wheel.__path__[0]) / "bin" / "mongod"
    program.chmod(0o755)  # the wheel forgets the run bit
    data = instance.folder / "mongod"
    data.mkdir(parents=True, exist_ok=True)
    settings = stack()["mongod"]
    parameters = [
        # what a killed process held in a transaction is free again after 10 s, not 60
        "transactionLifetimeLimitSeconds=10",
        "diagnosticDataCollectionEnabled=false",
        # only tests may inject failures (failCommand)
        *(["enableTestCommands=1"] if instance.name == "test" else []),
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
        f"--port={instance.port('mongod')}",
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


def answers(instance: Instance) -> bool:
    """Whether the server is a primary that knows our users; makes replica set and users the first time."""
    try:
        with Client(url(instance), serverSelectionTimeoutMS=300, connectTimeoutMS=500) as client:
            client.admin.command("ping")
            return True
    except PyMongoError:
        return _begin(instance)


def _begin(instance: Instance) -> bool:
    """Initiate and create the users where that has not happened; from this machine it is allowed while there is no user."""
    try:
        with Client("127.0.0.1", instance.port("mongod"), directConnection=True, serverSelectionTimeoutMS=300) as client:
            _initiate(client, instance)
            if client.admin.command("hello")["isWritablePrimary"]:
                _create_users(client, instance)
                return True
    except PyMongoError:
        return False  # still starting, or still electing itself
    return False


def _initiate(client: Client, instance: Instance) -> None:
    member = {"_id": 0, "host": f"127.0.0.1:{instance.port('mongod')}"}
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
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
