"""No network in unit tests: a test that opens a connection says so with a mark, or fails."""

import socket
from typing import Any

import pytest

CONNECTED = ("integration", "e2e", "containers")


class BlockedNetworkError(RuntimeError):
    """A unit test opened a connection."""


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections in tests without a mark; sockets between parts of the process itself (AF_UNIX pairs) go on working."""
    if not any(request.node.get_closest_marker(mark) for mark in CONNECTED):
        for method in ("connect", "connect_ex"):
            monkeypatch.setattr(socket.socket, method, _refuse)


def _refuse(_socket: socket.socket, address: Any) -> None:
    raise BlockedNetworkError(f"a unit test connects to {address!r}; mark it integration and use the real parts")
