"""An old copy of an instance: the documents of all databases, the records of all topics, the master keys of that moment.

What was copied can be put back, as an operator would restore a dump, and can be broken into (`testkit.burglar`).
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord
from contracts.topics import SERVICES, TOPICS
from localstack.secretfiles import key_folder

from testkit.probe import read_topic
from testkit.stack import Stack
from testkit.whereabouts import DATABASES, Client

Rows = dict[str, list[dict[str, Any]]]
"""Documents by collection."""


@dataclass(frozen=True)
class Copy:
    """What there was at one moment. `master_keys` is what only the key service's own store holds: service, epoch, text."""

    databases: dict[str, Rows]
    records: "list[ConsumerRecord[bytes, bytes]]"
    master_keys: dict[str, dict[str, bytes]]

    def restore(self, client: Client, databases: Collection[str]) -> None:
        """Put databases back to what they were; indexes stay."""
        for name in databases:
            for collection in client[name].list_collection_names():
                client[name][collection].delete_many({})
            for collection, rows in self.databases[name].items():
                client[name][collection].insert_many(rows)

    def rebuild_store(self, service: str, folder: Path) -> Path:
        """Write the key service's store of that moment into a folder, and return it."""
        folder.mkdir()
        for epoch, text in self.master_keys[service].items():
            (folder / epoch).write_bytes(text)
        return folder


async def copied(stack: Stack, client: Client) -> Copy:
    """Copy an instance in which nothing moves."""
    return Copy(
        databases=await asyncio.to_thread(_rows, client),
        records=await read_topic(stack.kafka, *(topic.name for topic in TOPICS)),
        master_keys={service: _files(store_of(stack, service)) for service in SERVICES},
    )


def store_of(stack: Stack, service: str) -> Path:
    """Return the folder in which a service's key service keeps the master keys."""
    return key_folder(stack.instance, f"{service}-master-keys")


def _rows(client: Client) -> dict[str, Rows]:
    collections = {name: client[name].list_collection_names() for name in DATABASES}
    return {name: {one: rows for one in each if (rows := list(client[name][one].find()))} for name, each in collections.items()}


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
