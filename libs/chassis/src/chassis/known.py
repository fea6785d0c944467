"""What a service must know of identity in order to check tokens by itself: signing keys and sessions that ended early.

The worker stores what the events say (`on_signing_key`, `on_session` stand in each service's list); the API keeps a copy in
memory that a background task refreshes each second. While the database is away the last copy serves.
"""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymongo import ASCENDING, IndexModel
from pymongo.errors import PyMongoError

from chassis.http.problems import BusyProblem
from chassis.inbox import Incoming
from chassis.mongo import Mongo
from chassis.uow import UnitOfWork

log = structlog.get_logger()
KEYS, ENDED = "known_signing_keys", "ended_sessions"
KEPT = timedelta(days=1)
# Rows become visible when their transaction commits, up to 20 s after they were stamped, and by another machine's clock.
OVERLAP = timedelta(seconds=60)

# Machine time: an ended session matters only as long as its last token lives.
INDEXES = {ENDED: [IndexModel([("at", ASCENDING)], expireAfterSeconds=int(KEPT.total_seconds()))], KEYS: []}


@dataclass(frozen=True)
class SigningKey:
    """A public key and the time within which tokens under it may have been issued."""

    kid: str
    public: Ed25519PublicKey
    not_before: datetime
    not_after: datetime


class NotKnownYetError(BusyProblem):
    """Nothing could be read since the start, so nobody can be told apart yet."""


def store_signing_key(uow: UnitOfWork, *, kid: str, x: str, not_before: datetime, not_after: datetime) -> None:
    """Keep a public key (`x` of its JWK) that an event announced."""
    uow.replace(KEYS, {"_id": kid, "x": x, "not_before": not_before, "not_after": not_after}, upsert=True)


def forget_signing_key(uow: UnitOfWork, kid: str) -> None:
    """Refuse every token under this key from now on."""
    uow.delete(KEYS, {"_id": kid})


def store_ended_session(uow: UnitOfWork, *, session: str, at: datetime) -> None:
    """Refuse the tokens of this session from now on. `at` is the machine time of storing, which the APIs read on from."""
    uow.replace(ENDED, {"_id": session, "at": at}, upsert=True)


def forget_ended_session(uow: UnitOfWork, session: str) -> None:
    """Keep no row of a session whose tokens have all run out; it would go by itself within a day."""
    uow.delete(ENDED, {"_id": session})


class AnnouncedKey(Protocol):
    """A public signing key as identity announces it; the contracts' event fits."""

    kid: str
    x: str
    not_before: datetime
    not_after: datetime


async def on_signing_key(incoming: Incoming[AnnouncedKey], uow: UnitOfWork) -> None:
    """Handle identity's signing keys: tokens under a key are accepted within its validity, under a withdrawn one never."""
    key = incoming.event
    if key is None:
        forget_signing_key(uow, incoming.key)
    else:
        store_signing_key(uow, kid=key.kid, x=key.x, not_before=key.not_before, not_after=key.not_after)


async def on_session(incoming: Incoming[object], uow: UnitOfWork) -> None:
    """Handle ended sessions; a tombstone says that the last token has run out by now."""
    if incoming.event is None:
        forget_ended_session(uow, incoming.key)
    else:
        store_ended_session(uow, session=incoming.key, at=uow.clock.machine())


class Known:
    """The API's copy. `run` belongs among its background tasks."""

    def __init__(self, mongo: Mongo, *, poll: timedelta = timedelta(seconds=1)) -> None:
        self._mongo, self._poll = mongo, poll.total_seconds()
        self._keys: dict[str, SigningKey] = {}
        self._ended: dict[str, datetime] = {}
        self._newest: datetime | None = None
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Refresh until cancelled; trouble with the database is waited out."""
        away = False
        while True:
            try:
                await self.refresh()
                away = False
            except PyMongoError as error:
                if not away:
                    log.warning("known_not_read", exc_info=error)
                away = True
            await asyncio.sleep(self._poll)

    async def refresh(self) -> None:
        """Read the keys, and the sessions that ended since the last look."""
        async with self._reading:
            since = {"at": {"$gte": self._newest - OVERLAP}} if self._newest else {}
            keys = await self._mongo.find(KEYS, {})
            ended = await self._mongo.find(ENDED, since)
            self._keys = {row["_id"]: _key(row) for row in keys}
            self._ended.update({row["_id"]: row["at"] for row in ended})
            self._forget_old()
            self._read_at = asyncio.get_running_loop().time()

    async def find_key(self, kid: str) -> SigningKey | None:
        """Return a key, looking once more (at most once per poll) when it is unknown: it may have come a moment ago."""
        now = asyncio.get_running_loop().time()
        if kid not in self._keys and (self._read_at is None or now - self._read_at >= self._poll):
            try:
                await self.refresh()
            except PyMongoError as error:
                if self._read_at is None:
                    raise NotKnownYetError from error
        return self._keys.get(kid)

    def key(self, kid: str) -> SigningKey | None:
        """Return a key of the last copy, or None."""
        return self._keys.get(kid)

    def has_ended(self, session: str) -> bool:
        """Tell whether a session ended early."""
        return session in self._ended

    def _forget_old(self) -> None:
        self._newest = max(self._ended.values(), default=self._newest)
        if self._newest is not None:
            oldest = self._newest - KEPT
            self._ended = {session: at for session, at in self._ended.items() if at >= oldest}


def _key(row: Mapping[str, Any]) -> SigningKey:
    raw = urlsafe_b64decode(row["x"] + "=" * (-len(row["x"]) % 4))
    return SigningKey(row["_id"], Ed25519PublicKey.from_public_bytes(raw), row["not_before"], row["not_after"])
