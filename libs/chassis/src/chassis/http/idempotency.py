"""`Idempotency-Key` on creating POSTs: a repeated request creates nothing and gets the first one's answer.

Per caller, path and key are kept: id, status, ETag and location, for a day of machine time, in the transaction of the
effect. No bodies: of the first one only a keyed hash, which tells a repetition from another request under the same key.

    async def work(uow: UnitOfWork) -> Created:
        return await attempt.once(uow, lambda: create_vacancy(uow=uow, …))

    return (await transact(mongo, work)).response()
"""

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import HeaderParameter
from pymongo import ASCENDING, IndexModel

from chassis.clock import Clock
from chassis.http.etags import etag
from chassis.http.guards import caller_of
from chassis.http.language import Text
from chassis.http.problems import BadRequestProblem, Problem
from chassis.uow import UnitOfWork

COLLECTION = "idempotency_keys"
KEPT = timedelta(hours=24)
INDEXES = {COLLECTION: [IndexModel([("at", ASCENDING)], expireAfterSeconds=int(KEPT.total_seconds()))]}
_MEANING = "Chosen by the caller, new for each thing to create: a repeated request creates nothing and gets the same answer."
_KEY = re.compile(r"^[\x21-\x7e]{1,200}$")


class KeyReusedProblem(Problem):
    """Another request came under a key that was used."""

    status, code = 422, "idempotency-key-reused"
    title = Text("Deze Idempotency-Key hoort bij een ander verzoek", "This Idempotency-Key belongs to another request")


@dataclass(frozen=True)
class Created:
    """The answer of a creating POST, all that is kept of it."""

    id: str
    location: str | None = None
    sequence: int | None = None
    status: int = 201

    def response(self) -> Response[dict[str, str]]:
        """Return it as an HTTP answer: `{"id": …}` with `ETag` and `Location`; the same when it is repeated."""
        headers = {"Location": self.location, "ETag": etag(self.sequence) if self.sequence is not None else None}
        return Response({"id": self.id}, status_code=self.status, headers={k: v for k, v in headers.items() if v is not None})


@dataclass(frozen=True)
class Attempt:
    """One request to create; a route takes it as the dependency `attempt`. Without a key nothing is remembered."""

    key: str | None
    fingerprint: bytes
    at: datetime

    async def once(self, uow: UnitOfWork, create: Callable[[], Awaitable[Created]]) -> Created:
        """Create and remember it, or return what the first attempt created.

        Two at the same time: their writes conflict, the second is run again by `transact` and finds the first.
        """
        if self.key is None:
            return await create()
        earlier = await uow.find_one(COLLECTION, {"_id": self.key})
        if earlier is not None:
            if not hmac.compare_digest(earlier["fingerprint"], self.fingerprint):
                raise KeyReusedProblem
            return Created(**earlier["created"])
        created = await create()
        row = {"_id": self.key, "fingerprint": self.fingerprint, "at": self.at, "created": asdict(created)}
        uow.insert(COLLECTION, row)
        return created


def provide_attempt(key: bytes, clock: Clock) -> Callable[..., Awaitable[Attempt]]:
    """Return the dependency that reads `Idempotency-Key`."""

    async def attempt(
        request: Request[Any, Any, Any],
        sent: Annotated[str | None, HeaderParameter(name="Idempotency-Key", description=_MEANING)] = None,
    ) -> Attempt:
        if sent is None:
            return Attempt(None, b"", clock.machine())
        if not _KEY.match(sent):
            raise BadRequestProblem("Idempotency-Key: 1 to 200 visible ASCII characters", code="idempotency-key")
        caller = caller_of(request)
        acting = (caller.subject, caller.role, caller.org or "")  # who acts for another organisation asks for another thing
        name = "\0".join((*acting, request.method, request.url.path, sent))
        kept_as = hmac.digest(key, b"idempotency-key\0" + name.encode(), "sha256").hex()
        fingerprint = hmac.digest(key, b"idempotency-body\0" + await request.body(), "sha256")
        return Attempt(kept_as, fingerprint, clock.machine())

    return attempt
