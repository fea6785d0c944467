"""Searches the files of Kafka and MongoDB for a text, whatever encoding it lies there in.

It finds what lies in the files as bytes. So the local stack compresses nothing, and whoever searches first shows, with a text
planted on purpose, that it would be found.
"""

import base64
import errno
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from localstack.layout import Instance
from pymongo import MongoClient

_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Finding:
    """Where a text was found."""

    path: Path
    text: str
    encoding: str
    offset: int


def data_files(instance: Instance) -> list[Path]:
    """All files in which Kafka and MongoDB keep what they were told: segments and indexes; collections, journal and oplog."""
    folders = (instance.folder / "kafka", instance.folder / "mongod")
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def all_files(instance: Instance) -> list[Path]:
    """All that an instance keeps anywhere: its data files, every process's log, what they were started with.

    Secrets are left out: no text of a person's is looked for in keys. The mail catcher keeps its mails elsewhere.
    """
    secrets = instance.folder / "secrets"
    return sorted(path for path in instance.folder.rglob("*") if path.is_file() and not path.is_relative_to(secrets))


def flush(mongo_url: str) -> None:
    """Make mongod write a checkpoint; Kafka's segments are read as the broker wrote them, flushed or not."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.admin.command("fsync")


def encodings(text: str) -> dict[str, bytes]:
    """The forms in which a text could lie in a file: each is as long as the text, or longer."""
    plain = text.encode()
    forms = {
        "utf-8": plain,
        "upper": text.upper().encode(),
        "capitalised": text.capitalize().encode(),
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "latin-1": text.encode("latin-1", "replace"),
        "json": json.dumps(text)[1:-1].encode(),
        "url": quote(text).encode(),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "reversed": plain[::-1],
    }
    for shift in range(3):
        forms |= {f"base64+{shift}": _base64(plain, shift), f"base64url+{shift}": _base64(plain, shift, urlsafe=True)}
        forms[f"base64 of utf-16+{shift}"] = _base64(text.encode("utf-16-le"), shift)
    return {name: form for index, (name, form) in enumerate(forms.items()) if form not in list(forms.values())[:index]}


def search(paths: Iterable[Path], *texts: str) -> Iterator[Finding]:
    """Give every text's first place in each file, for each encoding."""
    needles = [(text, name, form) for text in texts for name, form in encodings(text).items()]
    overlap = max((len(form) for _, _, form in needles), default=1) - 1
    for path in paths:
        yield from _search_one(path, needles, overlap)


def _search_one(path: Path, needles: list[tuple[str, str, bytes]], overlap: int) -> Iterator[Finding]:
    left, tail, end = list(needles), b"", 0
    for begin, chunk in _written(path):
        window = tail + chunk if begin == end else chunk  # nothing we look for reaches over a hole
        end = begin + len(chunk)
        for needle in tuple(left):
            at = window.find(needle[2])
            if at >= 0:
                left.remove(needle)
                yield Finding(path, needle[0], needle[1], end - len(window) + at)
        tail = window[max(0, len(window) - overlap) :]


def _written(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give what was written to a file, in chunks. Both servers set files aside, gigabytes that are holes: those are not read."""
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:  # the broker's cleaner was quicker
        return
    with file:
        at = 0
        while (at := _next_data(file.fileno(), at)) >= 0:
            file.seek(at)
            chunk = file.read(_CHUNK)
            if not chunk:
                return
            if chunk.strip(b"\0"):
                yield at, chunk
            at += len(chunk)


def _next_data(file: int, at: int) -> int:
    """Return where the next written byte may be, -1 when only a hole follows."""
    try:
        return os.lseek(file, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return -1
        raise


def _base64(plain: bytes, shift: int, *, urlsafe: bool = False) -> bytes:
    """What stays the same of a text in base64 when `shift` bytes stand before it and anything after it."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    coded = encode(b"\0" * shift + plain)
    first = -(-shift * 8 // 6)
    last = (shift + len(plain)) * 8 // 6
    return coded[first:last]
