"""A client as decent programs are: it tries again after a lost connection or a 503, waits as long as it is told, and gives up.

It also keeps the books of each request: whether it was answered, and whether an earlier try may have had its effect.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import httpx
from chassis.ids import new_id

from testkit.faults.ledger import Fate, Ledger
from testkit.portal import PASSWORD, Actor

PATIENCE = 12.0
LONGEST_WAIT = 1.0
"""Fault rounds are short: `Retry-After` is honoured up to this."""


@dataclass(frozen=True)
class Reply:
    """How a request ended. `tries` counts those that may have had an effect, `late` tells that one timed out."""

    answer: httpx.Response | None = None
    tries: int = 0
    late: bool = False

    @property
    def fate(self) -> Fate:
        """What the doer knows."""
        if self.answer is not None and self.answer.is_success:
            return Fate.ACKNOWLEDGED
        return Fate.UNSURE if self.tries > (0 if self.answer is None else 1) else Fate.REFUSED

    @property
    def status(self) -> int:
        """The answer's status, 0 without an answer."""
        return self.answer.status_code if self.answer is not None else 0

    @property
    def json(self) -> Any:
        """The answer's document; empty without one."""
        return self.answer.json() if self.answer is not None and self.answer.content else {}


@dataclass
class Client:
    """Sends the requests of one person or system."""

    http: httpx.AsyncClient
    ledger: Ledger
    email: str = ""
    actor: Actor | None = None
    acting: dict[str, str] | None = None
    """Organisation and role, for who acts for one."""
    secret: tuple[str, str] | None = None
    """Name and secret of a system, which signs in with them instead."""
    scope: str = "vacancies:write"
    """What a system signs in for."""
    patience: float = PATIENCE

    async def get(self, path: str, **options: Any) -> Reply:
        """Read."""
        return await self.send("GET", path, **options)

    async def create(self, path: str, json: Any) -> Reply:
        """Create once, however often it has to be sent."""
        return await self.send("POST", path, json=json, headers={"Idempotency-Key": new_id()})

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        """Send until it is answered, or patience is over."""
        deadline = asyncio.get_running_loop().time() + self.patience
        reply = Reply()
        while True:
            reply = await self._try(reply, method, path, options)
            wait = self._wait(reply, f"{method} {path}")
            if wait is None or asyncio.get_running_loop().time() + wait > deadline:
                return reply if wait is None else replace(reply, answer=None)
            if reply.status == httpx.codes.UNAUTHORIZED:
                await self.sign_in()
            await asyncio.sleep(wait)

    async def _try(self, before: Reply, method: str, path: str, options: dict[str, Any]) -> Reply:
        headers = {**self._authorization(), **options.get("headers", {})}
        url = path if path.startswith("http") else f"/api/{path}"
        try:
            answer = await self.http.request(method, url, **{**options, "headers": headers})
        except (httpx.ConnectError, httpx.ConnectTimeout):  # nothing was sent
            return replace(before, answer=None)
        except httpx.TimeoutException:
            return replace(before, answer=None, tries=before.tries + 1, late=True)
        except httpx.TransportError:
            return replace(before, answer=None, tries=before.tries + 1)
        return replace(before, answer=answer, tries=before.tries + 1)

    def _wait(self, reply: Reply, what: str) -> float | None:
        """How long to wait before the next try; None: this is the answer."""
        answer = reply.answer
        if answer is None:
            return 0.2
        asked = answer.headers.get("retry-after")
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR or asked is None:
                self.ledger.blame(
                    f"answered {answer.status_code} {'without Retry-After ' if asked is None else ''}to {_route(what)}"
                )
            return min(float(asked or 1), LONGEST_WAIT)
        return 0.3 if answer.status_code == httpx.codes.UNAUTHORIZED and (self.email or self.secret) else None

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.actor.token}"} if self.actor is not None and self.actor.token else {}

    async def sign_in(self) -> Actor | None:
        """Sign in anew, as who was known before; None when that did not work in time."""
        stranger = Client(self.http, self.ledger, patience=self.patience)
        if self.secret is not None:
            form = {"grant_type": "client_credentials", "scope": self.scope}
            reply = await stranger.send("POST", "identity/v1/oauth/token", data=form, auth=self.secret)
        else:
            body = {"email": self.email, "password": PASSWORD, **(self.acting or {})}
            reply = await stranger.send("POST", "identity/v1/sessions", json=body)
        if reply.fate is not Fate.ACKNOWLEDGED:
            return None
        subject = self.actor.subject if self.actor is not None else ""
        self.actor = Actor(self.http, reply.json["access_token"], subject, refresh_token=reply.json.get("refresh_token", ""))
        return self.actor


def _route(what: str) -> str:
    """A request's method and path without ids and secrets, which a report does not need."""
    return "/".join(part if len(part) < 20 else "…" for part in what.split("?")[0].split("/"))
