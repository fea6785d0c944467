"""The real Kafka and MongoDB for tests, as session fixtures.

They belong to the instance `test` of the local stack: the first run starts it, later runs find it (`make stop` ends it).
Runs share it, so each test takes names and subject ids of its own: `fresh_name` for databases and groups, and for topics that
no contract fixes.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from chassis.ids import new_id
from chassis.kafka import Kafka
from localstack import kafka as local_kafka
from localstack import mongo as local_mongo
from localstack.instance import ensure
from localstack.kafka import QUICK_COMPACTION, create_topics
from localstack.layout import Instance
from pydantic import SecretStr
from pymongo import MongoClient

__all__ = ["QUICK_COMPACTION", "create_topics", "fresh_name", "kafka", "kafka_settings", "mongo_database", "mongo_url"]

TEST = Instance("test")


def fresh_name(prefix: str) -> str:
    """A name that nobody has used: `<prefix>-<random>`."""
    return f"{prefix}-{new_id().replace('-', '')[-20:]}"


@pytest.fixture(scope="session")
def kafka() -> Kafka:
    """The real Kafka, and the administrator's login: a test makes topics under names that no user of a service may have."""
    ensure(TEST, ["kafka"])
    return local_kafka.login(TEST)


def kafka_settings(kafka: Kafka) -> dict[str, Any]:
    """What the settings of a service say about this Kafka and login."""
    return {"kafka": kafka.servers, "kafka_user": kafka.user, "kafka_password": SecretStr(kafka.password)}


@pytest.fixture(scope="session")
def mongo_url() -> str:
    """The connection string of the real MongoDB's root user, without a database."""
    ensure(TEST, ["mongod"])
    return local_mongo.url(TEST)


@pytest.fixture
def mongo_database(mongo_url: str) -> Iterator[str]:
    """The name of a database of this test's own, dropped after it."""
    name = fresh_name("t")
    yield name
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(name)
