"""What operators see of dead letters and parked keys: where it came from, why it failed, how often. Never its content."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from chassis import trace
from chassis.parking import DEAD_LETTERS, DISCARDED, PARKED, id_or_none
from chassis.uow import Document, Filter, Reads

Waiting = Literal["dead-letter", "parked-key"]
Kind = Literal["dead-letter", "parked-key", "discarded"]
Reason = Literal["malformed", "invalid", "failed"]

WAITING: Final[tuple[Waiting, ...]] = get_args(Waiting)
COLLECTIONS: Final[dict[Kind, str]] = {"dead-letter": DEAD_LETTERS, "parked-key": PARKED, "discarded": DISCARDED}


@dataclass(frozen=True)
class Wanted:
    """Which of them: all that is named must hold."""

    kind: Kind | None = None
    topic: str | None = None
    reason: Reason | None = None
    key: str | None = None
    consumer: str | None = None
    since: datetime | None = None

    @property
    def is_everything(self) -> bool:
        """Tell whether it leaves nothing out."""
        return self == Wanted()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return where to look; what was discarded only when it is asked for."""
        return WAITING if self.kind is None else (self.kind,)

    @property
    def filter(self) -> Filter:
        """Return what a row must be."""
        same = {name: getattr(self, name) for name in ("topic", "reason", "key", "consumer")}
        since = {"at": {"$gte": self.since}} if self.since else {}
        return {name: value for name, value in same.items() if value is not None} | since


@dataclass(frozen=True)
class Evidence:
    """One of them. The position is the record's that failed first; a parked key keeps the latest event of its key."""

    id: str
    kind: Kind
    consumer: str
    topic: str
    partition: int
    offset: int
    key: str | None
    event: str | None
    sequence: int | None
    reason: Reason
    attempts: int
    error: str
    trace: str
    at: datetime
    discarded: datetime | None
    by: str | None
    why: str | None

    def document(self) -> dict[str, Any]:
        """Return what is known of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


async def find(reads: Reads, wanted: Wanted, *, after: str = "", until: str | None = None, limit: int) -> list[Evidence]:
    """Return the oldest first, those after the id `after` and before the id `until`."""
    where = {**wanted.filter, "ref": {"$gt": after} | ({"$lt": until} if until else {})}
    found = [
        of(kind, row)
        for kind in wanted.kinds
        for row in await reads.find(COLLECTIONS[kind], where, sort=[("ref", 1)], limit=limit)
    ]
    return sorted(found, key=lambda one: one.id)[:limit]


async def row_of(reads: Reads, ref: str, *kinds: Kind) -> tuple[Kind, Document] | None:
    """Return the row under an id, with its kind."""
    for kind in kinds:
        row = await reads.find_one(COLLECTIONS[kind], {"ref": ref})
        if row is not None:
            return kind, row
    return None


def of(kind: Kind, row: Document) -> Evidence:
    """Return what may be seen of a row."""
    same = ("consumer", "topic", "partition", "offset", "reason", "attempts", "error", "at")
    told: dict[str, Any] = {name: row[name] for name in same}
    told |= {name: row.get(name) for name in ("sequence", "discarded", "by", "why")}
    told |= {name: id_or_none(row[name]) if row.get(name) else None for name in ("key", "event")}
    return Evidence(id=row["ref"], kind=kind, trace=trace.trace_id(row["trace"]), **told)
