"""Tells to which process a connection belongs, from the port that it came from: so a proxy can strike one process alone."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from localstack.layout import Instance, services
from localstack.mongo import NODES

OTHER = "other"
ESTABLISHED = "01"


def owner(instance: Instance, own_port: int, their_port: int) -> str:
    """The name of the process that connected to `own_port`, as `profiles-worker`; `other` when it is none of the instance's."""
    socket = _socket(own_port, their_port)
    if socket is None:
        return OTHER
    holder = next((pid for pid in _processes() if socket in _open(pid)), None)
    return OTHER if holder is None else name(instance, _words(holder))


def name(instance: Instance, words: list[str]) -> str:
    """What a process is called that was started by this command line."""
    for service, process in pairwise(words):
        if service in services() and process in {"api", "worker"}:
            return f"{service}-{process}"
    ports = {f"--port={instance.port(node)}": node for node in NODES}
    return next((ports[word] for word in words if word in ports), OTHER)


def _socket(own_port: int, their_port: int) -> str | None:
    """The kernel's name for their end of the connection: Linux lists all sockets, with ports in hexadecimal."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ends = (int(fields[1].rpartition(":")[2], 16), int(fields[2].rpartition(":")[2], 16))
        if ends == (their_port, own_port) and fields[3] == ESTABLISHED:
            return f"socket:[{fields[9]}]"
    return None


def _processes() -> Iterator[int]:
    return map(int, filter(str.isdigit, os.listdir("/proc")))  # noqa: PTH208 - names only


def _open(pid: int) -> set[str]:
    folder = f"/proc/{pid}/fd"
    try:
        return {os.readlink(f"{folder}/{number}") for number in os.listdir(folder)}  # noqa: PTH115, PTH208 - names only, hundreds of them
    except OSError:
        return set()


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []
