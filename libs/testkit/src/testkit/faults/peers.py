"""Tells to which process a connection belongs, from the port that it came from: so a proxy can strike one process alone."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from localstack.layout import Instance, services
from localstack.mongo import NODES

OTHER = "other"
ESTABLISHED = "01"


@dataclass
class Peers:
    """The processes of one instance and their connections, as they were when somebody last asked in vain."""

    instance: Instance
    _ends: dict[tuple[int, int], str] = field(default_factory=dict)
    """(their port, our port) -> the kernel's name of their socket."""
    _holders: dict[str, str] = field(default_factory=dict)
    """Socket -> who holds it."""

    def owner(self, own_port: int, their_port: int) -> str:
        """The process that connected to `own_port`, as `profiles-worker`; `other` when it is none of the instance's.

        Each connection is asked about once: later the same ports may be another's.
        """
        ends = (their_port, own_port)
        if self._ends.get(ends) not in self._holders:
            self._look()
        return self._holders.get(self._ends.pop(ends, ""), OTHER)

    def _look(self) -> None:
        """Look at all at once: a rule that has to know about one connection mostly has to know about many."""
        self._ends = dict(_established())
        self._holders = {}
        for pid in _processes():
            who = name(self.instance, _words(pid))
            if who != OTHER:
                self._holders |= dict.fromkeys(_open(pid), who)


def name(instance: Instance, words: list[str]) -> str:
    """What a process is called that was started by this command line."""
    for service, process in pairwise(words):
        if service in services() and process in {"api", "worker"}:
            return f"{service}-{process}"
    ports = {f"--port={instance.port(node)}": node for node in NODES}
    return next((ports[word] for word in words if word in ports), OTHER)


def _established() -> Iterator[tuple[tuple[int, int], str]]:
    """All connections of this machine: Linux lists them with ports in hexadecimal."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == ESTABLISHED:
            ends = (int(fields[1].rpartition(":")[2], 16), int(fields[2].rpartition(":")[2], 16))
            yield ends, f"socket:[{fields[9]}]"


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
