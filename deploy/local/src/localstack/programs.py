"""The processes of an instance: how each is started and how one sees that it is ready."""

import shlex
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from localstack import between, gateway, kafka, mail, mongo
from localstack import services as own
from localstack.layout import Instance, services

BACKING = ("between", "kafka", *mongo.NODES, "mail", "pages", "gateway")


@dataclass(frozen=True)
class Program:
    """One process. `command` and `environment` are asked when its instance starts; `first` is a shell's line before it."""

    name: str
    port: int
    command: Callable[[], list[str]]
    ready: Callable[[], bool]
    environment: Callable[[], dict[str, str]] = dict
    first: Callable[[], str] = str


def programs(instance: Instance) -> list[Program]:
    """The processes of an instance in the order in which they start; they stop in the reverse order."""
    everything = [*_backing(instance), *_own(instance)]
    return [program for program in everything if instance.parts is None or program.name in instance.parts]


def script(program: Program) -> str:
    """What a shell runs to become the process. It starts sooner than Python, and a person can read it."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in program.environment().items()]
    command = f"exec {shlex.join(program.command())}"
    return "\n".join(["set -eu", *exports, program.first(), command, ""])


def _backing(instance: Instance) -> Iterator[Program]:
    port = instance.port
    if "between" in instance.told:
        yield Program(
            "between",
            instance.dial("mail_smtp"),
            lambda: between.command(instance),
            lambda: _listens(instance.dial("mail_smtp")),
        )
    yield Program(
        "kafka",
        port("kafka"),
        lambda: kafka.command(instance),
        lambda: _listens(port("kafka")),
        first=lambda: kafka.first(instance),
    )
    for node in mongo.nodes(instance):
        yield _node(instance, node)
    yield Program("mail", port("mail_web"), lambda: mail.command(instance), lambda: _ok(mail.web_url(instance)))
    yield Program(
        "pages",
        port("pages"),
        lambda: gateway.pages_command(instance),
        lambda: _ok(gateway.pages_url(instance)),
        lambda: gateway.pages_environment(instance),
    )
    yield Program(
        "gateway",
        port("gateway"),
        lambda: gateway.command(instance),
        lambda: _ok(gateway.ping_url(instance)),
        lambda: gateway.environment(instance),
    )


def _node(instance: Instance, node: str) -> Program:
    return Program(node, instance.port(node), lambda: mongo.command(instance, node), lambda: mongo.answers(instance, node))


def _own(instance: Instance) -> Iterator[Program]:
    for service in services():
        for process in ("api", "worker"):
            yield _process(instance, service, process)


def _process(instance: Instance, service: str, process: str) -> Program:
    name = f"{service}-{process}"
    return Program(
        name,
        instance.service_port(service, process),
        lambda: own.command(instance, service, process),
        lambda: _ok(f"{own.health_urls(instance)[name]}/ready"),
        lambda: own.environment(instance, service),
    )


def _listens(port: int) -> bool:
    """Whether somebody listens; Kafka does when it has registered as a broker."""
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _ok(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
