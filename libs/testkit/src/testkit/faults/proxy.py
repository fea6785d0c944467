"""A TCP proxy that does to connections what networks do: cut, black hole, half-open, slow, a trickle.

It passes on bytes until a `Rule` matches a line (a connection with both its ends) by its part and by who made it. What a black
hole swallowed arrives when it ends, as TCP would send it again; what was cut or left half-open stays so.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, partial
from typing import Literal

CHUNK = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a close that the other end sees as a reset."""
STEP = 0.1

Kind = Literal["cut", "black-hole", "half-open", "slow", "trickle"]
Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Identify = Callable[[int, int], str]


@dataclass(frozen=True)
class Rule:
    """What happens to the lines that match both patterns. `amount`: seconds of delay when slow, bytes a second for a trickle."""

    kind: Kind
    part: str = "*"
    who: str = "*"
    amount: float = 0

    def matches(self, line: "Line") -> bool:
        """Whether it is about this line."""
        return fnmatchcase(line.part, self.part) and (self.who == "*" or fnmatchcase(line.who, self.who))


@dataclass(eq=False)
class Line:
    """One connection through the proxy."""

    part: str
    ask_who: Callable[[], str]
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    deaf: bool = False
    """Half-open: its far end has gone, and nobody tells the near one."""

    @cached_property
    def who(self) -> str:
        """Who made it. It is asked when a rule first wants to know: to find out costs more than to carry it."""
        return self.ask_who()

    def drop(self, writer: asyncio.StreamWriter | None) -> None:
        """Reset one end."""
        if writer is None:
            return
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()

    def cut(self) -> None:
        """Reset both ends."""
        self.drop(self.near)
        self.drop(self.far)

    def halve(self) -> None:
        """Reset the far end and leave the near one waiting for ever."""
        self.deaf = True
        self.drop(self.far)


@dataclass
class Proxy:
    """All lines and the rules that hold now."""

    identify: Identify
    lines: set[Line] = field(default_factory=set)
    rules: list[Rule] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, part: str, port: int, dial: Dial) -> asyncio.Server:
        """Stand for a part at a port; `dial` connects to it."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            own, theirs = writer.get_extra_info("sockname")[1], writer.get_extra_info("peername")[1]
            line = Line(part, partial(self.identify, own, theirs), writer)
            self.lines.add(line)
            try:
                await self._carry(line, reader, dial)
            except OSError:  # one end has gone: the other one learns it below
                pass
            finally:
                self.lines.discard(line)
                for end in (line.near, line.far):
                    if end is not None:
                        end.close()

        return await asyncio.start_server(serve, "127.0.0.1", port, limit=CHUNK)

    @contextmanager
    def ruled(self, rule: Rule) -> Iterator[int]:
        """Let a rule hold; gives the number of lines that it met."""
        self.rules.append(rule)
        met = [line for line in self.lines if rule.matches(line)]
        for line in met:
            if rule.kind == "cut":
                line.cut()
            elif rule.kind == "half-open":
                line.halve()
        self._wake()
        try:
            yield len(met)
        finally:
            self.rules.remove(rule)
            self._wake()

    async def _carry(self, line: Line, reader: asyncio.StreamReader, dial: Dial) -> None:
        if self._holds("cut", line):
            return line.cut()
        while self._holds("black-hole", line):
            await self._changed.wait()
        far_reader, line.far = await dial()
        if line.near.is_closing():  # cut meanwhile
            return None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(line, reader, line.far))
            group.create_task(self._pump(line, far_reader, line.near))
        return None

    async def _pump(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one direction until its end, or the line's; a close is passed on too."""
        try:
            while chunk := await reader.read(CHUNK):
                await self._pass_on(line, chunk, writer)
        except OSError:  # reset from one end: so is the other
            if not line.deaf:
                line.cut()
        else:
            if not line.deaf and not writer.is_closing() and writer.can_write_eof():
                with suppress(OSError):
                    writer.write_eof()

    async def _pass_on(self, line: Line, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        while self._holds("black-hole", line):
            await self._changed.wait()
        if slow := self._holds("slow", line):
            await asyncio.sleep(slow.amount)
        while (trickle := self._holds("trickle", line)) and chunk:
            size = max(1, int(trickle.amount * STEP))
            await self._write(line, chunk[:size], writer)
            chunk = chunk[size:]
            await asyncio.sleep(STEP)
        await self._write(line, chunk, writer)

    async def _write(self, line: Line, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        if not line.deaf:
            writer.write(chunk)
            await writer.drain()

    def _holds(self, kind: Kind, line: Line) -> Rule | None:
        return next((rule for rule in self.rules if rule.kind == kind and rule.matches(line)), None)

    def _wake(self) -> None:
        """Let everything that waits look at the rules again."""
        self._changed.set()
        self._changed = asyncio.Event()
