"""No network in unit tests: a test that opens a connection says so with a mark, or fails."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

CONNECTED = ("integration", "e2e", "containers")


class BlockedNetworkError(RuntimeError):
    """A unit test opened a connection."""


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections in tests without a mark; a socket file is no network."""
    if not any(request.node.get_closest_marker(mark) for mark in CONNECTED):
        for method in ("connect", "connect_ex"):
            monkeypatch.setattr(socket.socket, method, _refusing(getattr(socket.socket, method)))


def _refusing(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def connect_here(own: socket.socket, address: Any) -> Any:
        if own.family != socket.AF_UNIX:
            raise BlockedNetworkError(f"a unit test connects to {address!r}; mark it integration and use the real parts")
        return connect(own, address)

    return connect_here
