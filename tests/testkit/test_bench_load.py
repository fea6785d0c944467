"""The load generator against a server that counts: every request answered once, and another answer is no speed."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from testkit.bench.load import NotServedError, hammer, request

pytestmark = pytest.mark.integration


@asynccontextmanager
async def served(status="200 OK", cut_at=None):
    seen = []

    async def answer(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            seen.append(head)
            whole = f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\nhello".encode()
            writer.write(whole[:cut_at])
            await writer.drain()
            if cut_at is not None:  # the rest comes in a packet of its own
                await asyncio.sleep(0)
                writer.write(whole[cut_at:])

    async def quietly(reader, writer):
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


@pytest.mark.parametrize("cut_at", [None, 20, 40])
async def test_every_request_is_sent_once_and_timed(cut_at):
    async with served(cut_at=cut_at) as (port, seen):
        load = await hammer(port, [request("GET", f"/{number}") for number in range(4)], 40, at_once=3)
    assert len(seen) == len(load.milliseconds) == 40
    assert len({head.split()[1] for head in seen}) == 4
    assert load.p50 <= load.p99
    assert load.rate > 0


async def test_a_refusal_is_no_fast_answer():
    async with served("503 Busy") as (port, _):
        with pytest.raises(NotServedError, match="503"):
            await hammer(port, [request("GET", "/")], 10, at_once=2)
