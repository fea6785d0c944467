"""Master keys in the transit engine of Vault, or of its open successor OpenBao: they never leave it.

One transit key for each service; its versions are the epochs. A version's week is that in which it was made, by the engine's
own clock, which nobody turns. Destroying raises the least version that decrypts and trims all below it. `docs/operations`
has the policy of the token: no more than this module does.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx

from chassis.clock import day_of
from chassis.keyservice import Epoch, KeyServiceError, Secret, Trouble, Unopened, Wrapped, week_of


class Transit:
    """The key service behind the transit engine's HTTP API."""

    def __init__(self, url: str, *, mount: str, key: str, token: str, patience: timedelta) -> None:
        self._key = key
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/v1/{mount}", headers={"X-Vault-Token": token}, timeout=patience.total_seconds()
        )

    async def held(self) -> list[Epoch]:
        """Return the versions that still decrypt."""
        return [_epoch(version, made) for version, made in sorted(await self._versions())]

    async def wrap(self, secrets: Sequence[Secret]) -> list[Wrapped]:
        """Encrypt with the latest version."""
        batch = [{"plaintext": _text(one.plain), "associated_data": _text(one.owner.encode())} for one in secrets]
        results = await self._batch("encrypt", batch)
        return [
            Wrapped(one.owner, result["ciphertext"].encode(), str(result["key_version"]))
            for one, result in zip(secrets, results, strict=True)
        ]

    async def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes | Unopened]:
        """Decrypt each, or say why not; only then it is asked which versions there are."""
        batch = [{"ciphertext": one.box.decode(), "associated_data": _text(one.owner.encode())} for one in wrapped]
        try:
            results = await self._batch("decrypt", batch)
        except KeyServiceError as error:
            if error.trouble is not Trouble.EMPTY:
                raise
            return [Unopened.MISSING] * len(wrapped)
        failed = any(result.get("error") for result in results)
        held = {str(version) for version, _ in await self._versions()} if failed else set()
        return [_opened(one, result, held) for one, result in zip(wrapped, results, strict=True)]

    async def make(self, first_day: date) -> None:
        """Make the key, or its next version where the latest was made in an earlier week."""
        versions = await self.held()
        if not versions:
            await self._call("POST", f"keys/{self._key}", {"type": "aes256-gcm96"})
        elif versions[-1].first_day < first_day:
            await self._call("POST", f"keys/{self._key}/rotate", {})

    async def destroy(self, epoch: str) -> None:
        """Refuse the version and all before it from now on, and remove them."""
        least = int(epoch) + 1
        await self._call("POST", f"keys/{self._key}/config", {"min_decryption_version": least, "min_encryption_version": least})
        await self._call("POST", f"keys/{self._key}/trim", {"min_available_version": least})

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _versions(self) -> list[tuple[int, int]]:
        """Return each version and when it was made, in seconds; none when there is no key yet."""
        answer = await self._ask("GET", f"keys/{self._key}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return []
        return [(int(version), int(made)) for version, made in _data(answer)["keys"].items()]

    async def _batch(self, what: str, batch: list[dict[str, str]]) -> list[dict[str, Any]]:
        if not batch:
            return []
        answer = await self._ask("POST", f"{what}/{self._key}", {"batch_input": batch})
        results: list[dict[str, Any]] | None = _data(answer, else_none=True).get("batch_results")
        if results is not None:  # also with status 400, when one of them does not open
            return results
        if (
            answer.is_client_error and not await self._versions()
        ):  # a token that may not make the key is refused what is not there
            raise KeyServiceError(Trouble.EMPTY)
        raise _refusal(answer)

    async def _call(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        answer = await self._ask(method, path, body)
        if not answer.is_success:
            raise _refusal(answer)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            return await self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise KeyServiceError(Trouble.AWAY) from error


def _data(answer: httpx.Response, *, else_none: bool = False) -> dict[str, Any]:
    """Return what an answer says; its errors are not repeated, they may quote what was sent."""
    try:
        said = answer.json().get("data")
    except ValueError:
        said = None
    if isinstance(said, dict) and (answer.is_success or else_none):
        return said
    if else_none:
        return {}
    raise _refusal(answer)


def _refusal(answer: httpx.Response) -> KeyServiceError:
    if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return KeyServiceError(Trouble.REFUSED)
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return KeyServiceError(Trouble.AWAY)  # sealed, standby, overloaded
    return KeyServiceError(Trouble.ODD)


def _opened(one: Wrapped, result: Mapping[str, Any], held: set[str]) -> bytes | Unopened:
    if not result.get("error"):
        return base64.b64decode(result["plaintext"])
    return Unopened.DAMAGED if one.epoch in held else Unopened.MISSING


def _epoch(version: int, made: int) -> Epoch:
    return Epoch(week_of(day_of(datetime.fromtimestamp(made, UTC))), str(version))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
