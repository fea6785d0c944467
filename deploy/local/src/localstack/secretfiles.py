"""Secrets of an instance: made once at random, kept as files that only their owner reads, never in the tree."""

import base64
from collections.abc import Callable
from pathlib import Path

from chassis.ids import new_secret, random_bytes

from localstack.layout import Instance


def secret_file(instance: Instance, name: str) -> Path:
    """The file of a secret text (a password), made when it is not there yet."""
    return _once(instance, name, new_secret)


def key_file(instance: Instance, name: str) -> Path:
    """The file of a 32-byte key in base64, made when it is not there yet."""
    return _once(instance, name, lambda: base64.b64encode(random_bytes(32)).decode())


def secret(instance: Instance, name: str) -> str:
    """The text of a secret."""
    return secret_file(instance, name).read_text()


def _once(instance: Instance, name: str, make: Callable[[], str]) -> Path:
    path = instance.folder / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(make())
    return path
