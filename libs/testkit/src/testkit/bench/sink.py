"""A mail server that takes everything and keeps nothing: `python -m testkit.bench.sink <port> <health port>`."""

import asyncio
import sys
from typing import Any

from aiosmtpd.smtp import SMTP

from testkit.bench.bare import empty, serve


class Takes:
    """Takes every mail."""

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Say that it was taken."""
        return "250 OK"


async def _serve(port: int, health_port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Takes(), enable_SMTPUTF8=True, hostname="sink.example"), "127.0.0.1", port)
    async with server:
        await serve(empty(), health_port)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
