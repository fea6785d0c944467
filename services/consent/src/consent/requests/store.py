"""Requests in MongoDB. They hold ids, dates and counts; who the person was, nobody can tell from them."""

from dataclasses import asdict
from datetime import date
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, IndexModel

from consent.requests.model import ErasureRequest, Kept, Part, Phase, Word

REQUESTS = "requests"
EARLY = "early_request_parts"
"""Confirmations, and words about last mails, that came before their request: order across topics is not promised."""
OVER = "past_requests"
"""Requests whose term is over: an id and nothing else, so that late news opens none of them again."""
INDEXES = {
    OVER: [],
    EARLY: [IndexModel([("request", ASCENDING)])],
    REQUESTS: [
        IndexModel([("link_hash", ASCENDING)], unique=True),
        IndexModel([("subject", ASCENDING)]),
        IndexModel([("phase", ASCENDING), ("due_on", ASCENDING)]),
        IndexModel([("phase", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("phase", ASCENDING), ("closed_on", ASCENDING)]),
    ],
}
_OPEN = {"$in": [phase.value for phase in Phase if phase is not Phase.CLOSED]}


async def request(reads: Reads, request_id: str) -> ErasureRequest | None:
    """Return a request."""
    found = await reads.find_one(REQUESTS, {"_id": request_id})
    return _request(found) if found else None


async def by_link(reads: Reads, link_hash: str) -> ErasureRequest | None:
    """Return the request that a link follows."""
    found = await reads.find_one(REQUESTS, {"link_hash": link_hash})
    return _request(found) if found else None


async def page(reads: Reads, *, after: str, limit: int, closed_too: bool) -> list[ErasureRequest]:
    """Return requests after an id, the oldest first."""
    where: dict[str, Any] = {"_id": {"$gt": after}, **({} if closed_too else {"phase": _OPEN})}
    return [_request(row) for row in await reads.find(REQUESTS, where, sort=[("_id", ASCENDING)], limit=limit)]


async def most_urgent(reads: Reads) -> ErasureRequest | None:
    """Return the open request whose term ends first."""
    found = await reads.find(REQUESTS, {"phase": _OPEN}, sort=[("due_on", ASCENDING)], limit=1)
    return _request(found[0]) if found else None


def keep_early(uow: UnitOfWork, request_id: str, service: str, part: Part) -> None:
    """Keep a service's confirmation until its request is known."""
    row = {"_id": f"{request_id}:{service}", "request": request_id, "service": service, "part": _part_row(part)}
    uow.replace(EARLY, row, upsert=True)


def drop_early(uow: UnitOfWork, request_id: str, service: str) -> None:
    """Forget a confirmation whose request is over."""
    uow.delete(EARLY, {"_id": f"{request_id}:{service}"})


def keep_early_word(uow: UnitOfWork, request_id: str, word: Word) -> None:
    """Keep what became of a last mail until its request is known."""
    uow.replace(EARLY, {"_id": f"{request_id}:word", "request": request_id, "word": word}, upsert=True)


async def take_early_word(uow: UnitOfWork, request_id: str) -> Word | None:
    """Return and drop what became of a last mail before its request was known."""
    row = await uow.find_one(EARLY, {"_id": f"{request_id}:word"})
    if row is None:
        return None
    uow.delete(EARLY, {"_id": row["_id"]})
    return Word(row["word"])


async def take_early(uow: UnitOfWork, request_id: str) -> dict[str, Part]:
    """Return and drop the confirmations that came before their request, by service."""
    where = {"request": request_id, "part": {"$exists": True}}
    rows = await uow.find(EARLY, where, sort=[("_id", ASCENDING)])
    for row in rows:
        uow.delete(EARLY, {"_id": row["_id"]})
    return {row["service"]: _part(row["part"]) for row in rows}


def add(uow: UnitOfWork, new: ErasureRequest) -> None:
    """Keep a new request."""
    uow.insert(REQUESTS, _row(new))


def save(uow: UnitOfWork, changed: ErasureRequest) -> int:
    """Keep a changed request and return its new sequence."""
    return uow.save(REQUESTS, _row(changed))


async def closed_until(reads: Reads, until: date, *, limit: int) -> list[str]:
    """Return requests that were closed on this day or before, the oldest first."""
    where = {"phase": Phase.CLOSED.value, "closed_on": {"$lte": until.isoformat()}}
    return [row["_id"] for row in await reads.find(REQUESTS, where, sort=[("closed_on", ASCENDING)], limit=limit)]


def end(uow: UnitOfWork, request_id: str) -> None:
    """Remove a request whose term is over; its id stays, so that nothing opens it again."""
    uow.delete(REQUESTS, {"_id": request_id})
    uow.replace(OVER, {"_id": request_id}, upsert=True)


async def is_over(reads: Reads, request_id: str) -> bool:
    """Tell whether a request was removed after its term."""
    return await reads.find_one(OVER, {"_id": request_id}) is not None


def _row(one: ErasureRequest) -> Document:
    row = {"_id": one.id, **asdict(one)}
    del row["id"]
    row |= {name: row[name].isoformat() for name in ("opened_on", "due_on")}
    row["closed_on"] = one.closed_on.isoformat() if one.closed_on else None
    row["parts"] = {service: _part_row(part) for service, part in one.parts.items()}
    return row


def _part_row(part: Part) -> Document:
    kept = [{**asdict(one), "until": one.until.isoformat()} for one in part.kept]
    return {**asdict(part), "on": part.on.isoformat(), "kept": kept}


def _request(row: Document) -> ErasureRequest:
    return ErasureRequest(
        id=row["_id"],
        subject=row["subject"],
        opened_on=date.fromisoformat(row["opened_on"]),
        due_on=date.fromisoformat(row["due_on"]),
        link_hash=row["link_hash"],
        language=row["language"],
        phase=Phase(row["phase"]),
        parts={service: _part(part) for service, part in row["parts"].items()},
        word=Word(row["word"]) if row["word"] else None,
        closed_on=date.fromisoformat(row["closed_on"]) if row["closed_on"] else None,
        sequence=row["sequence"],
    )


def _part(row: Document) -> Part:
    kept = tuple(Kept(one["what"], one["ground"], date.fromisoformat(one["until"])) for one in row["kept"])
    return Part(Phase(row["done"]), date.fromisoformat(row["on"]), row["counts"], row["receipt"], kept)
