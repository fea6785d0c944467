"""A service's databases as a laboratory: put back to one beginning before each delivery, and looked at after it."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chassis.keyring import Keyring
from chassis.mongo import Mongo
from contracts.topics import SERVICES
from pymongo import MongoClient
from testkit.parts import fresh_name

KEY = b64encode(b"k" * 32).decode()
OWN_AFFAIRS = {"outbox", "leases", "freshness"}
"""Collections that say how far a process is with its work, and nothing about the world."""
BY_CHANCE = {
    "at",
    "made",
    "destroyed",
    "wrapped",
    "epoch",
    "asked_at",
    "due_at",
    "ended_at",
    "attempts",
    "sequence",
    "traceparent",
}
"""Machine times, random bytes, and numbers that count the steps taken: two ways to one end differ in them."""


class Laboratory:
    """Both databases of a service: its own and its keyring's."""

    def __init__(self, mongo: Mongo, keyring: Keyring) -> None:
        self._both, self._keyring = {"own": mongo, "keyring": keyring.mongo}, keyring
        self._beginning: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.expected: Any = None
        """Where the delivery that nobody doubts led to."""

    async def remember(self) -> None:
        """Take the databases as they are now for the beginning."""
        self._beginning = {name: await _all(mongo) for name, mongo in self._both.items()}

    async def begin_again(self) -> None:
        """Put everything back to the beginning, and forget the keys that were made since."""
        for row in await self._keyring.mongo.find("data_keys", {}):
            self._keyring.forget(row["subject"], row["class"])
        for name, mongo in self._both.items():
            for collection in await mongo.database.list_collection_names():
                await mongo.database[collection].delete_many({})
            for collection, rows in self._beginning.get(name, {}).items():
                await mongo.database[collection].insert_many(rows)

    async def stored(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return all state: documents by collection and id, without what is there by chance. Empty collections are left out.

        The inbox is among it, with its sequences: every way must have come equally far.
        """
        found = {name: rows for name, rows in (await _all(self._both["own"])).items() if name not in OWN_AFFAIRS}
        by_id = {name: {row["_id"]: _lasting(row) for row in rows} for name, rows in found.items() if name != "inbox"}
        by_id["inbox"] = {row["_id"]: {"sequence": row["sequence"]} for row in found.get("inbox", [])}
        return {name: rows for name, rows in by_id.items() if rows}

    async def keys(self) -> dict[str, str]:
        """Return which data keys are held, and which are destroyed."""
        rows = await self._both["keyring"].find("data_keys", {})
        return {row["_id"]: "destroyed" if "destroyed" in row else "held" for row in rows}

    def check(self, found: Any) -> None:
        """Fail and show what differs, when this is not where the delivery led to that nobody doubts."""
        differing = list(_differing("", found, self.expected))
        assert not differing, "\n".join(differing)

    async def told(self, topic: str) -> dict[str, dict[str, Any] | None]:
        """Return the last word on each key of a topic, as its followers will have it; a tombstone is None.

        An older word never leaves after a newer one: compaction would keep it.
        """
        words: dict[str, dict[str, Any]] = {}
        for row in await self._both["own"].find("outbox", {"topic": topic}, sort=[("$natural", 1)]):
            assert row["sequence"] > words.get(row["key"], {"sequence": 0})["sequence"], f"{row['key']} goes back"
            words[row["key"]] = row
        return {key: json.loads(row["body"]) if row["body"] else None for key, row in words.items()}


async def _all(mongo: Mongo) -> dict[str, list[dict[str, Any]]]:
    names = sorted(await mongo.database.list_collection_names())
    return {name: rows for name in names if (rows := await mongo.find(name, {}))}


def _differing(where: str, found: Any, expected: Any) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in sorted({*found, *expected}, key=str):
            yield from _differing(f"{where}/{name}", found.get(name), expected.get(name))
    elif found != expected:
        yield f"{where}: {found!r} and not {expected!r}"


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in BY_CHANCE | {"_id"}}
    return {name: _lasting(value) if isinstance(value, dict) else value for name, value in kept.items()}


@pytest.fixture
def laboratory() -> type[Laboratory]:
    """The class, for the fixtures of each service."""
    return Laboratory


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """The file that turns the clock."""
    return tmp_path / "clock"


@pytest.fixture
def turn(clock_file: Path) -> Callable[[int], None]:
    """Turn the clock to so many days from now."""

    def to(days: int) -> None:
        clock_file.write_text(str(days * 86_400))

    return to


@pytest.fixture(scope="module")
def databases(mongo_url: str) -> Iterator[str]:
    """How the names of a module's databases begin."""
    prefix = fresh_name("c")
    yield prefix
    with MongoClient[dict[str, Any]](mongo_url) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                client.drop_database(name)


@pytest.fixture(scope="module")
def master_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a module's master keys."""
    return tmp_path_factory.mktemp("master-keys")


@pytest.fixture
def common(mongo_url: str, databases: str, master_keys: Path, clock_file: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings that are the same for every service; a test that runs for several gives each databases of its own."""
    params = getattr(request.node, "callspec", None)
    service = next((value for value in params.params.values() if value in SERVICES), "") if params else ""
    return {
        "production": False,
        "clock_file": clock_file,
        "mongo_url": mongo_url,
        "mongo_database": f"{databases}{service}",
        "keyring_url": mongo_url,
        "keyring_database": f"{databases}{service}-keyring",
        "master_keys": master_keys,
        "hash_key": KEY,
        "kafka_session": timedelta(seconds=6),
    }
