"""Master keys in a folder, one file for each epoch: the file's name is the epoch's first day, its text the key in base64.

All processes of a service see the same folder; it may be read-only for those that run no jobs. It is looked at for each call
and nothing is kept that is not there any more, so a destroyed key is gone from every process with the next call.
"""

import asyncio
import base64
import os
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from chassis.crypto import KEY_BYTES, DataKey, UnreadableError, decrypt, encrypt
from chassis.ids import new_id, random_bytes
from chassis.keyservice import Epoch, KeyServiceError, Secret, Trouble, Unopened, Wrapped

T = TypeVar("T")
PATH = "wrapped"


class KeyFolder:
    """The key service in a folder that only the service's own user may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, DataKey] = {}

    async def held(self) -> list[Epoch]:
        """Return the epochs that lie in the folder."""
        return sorted(Epoch(date.fromisoformat(name), name) for name in self._read())

    async def wrap(self, secrets: Sequence[Secret]) -> list[Wrapped]:
        """Wrap under the newest epoch."""
        keys = self._read()
        if not keys:
            raise KeyServiceError(Trouble.EMPTY)
        epoch = max(keys)
        return [Wrapped(one.owner, encrypt(keys[epoch], one.plain, subject=one.owner, path=PATH), epoch) for one in secrets]

    async def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes | Unopened]:
        """Open each, or say why not."""
        keys = self._read()
        return [_open(keys.get(one.epoch), one) for one in wrapped]

    async def make(self, first_day: date) -> None:
        """Make the file of an epoch; it is on the disk, whole, before anything can be wrapped with it."""
        if max(self._read(), default="") < first_day.isoformat():
            await asyncio.to_thread(_told, lambda: _write_once(self._folder / first_day.isoformat()))

    async def destroy(self, epoch: str) -> None:
        """Overwrite the file and remove it."""
        await asyncio.to_thread(_told, lambda: _shred(self._folder / epoch))
        self._read()

    async def close(self) -> None:
        """Nothing is open."""

    def _read(self) -> dict[str, DataKey]:
        found = {name: self._keys.get(name) or _told(partial(_key, self._folder / name)) for name in self._names()}
        self._keys = {name: key for name, key in found.items() if key is not None}
        return self._keys

    def _names(self) -> list[str]:
        return [path.name for path in _told(lambda: list(self._folder.iterdir())) if _is_day(path.name)]


def _told(work: Callable[[], T]) -> T:
    """Do something with files; what the disk answers is told without the file's name."""
    try:
        return work()
    except PermissionError:
        raise KeyServiceError(Trouble.REFUSED) from None
    except OSError as error:
        raise KeyServiceError(Trouble.AWAY) from error


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def _key(path: Path) -> DataKey | None:
    """Return the key of a file; None when it is being destroyed, or holds none: whoever needs it is told that it is missing."""
    try:
        return DataKey(base64.b64decode(path.read_text("ascii").strip(), validate=True))
    except (FileNotFoundError, NotBase64, ValueError):
        return None


def _open(key: DataKey | None, one: Wrapped) -> bytes | Unopened:
    if key is None:
        return Unopened.MISSING
    try:
        return decrypt(key, one.box, subject=one.owner, path=PATH)
    except UnreadableError:
        return Unopened.DAMAGED


def _write_once(path: Path) -> None:
    """Write a new key whole under a name of its own and link it: of several that do so at once, the first one stays."""
    draft = path.with_name(f".{path.name}.{new_id()}")
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        file.write(base64.b64encode(random_bytes(KEY_BYTES)))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    _sync(path.parent)


def _shred(path: Path) -> None:
    with suppress(FileNotFoundError):
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Put the folder itself on the disk: a name that was made stays, one that was removed does not come back."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
