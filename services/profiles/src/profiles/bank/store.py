"""The projection `bank`: one document for each profile that recruiters can find, and the question as MongoDB takes it."""

from collections.abc import Iterator
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from contracts.profiles.vacancy import EQF
from pymongo import ASCENDING, GEOSPHERE, IndexModel

from profiles.bank.model import CEFR, Entry, Query, skill_hash, words_of

COLLECTION = "bank"
_ASKED = (
    "words",
    "skills.name",
    "languages.code",
    "licences",
    "contract_types",
    "provinces",
    "only_provinces",
    "remote",
    "level",
    "hours_from",
    "salary_from",
    "available_from",
)
"""Whatever can be asked for alone: what few people have must be found without looking at everybody."""
INDEXES = {
    COLLECTION: [
        IndexModel([("handle", ASCENDING)]),
        *(IndexModel([(field, ASCENDING), ("handle", ASCENDING)]) for field in _ASKED),
        IndexModel([("towns.at", GEOSPHERE)]),
    ]
}
_EARTH_RADIUS_KM = 6371.0088


def put(uow: UnitOfWork, *, subject: str, handle: str, entry: Entry) -> None:
    """Let the entry take the place of what was there."""
    uow.replace(COLLECTION, {"_id": subject, "handle": handle, **entry}, upsert=True)


def remove(uow: UnitOfWork, subject: str) -> None:
    """Leave nothing of this subject; harmless when there was nothing."""
    uow.delete(COLLECTION, {"_id": subject})


async def find_page(reads: Reads, query: Query, *, key: bytes, after: str | None, limit: int) -> list[tuple[str, str]]:
    """Return (subject, handle) of who fits, ordered by handle: chance made it, so the order says nothing about anybody."""
    conditions = list(_conditions(query, key))
    if after is not None:
        conditions.append({"handle": {"$gt": after}})
    where = {"$and": conditions} if conditions else {}
    return [(row["_id"], row["handle"]) for row in await reads.find(COLLECTION, where, sort=[("handle", ASCENDING)], limit=limit)]


async def find_subjects(reads: Reads, *, after: str, limit: int) -> list[str]:
    """Return who is in the projection, in the order of ids."""
    rows = await reads.find(COLLECTION, {"_id": {"$gt": after}}, sort=[("_id", ASCENDING)], limit=limit)
    return [row["_id"] for row in rows]


def _conditions(query: Query, key: bytes) -> Iterator[Document]:
    yield from _where(query)
    for skill in query.skills:
        yield {"skills": {"$elemMatch": {"name": skill_hash(key, skill.name), "level": {"$gte": skill.level}}}}
    for language in query.languages:
        yield {"languages": {"$elemMatch": {"code": language.code, "level": {"$gte": CEFR[language.level]}}}}
    if words := words_of(key, [query.words]):
        yield {"words": {"$all": sorted(words)}}
    if query.licences:
        yield {"licences": {"$all": list(query.licences)}}
    if query.contract_types:
        yield {"contract_types": {"$in": list(query.contract_types)}}
    yield from _numbers(query)


def _where(query: Query) -> Iterator[Document]:
    """Somebody who shows only a province is found from every place in it."""
    if query.near is not None:
        centre = [[query.near.longitude, query.near.latitude], query.radius_km / _EARTH_RADIUS_KM]
        yield {"$or": [{"towns.at": {"$geoWithin": {"$centerSphere": centre}}}, {"only_provinces": query.near.province}]}
    if query.province is not None:
        yield {"provinces": query.province}


def _numbers(query: Query) -> Iterator[dict[str, Any]]:
    if query.level is not None:
        yield {"level": {"$gte": EQF[query.level]}}
    if query.hours is not None:
        yield {"hours_from": {"$lte": query.hours}, "hours_to": {"$gte": query.hours}}
    if query.remote is not None:
        yield {"remote": query.remote}
    if query.salary_to is not None:
        yield {"salary_from": {"$lte": query.salary_to}}
    if query.available_by is not None:
        yield {"available_from": {"$lte": query.available_by.isoformat()}}
