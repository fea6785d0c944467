"""Processes that a benchmark starts: a service's own, told by its environment, and the bare ones beside them."""

import asyncio
import base64
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from chassis.ids import random_bytes

from testkit.bench.ground import Ground, keyring_of, master_keys_of

PATIENCE = 60.0
READY = "/health/ready"


class NotStartedError(Exception):
    """A process ended or did not get ready in time; the text is the end of what it said."""


@dataclass(frozen=True)
class Running:
    """A process that is ready."""

    pid: int
    port: int
    started_in: float
    """Seconds from its start until it said that it is ready."""

    @property
    def megabytes(self) -> float:
        """Its resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def variables(ground: Ground, database: str, port: int) -> dict[str, str]:
    """Return what every service is told here, by the names of its settings."""
    key = base64.b64encode(random_bytes(32)).decode()
    return {
        "production": "false",
        "mongo_url": ground.mongo_url,
        "mongo_database": database,
        "keyring_url": ground.mongo_url,
        "keyring_database": keyring_of(database),
        "master_keys": str(master_keys_of(database)),
        "hash_key": key,
        **kafka_variables(ground),
        "port": str(port),
        "worker_port": str(port),
    }


def kafka_variables(ground: Ground) -> dict[str, str]:
    """Return where Kafka is and who comes there, by the names of the settings."""
    return {"kafka": ground.kafka.servers, "kafka_user": ground.kafka.user, "kafka_password": ground.kafka.password}


def environment(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return settings as the environment of a process."""
    return {f"{prefix}_{name}".upper(): value for name, value in values.items()}


@asynccontextmanager
async def running(module: str, *arguments: str, told: Mapping[str, str], port: int, log: Path) -> AsyncIterator[Running]:
    """Run `python -m module`, go on when it is ready, end it afterwards. What it logs goes into a file, as in production."""
    begun = time.perf_counter()
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *_command(module, arguments), env={**os.environ, **told}, stdout=file, stderr=asyncio.subprocess.STDOUT
        )
    try:
        await _ready(process, port, begun, log)
        yield Running(process.pid, port, time.perf_counter() - begun)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _command(module: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


async def _ready(process: asyncio.subprocess.Process, port: int, begun: float, log: Path) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        while True:
            try:
                if (await client.get(READY)).is_success:
                    return
            except httpx.TransportError:
                pass
            if process.returncode is not None or time.perf_counter() - begun > PATIENCE:
                raise NotStartedError(_end_of(log))
            await asyncio.sleep(0.01)


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-2000:]
