"""Lets organisations' systems in at Kafka as its administrator does: by the command, with a credential that no service has."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from localstack.kafka import ADMINISTRATOR, secret_name
from localstack.secretfiles import secret_file

from testkit.stack import Stack


def let_in(stack: Stack, organisation: str) -> str:
    """Let an organisation's systems follow, and return the password that the command hands over."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "password"
        provision(stack, "--organisation", organisation, "--password-to", str(file))
        return file.read_text().strip()


def let_out(stack: Stack, organisation: str) -> None:
    """Let them in no more."""
    provision(stack, "--organisation", organisation, "--revoke")


def provision(stack: Stack, *asked: str) -> None:
    """Run `python -m notifications provision`."""
    credential = {
        "KAFKA_ADMIN_USER": ADMINISTRATOR,
        "KAFKA_ADMIN_PASSWORD_FILE": str(secret_file(stack.instance, secret_name(ADMINISTRATOR))),
    }
    environment = {**stack.process_environment("notifications"), **credential}
    command = [sys.executable, "-m", "notifications", "provision", *asked]
    subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603 - our own interpreter
