"""The proxy does to connections what networks do, to those that a rule names, for as long as it holds."""

import asyncio
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
from testkit.faults.proxy import Proxy, Rule
from testkit.waiting import eventually

pytestmark = pytest.mark.integration


@asynccontextmanager
async def echoing():
    """A part that says back what it hears; gives its port and a list of connections that ended there."""
    ended = []

    async def echo(reader, writer):
        with suppress(ConnectionError):
            while heard := await reader.read(1000):
                writer.write(heard)
        ended.append(writer)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], ended


@asynccontextmanager
async def standing(who="profiles-worker"):
    """A proxy before such a part; gives it, the port at which it listens and what ended behind it."""
    proxy = Proxy(lambda *_: who)
    async with echoing() as (port, ended):
        server = await proxy.listen("kafka", 0, partial(asyncio.open_connection, "127.0.0.1", port))
        async with server:
            yield proxy, server.sockets[0].getsockname()[1], ended
            for line in set(proxy.lines):
                line.cut()
            await eventually(lambda: not proxy.lines)


@asynccontextmanager
async def speaking(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def said(end, words=b"hello"):
    reader, writer = end
    writer.write(words)
    return await asyncio.wait_for(reader.readexactly(len(words)), 5)


async def hears_nothing(end, seconds=0.3):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(end[0].readexactly(1), seconds)


async def test_what_is_said_arrives_and_so_does_an_end():
    async with standing() as (proxy, port, ended):
        async with speaking(port) as end:
            assert await said(end, b"x" * 300_000) == b"x" * 300_000
            end[1].write_eof()
            assert await end[0].read() == b""
        await eventually(lambda: ended and not proxy.lines)


async def test_a_cut_ends_what_is_there_and_refuses_what_comes_until_it_is_over():
    async with standing() as (proxy, port, _), speaking(port) as end:
        await said(end)
        with proxy.ruled(Rule("cut")) as met:
            assert met == 1
            with pytest.raises(ConnectionError):
                await end[0].readexactly(1)
            async with speaking(port) as refused:
                with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                    await said(refused)
        async with speaking(port) as again:
            assert await said(again) == b"hello"


async def test_a_black_hole_swallows_and_gives_back_when_it_ends():
    async with standing() as (proxy, port, _), speaking(port) as end:
        await said(end)
        with proxy.ruled(Rule("black-hole")):
            end[1].write(b"hello")
            await hears_nothing(end)
            async with speaking(port) as new:
                new[1].write(b"hello")
                await hears_nothing(new)
        assert await asyncio.wait_for(end[0].readexactly(5), 5) == b"hello"


async def test_who_is_half_open_waits_for_ever_and_the_other_end_has_gone():
    async with standing() as (proxy, port, ended), speaking(port) as end:
        await said(end)
        with proxy.ruled(Rule("half-open")):
            await eventually(lambda: ended)
        end[1].write(b"hello")
        await hears_nothing(end)
        async with speaking(port) as new:
            assert await said(new) == b"hello"


async def test_a_slow_line_is_late_and_a_trickle_lets_little_through():
    async with standing() as (proxy, port, _), speaking(port) as end:
        clock = asyncio.get_running_loop().time
        with proxy.ruled(Rule("slow", amount=0.2)):
            begun = clock()
            await said(end)
            assert clock() - begun >= 0.4  # there and back
        with proxy.ruled(Rule("trickle", amount=200)):
            end[1].write(b"x" * 200)
            begun = clock()
            assert await asyncio.wait_for(end[0].readexactly(200), 10) == b"x" * 200
            assert clock() - begun > 0.5


@pytest.mark.parametrize("rule", [Rule("cut", "mongod*"), Rule("cut", "kafka", "profiles-api"), Rule("cut", "*", "mongod*")])
async def test_a_rule_leaves_other_parts_and_processes_alone(rule):
    async with standing() as (proxy, port, _), speaking(port) as end:
        await said(end)
        with proxy.ruled(rule) as met:
            assert met == 0
            assert await said(end) == b"hello"
