"""Breaks into an old copy as somebody would who took everything but the key service's own store.

Knowing the code, they unwrap every data key and every private sealing key that the given store opens, and try these on each box
that the copy holds of one person: in the databases and in the topics.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chassis.crypto import DataKey, UnreadableError, decrypt
from chassis.keyfolder import KeyFolder
from chassis.wrapped import DATA_KEYS, SEALING_KEYS, unwrap
from contracts.topics import SERVICES
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from testkit.copies import Copy

_SHORTEST = 29
"""Version, nonce and tag of a box: what is shorter holds nothing."""


@dataclass
class Loot:
    """What came of it: texts by where their boxes lay, and the boxes that stayed shut."""

    opened: dict[str, bytes] = field(default_factory=dict)
    shut: set[str] = field(default_factory=set)

    def note(self, where: str, text: bytes | None) -> None:
        """Write down one box."""
        if text is None:
            self.shut.add(where)
        else:
            self.opened[where] = text


async def break_in(copy: Copy, stores: dict[str, Path], subject: str) -> Loot:
    """Try to open all that a copy holds of a person, with what these stores of the key services hold."""
    loot = Loot()
    for service in SERVICES:
        rows = [row for row in _kept(copy, service, DATA_KEYS) if row["subject"] == subject]
        keys = [DataKey(raw) for raw in await _unwrapped(stores[service], DATA_KEYS, rows)]
        for collection, documents in copy.databases[service].items():
            for document in documents:
                for where, box, paths in _boxes(document, subject, ()):
                    loot.note(f"{service}.{collection}{where}", _tried(keys, box, subject, paths))
    await _open_topics(copy, stores["notifications"], subject, loot)
    return loot


async def _open_topics(copy: Copy, store: Path, subject: str, loot: Loot) -> None:
    private = await _unwrapped(store, SEALING_KEYS, _kept(copy, "notifications", SEALING_KEYS))
    openers = [SealedBox(PrivateKey(raw)) for raw in private]
    for record in copy.records:
        if record.value and subject.encode() in (record.key or b"") + record.value:
            sealed = json.loads(record.value).get("sealed")
            if sealed:
                where = f"{record.topic}/{record.partition}/{record.offset}"
                loot.note(where, _unsealed(openers, base64.b64decode(sealed["box"])))


def _kept(copy: Copy, service: str, collection: str) -> list[dict[str, Any]]:
    return [row for row in copy.databases[f"{service}_keyring"].get(collection, []) if "wrapped" in row]


async def _unwrapped(store: Path, collection: str, rows: list[dict[str, Any]]) -> list[bytes]:
    """What of these rows opens."""
    return [one for one in await unwrap(KeyFolder(store), collection, rows) if isinstance(one, bytes)]


def _boxes(value: Any, subject: str, names: tuple[str, ...]) -> Iterator[tuple[str, bytes, list[str]]]:
    """Give each box of a document that names the person: where it stands, and the paths to which it may be bound."""
    if not names and subject.encode() not in repr(value).encode():
        return
    if isinstance(value, bytes) and len(value) >= _SHORTEST:
        yield "/" + "/".join(names), value, []
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _boxes(one, subject, (*names, str(number)))
    elif isinstance(value, dict):
        near = [text for one in value.values() if isinstance(one, str) for text in (one, f"criteria:{one}")]
        for name, one in value.items():
            for where, box, paths in _boxes(one, subject, (*names, name)):
                yield where, box, [*paths, name, *near]


def _tried(keys: list[DataKey], box: bytes, subject: str, paths: list[str]) -> bytes | None:
    for key in keys:
        for path in paths:
            try:
                return decrypt(key, box, subject=subject, path=path)
            except UnreadableError:
                continue
    return None


def _unsealed(openers: list["SealedBox[PrivateKey]"], box: bytes) -> bytes | None:
    for opener in openers:
        try:
            return opener.decrypt(box)
        except CryptoError:
            continue
    return None
