"""The processes of an instance: how each is started and how one sees that it is ready."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from localstack import kafka, mongo
from localstack.layout import Instance


@dataclass(frozen=True)
class Program:
    """One process. `command` is called in the process itself, just before it becomes the program."""

    name: str
    command: Callable[[Instance], list[str]]
    ready: Callable[[Instance], bool]
    environment: Callable[[Instance], dict[str, str]] = lambda _: {}
    patience: int = 60  # seconds until `up` gives up waiting


def kafka_answers(instance: Instance) -> bool:
    """Whether the broker listens; it opens its port when it has registered."""
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex(("127.0.0.1", instance.port("kafka"))) == 0


def programs() -> list[Program]:
    """All processes in the order in which they start; they stop in the reverse order."""
    return [
        Program("kafka", kafka.command, kafka_answers),
        Program("mongod", mongo.command, mongo.answers),
    ]


BACKING = ["kafka", "mongod"]
