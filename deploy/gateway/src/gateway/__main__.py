"""Serves the gateway's pages: `python -m gateway --port 8401`."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from gateway.app import build


def main() -> None:
    """Read what the gateway was told and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="gateway", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8401)
    asked = parser.parse_args()
    asyncio.run(_serve(asked.host, asked.port))


async def _serve(host: str, port: int) -> None:
    services = os.environ["GATEWAY_SERVICES"].split(",")
    app = build(services, Path(os.environ["GATEWAY_DOCS"]))
    server = Server(app, address=host, port=port, interface=Interfaces.ASGI, log_access=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    await server.serve()


if __name__ == "__main__":
    main()
