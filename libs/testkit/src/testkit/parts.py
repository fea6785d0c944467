"""The real Kafka and MongoDB for tests, as session fixtures.

They belong to the instance `test` of the local stack: the first run starts it, later runs find it (`make stop` ends it).
Runs share it, so each test takes names and subject ids of its own: `fresh_name` for databases and groups, and for topics that
no contract fixes.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from chassis.ids import new_id
from localstack import kafka as local_kafka
from localstack import mongo as local_mongo
from localstack.instance import ensure
from localstack.kafka import QUICK_COMPACTION, create_topics
from localstack.layout import Instance
from pymongo import MongoClient

__all__ = ["QUICK_COMPACTION", "create_topics", "fresh_name", "kafka", "mongo_database", "mongo_url"]

TEST = Instance("test")


def fresh_name(prefix: str) -> str:
    """A name that nobody has used: `<prefix>-<random>`."""
    return f"{prefix}-{new_id().replace('-', '')[-20:]}"


@pytest.fixture(scope="session")
def kafka() -> str:
    """The address at which clients of the real Kafka begin."""
    ensure(TEST, ["kafka"])
    return local_kafka.bootstrap(TEST)


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
