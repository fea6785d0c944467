"""What operators do with what a consumer set aside: replay it, or throw it away.

A replay takes the consumer's own way (decoding, inbox, handler) in the transaction that removes the row: the event keeps its id,
so what was done is not done twice, and whoever comes at the same moment, a newer event or a second operator, meets a conflict.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Final, Literal

import structlog
from pydantic import AfterValidator, StringConstraints

from chassis import evidence, inbox, texts
from chassis.consume import Consumer, is_trouble
from chassis.evidence import COLLECTIONS, WAITING, Evidence, Wanted
from chassis.ids import new_id
from chassis.inbox import Incoming, Poison
from chassis.mongo import Mongo, transact
from chassis.parking import DISCARDED, PARKED, one_line, where
from chassis.uow import Document, UnitOfWork

log = structlog.get_logger()

Outcome = Literal["applied", "applied-before", "waits", "failed", "discarded", "gone"]
"""`applied-before`: the inbox knew it. `waits`: its key is parked, it is kept there. `failed`: it stays. `gone`: not there."""
BATCH: Final = 50


def _names_nobody(text: str) -> str:
    if "@" in text:
        raise ValueError("must not contain an address")
    return text


Why = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=10, max_length=200),
    AfterValidator(texts.readable),
    AfterValidator(texts.one_line),
    AfterValidator(_names_nobody),
]
"""Why something is discarded: one line for the log, about the cause and not about a person."""


@dataclass(frozen=True)
class Result:
    """What became of one; `error` names its kind and place."""

    id: str
    outcome: Outcome
    error: str | None = None

    def document(self) -> dict[str, str]:
        """Return what is known of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class _UnreadableError(Exception):
    """What was set aside is still no event for anybody here."""

    def __init__(self, reason: str | None, error: str) -> None:
        super().__init__(error)
        self.reason, self.error = reason, error


class _Rehearsed(Exception):  # noqa: N818 - no error: it ends the transaction of a dry run, which leaves nothing behind
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


@dataclass(frozen=True)
class SetAside:
    """What one consumer set aside. The consumer needs no broker for this."""

    mongo: Mongo
    consumer: Consumer

    async def find(self, wanted: Wanted, *, after: str = "", limit: int) -> list[Evidence]:
        """Return the oldest first, those after the id `after`."""
        return await evidence.find(self.mongo, wanted, after=after, limit=limit)

    async def one(self, ref: str) -> Evidence | None:
        """Return one, also when it was discarded."""
        found = await evidence.row_of(self.mongo, ref, *COLLECTIONS)
        return evidence.of(*found) if found else None

    async def each(self, wanted: Wanted, do: Callable[[str], Awaitable[Result]]) -> AsyncIterator[Result]:
        """Do something to each that is there now, the oldest first, each in a transaction of its own."""
        until, after = new_id(), ""
        while found := await evidence.find(self.mongo, wanted, after=after, until=until, limit=BATCH):
            for one in found:
                yield await do(one.id)
            after = found[-1].id

    async def replay(self, ref: str, *, by: str, dry: bool = False) -> Result:
        """Let the consumer handle it once more; what still fails stays, with one more attempt. A dry run leaves nothing behind.

        Raises:
            Exception: The database or the keyring is in trouble (`is_trouble`): nothing was changed, try again.
        """
        try:
            outcome = await transact(self.mongo, lambda uow: self._again(uow, ref, dry=dry))
        except _Rehearsed as rehearsed:
            return Result(ref, rehearsed.outcome)
        except Exception as error:
            if is_trouble(error):
                raise
            return await self._stays(ref, error, by=by, dry=dry)
        log.info("set_aside_replayed", id=ref, outcome=outcome, by=by)
        return Result(ref, outcome)

    async def discard(self, ref: str, *, why: str, by: str) -> Result:
        """Throw it away and keep the evidence. What waits with a parked key goes with it, and no copy of it is applied later."""
        gone = await transact(self.mongo, lambda uow: _discard(uow, ref, why=why, by=by))
        if gone is None:
            return Result(ref, "gone")
        position = {"topic": gone.topic, "partition": gone.partition, "offset": gone.offset}
        log.warning("set_aside_discarded", id=ref, kind=gone.kind, **position, reason=gone.reason, by=by, why=why)
        return Result(ref, "discarded")

    async def _again(self, uow: UnitOfWork, ref: str, *, dry: bool) -> Outcome:
        found = await evidence.row_of(uow, ref, *WAITING)
        if found is None:
            return "gone"
        kind, row = found
        item = await self.consumer.read_again(row)
        if not isinstance(item, Incoming):
            raise _UnreadableError(*(item.reason, item.error) if isinstance(item, Poison) else (None, "unknown type"))
        uow.delete(COLLECTIONS[kind], {"_id": row["_id"]})
        outcome: Outcome = "applied" if await self.consumer.apply_within(uow, item) else "applied-before"
        if await uow.find_one(PARKED, {"_id": item.row_id}) is not None:
            outcome = "waits"
        if dry:
            await uow.flush()
            raise _Rehearsed(outcome)
        return outcome

    async def _stays(self, ref: str, error: Exception, *, by: str, dry: bool) -> Result:
        """Note one more attempt that failed, unless somebody else was faster."""
        reason, told = (error.reason, error.error) if isinstance(error, _UnreadableError) else ("failed", where(error))
        noted = {"error": one_line(told)} | ({"reason": reason} if reason else {})

        async def work(uow: UnitOfWork) -> bool:
            found = await evidence.row_of(uow, ref, *WAITING)
            if found is not None:
                kind, row = found
                uow.update(COLLECTIONS[kind], {"_id": row["_id"]}, {"$inc": {"attempts": 1}, "$set": noted})
            return found is not None

        if dry:
            return Result(ref, "failed", noted["error"])
        if not await transact(self.mongo, work):
            return Result(ref, "gone")
        log.warning("set_aside_still_fails", id=ref, error=noted["error"], by=by)
        return Result(ref, "failed", noted["error"])


async def _discard(uow: UnitOfWork, ref: str, *, why: str, by: str) -> Evidence | None:
    found = await evidence.row_of(uow, ref, *WAITING)
    if found is None:
        return None
    kind, row = found
    uow.delete(COLLECTIONS[kind], {"_id": row["_id"]})
    kept = {name: value for name, value in row.items() if name not in {"headers", "body"}}
    uow.insert(DISCARDED, kept | {"_id": ref, "discarded": uow.clock.machine(), "by": by, "why": why})
    if kind == "parked-key":
        await _pass_over(uow, row)
    return evidence.of(kind, row)


async def _pass_over(uow: UnitOfWork, row: Document) -> None:
    """Let the inbox count a discarded event as done; only a later one of its key changes anything."""
    known = await uow.find_one(inbox.COLLECTION, {"_id": row["_id"]})
    inbox.move(uow, {row["_id"]: max(row["sequence"], known["sequence"] if known else 0)})
