"""Serves the gateway's pages: `python -m gateway --port 8401`."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from chassis import logs
from chassis.process import serve

from gateway.app import build


def main() -> None:
    """Read what the gateway was told and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="gateway", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8401)
    asked = parser.parse_args()
    logs.configure("gateway", "pages")
    asyncio.run(_serve(asked.host, asked.port))


async def _serve(host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    services = os.environ["GATEWAY_SERVICES"].split(",")
    await serve(build(services, Path(os.environ["GATEWAY_DOCS"])), host, port, stop)


if __name__ == "__main__":
    main()
