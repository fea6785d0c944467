"""Lets organisations' systems in at Kafka as its administrator does: by the command, with a credential that no service has."""

import asyncio
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from localstack.kafka import ADMINISTRATOR, secret_name
from localstack.secretfiles import secret_file

from testkit.stack import Stack
from testkit.waiting import eventually


def let_in(stack: Stack, organisation: str) -> str:
    """Let an organisation's systems follow, and return the password that the command hands over."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "password"
        provision(stack, "--organisation", organisation, "--password-to", str(file))
        return file.read_text().strip()


async def admitted(stack: Stack, organisation: str) -> str:
    """The same for an organisation that was just made: the command refuses one that its service has not heard of yet."""

    async def let() -> str | None:
        try:
            return await asyncio.to_thread(let_in, stack, organisation)
        except subprocess.CalledProcessError:
            return None

    return await eventually(let, timeout=60, every=1)


def let_out(stack: Stack, organisation: str) -> None:
    """Let them in no more."""
    provision(stack, "--organisation", organisation, "--revoke")


def provision(stack: Stack, *asked: str) -> str:
    """Run `python -m notifications provision`, and return what it says."""
    credential = {
        "KAFKA_ADMIN_USER": ADMINISTRATOR,
        "KAFKA_ADMIN_PASSWORD_FILE": str(secret_file(stack.instance, secret_name(ADMINISTRATOR))),
    }
    environment = {**stack.process_environment("notifications"), **credential}
    command = [sys.executable, "-m", "notifications", "provision", *asked]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - our own interpreter
