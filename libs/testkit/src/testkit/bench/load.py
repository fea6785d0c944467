"""Sends HTTP requests faster than a comfortable client could: the one who measures must not be what is measured."""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any


class NotServedError(Exception):
    """The server answered something else than was expected of it, or hung up."""


@dataclass(frozen=True)
class Load:
    """What a load came to: requests per second, and how long each took, in milliseconds."""

    rate: float
    milliseconds: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.milliseconds)

    @property
    def p99(self) -> float:
        """What one in a hundred exceeds."""
        return sorted(self.milliseconds)[int(len(self.milliseconds) * 0.99)]


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> bytes:
    """Return a request as it goes over the wire, on a connection that is kept."""
    content = b"" if body is None else json.dumps(body).encode()
    described = {"Content-Type": "application/json", "Content-Length": str(len(content))} if content else {}
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{n}: {v}" for n, v in {**described, **(headers or {})}.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


class _Connection(asyncio.Protocol):
    """One connection: sends the next request when the former is answered."""

    def __init__(self, requests: Iterator[bytes], status: int) -> None:
        self._requests, self._expected = requests, f"HTTP/1.1 {status} ".encode()
        self._transport: asyncio.Transport
        self._got, self._sent, self.waits = b"", 0.0, list[float]()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise for TCP, which its types leave out
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0 or len(self._got) < head + 4 + _length(self._got[:head]):
            return
        self.waits.append((time.perf_counter() - self._sent) * 1000)
        if not self._got.startswith(self._expected):
            self._end(NotServedError(self._got[: head + 300].decode("latin-1")))
            return
        self._got = b""
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        self._end(NotServedError("hung up"))

    def _next(self) -> None:
        following = next(self._requests, None)
        if following is None:
            self._end(None)
        else:
            self._sent = time.perf_counter()
            self._transport.write(following)

    def _end(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(error) if error else self.over.set_result(None)
            self._transport.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def hammer(port: int, requests: Sequence[bytes], times: int, *, at_once: int, status: int = 200) -> Load:
    """Send the requests over and over on so many connections, `times` in all.

    Raises:
        NotServedError: One of the answers has another status.
    """
    coming = iter(requests[number % len(requests)] for number in range(times))
    return await _over(port, [coming] * at_once, status)


async def drip(port: int, sent: bytes, until: asyncio.Event, *, every: float, status: int = 200) -> Load:
    """Send one request each so often, on a connection of its own, until an event."""
    waits: list[float] = []
    begun = time.perf_counter()
    while not until.is_set():
        waits += (await _over(port, [iter([sent])], status)).milliseconds
        await asyncio.sleep(every)
    return Load(len(waits) / (time.perf_counter() - begun), waits)


async def _over(port: int, shares: Sequence[Iterator[bytes]], status: int) -> Load:
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    made = [_Connection(share, status) for share in shares]
    await asyncio.gather(*(loop.create_connection(partial(_itself, one), "127.0.0.1", port) for one in made))
    await asyncio.gather(*(one.over for one in made))
    waits = [wait for one in made for wait in one.waits]
    return Load(len(waits) / (time.perf_counter() - begun), waits)


def _itself(one: _Connection) -> _Connection:
    return one
