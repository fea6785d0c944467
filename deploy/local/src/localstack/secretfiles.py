"""Secrets of an instance: made once at random, kept as files that only their owner reads, never in the tree."""

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chassis.ids import new_secret, random_bytes

from localstack.layout import Instance


def secret_file(instance: Instance, name: str) -> Path:
    """The file of a secret text (a password), made when it is not there yet."""
    return _once(instance, name, new_secret)


def key_file(instance: Instance, name: str) -> Path:
    """The file of a 32-byte key in base64, made when it is not there yet."""
    return _once(instance, name, lambda: base64.b64encode(random_bytes(32)).decode())


def key_folder(instance: Instance, name: str) -> Path:
    """The folder of a service's master keys; the service itself makes and destroys what lies in it."""
    folder = instance.folder / "secrets" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def secret(instance: Instance, name: str) -> str:
    """The text of a secret."""
    return secret_file(instance, name).read_text()


def note(instance: Instance, name: str, text: str) -> Path:
    """The file of a text that is derived from a secret, as a connection string; written anew on each start."""
    path = _once(instance, name, lambda: text)
    if path.read_text() != text:
        path.write_text(text)
    return path


def _once(instance: Instance, name: str, make: Callable[[], str]) -> Path:
    path = instance.folder / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # several processes start at once: the file is there whole or not at all, and the first one stays
        draft = path.with_name(f"{name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path
