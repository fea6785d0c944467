"""`python -m localstack.subscriber`: a sample of an organisation's own system, which follows the bank and forgets when told to.

It imports nothing of ours, as theirs would not. What it holds lies in memory, so it reads both topics from their beginning
each time it starts; one with a store of its own consumes in a group below `organisation.<id>.` instead.
"""

import asyncio
import json
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.helpers import create_ssl_context
from pydantic_settings import BaseSettings, SettingsConfigDict

BANK, EVERY_HANDLE = "outward.bank.v1", "all"


class Told(BaseSettings):
    """Whose system it is, and how it comes to Kafka and to the portal."""

    model_config = SettingsConfigDict(env_prefix="SUBSCRIBER_")

    organisation: str
    kafka: str
    kafka_password: str
    kafka_tls: bool = False
    portal: str
    client: str
    client_secret: str


class Subscriber:
    """Holds the handles of the bank, and nothing that it was told to forget."""

    def __init__(self, told: Told, portal: httpx.AsyncClient) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self._told, self._portal = told, portal

    async def run(self) -> None:
        """Follow until cancelled. An acknowledgement that fails ends it; the next start reads the word to forget again."""
        told = self._told
        consumer = AIOKafkaConsumer(
            BANK,
            f"organisation.{told.organisation}.v1",
            bootstrap_servers=told.kafka,
            security_protocol="SASL_SSL" if told.kafka_tls else "SASL_PLAINTEXT",
            ssl_context=create_ssl_context() if told.kafka_tls else None,
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=f"organisation.{told.organisation}",
            sasl_plain_password=told.kafka_password,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        async with consumer:
            async for record in consumer:
                said = json.loads(record.value) if record.value else None
                sequence = int(dict(record.headers)["ce_sequence"])
                if record.topic == BANK:
                    self._keep(record.key.decode(), said, sequence)
                elif said and said["says"] == "forget":
                    await self._forget(said)

    def _keep(self, handle: str, said: dict[str, Any] | None, sequence: int) -> None:
        if said is None or said["state"] == "gone":
            self.held.pop(handle, None)
        else:
            self.held[handle] = {**said, "sequence": sequence}

    async def _forget(self, said: dict[str, Any]) -> None:
        """Forget what was said of the handle up to then, and acknowledge it: again, when it is said again."""
        handle = said["handle"]
        if handle == EVERY_HANDLE:
            self.held.clear()
        elif handle in self.held and self.held[handle]["sequence"] <= said["up_to"]:
            del self.held[handle]
        path = f"/api/notifications/v1/organisations/{self._told.organisation}/forgets/{handle}/acknowledgement"
        (await self._portal.post(path, headers={"Authorization": f"Bearer {await self._token()}"})).raise_for_status()

    async def _token(self) -> str:
        login = httpx.BasicAuth(self._told.client, self._told.client_secret)
        asked = {"grant_type": "client_credentials", "scope": "bank:follow"}
        answer = await self._portal.post("/api/identity/v1/oauth/token", data=asked, auth=login)
        return str(answer.raise_for_status().json()["access_token"])


async def _main() -> None:
    told = Told()
    async with httpx.AsyncClient(base_url=told.portal) as portal:
        await Subscriber(told, portal).run()


if __name__ == "__main__":
    asyncio.run(_main())
