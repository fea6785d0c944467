"""Budgets (one document for each recruiter and organisation that looks), freezes, and who the operators are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

from profiles.budgets.model import Abuse, Budget, Freeze, Lifting, Looks, Scope

BUDGETS, FREEZES, OPERATORS = "view_budgets", "view_freezes", "operators"
INDEXES: dict[str, list[Any]] = {
    BUDGETS: [IndexModel([("frozen", ASCENDING), ("day", ASCENDING)])],
    FREEZES: [
        IndexModel([("organisation", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("over_on", ASCENDING)]),
        *(IndexModel([(name, ASCENDING)], sparse=True) for name in ("owner", "lifted.by", "abuse.by", "abuse.at")),
    ],
    OPERATORS: [],
}
Owner = tuple[Scope, str]


async def find_budgets(
    reads: Reads, owners: Sequence[Owner], views: Mapping[Scope, int], *, day: date, at: datetime
) -> tuple[Budget, ...]:
    """Return these budgets as they stand on a day, in their order; who never looked has a whole one."""
    rows = {row["_id"]: row for row in await reads.find(BUDGETS, {"_id": {"$in": [_name(*owner) for owner in owners]}})}
    found = ((scope, owner, rows.get(_name(scope, owner))) for scope, owner in owners)
    return tuple(_budget(scope, owner, views[scope], row, day, at).on(day, at) for scope, owner, row in found)


def keep_budget(uow: UnitOfWork, budget: Budget) -> None:
    """Write a budget. Two at once conflict here, and one of them runs again with the other's count."""
    row = {"_id": _name(budget.scope, budget.owner), "day": budget.day.isoformat(), "began": budget.began}
    counted = {"looks": asdict(budget.looks), "more": budget.more, "frozen": budget.frozen}
    uow.replace(BUDGETS, {**row, **counted}, upsert=True)


def keep_freeze(uow: UnitOfWork, freeze: Freeze) -> None:
    """Write a freeze."""
    document = asdict(freeze)
    document |= {"day": freeze.day.isoformat(), "over_on": _text(freeze.over_on)}
    if freeze.abuse:
        document["abuse"]["told_on"] = _text(freeze.abuse.told_on)
    uow.replace(FREEZES, {"_id": document.pop("id"), **document}, upsert=True)


def remove_freeze(uow: UnitOfWork, freeze: str) -> None:
    """Remove a freeze."""
    uow.delete(FREEZES, {"_id": freeze})


async def find_freezes_about(reads: Reads, account: str) -> list[Freeze]:
    """Return the freezes in which an account stands: whose they are, who lifted them, who declared an abuse."""
    named = [{name: account} for name in ("owner", "lifted.by", "abuse.by")]
    return [_freeze(row) for row in await reads.find(FREEZES, {"$or": named}, sort=[("_id", ASCENDING)])]


async def find_untold(reads: Reads, *, limit: int) -> list[Freeze]:
    """Return abuses of which not everybody has been told, the oldest first."""
    where = {"abuse.at": {"$type": "date"}, "abuse.told_on": None}
    return [_freeze(row) for row in await reads.find(FREEZES, where, sort=[("abuse.at", ASCENDING)], limit=limit)]


async def find_over(reads: Reads, until: date, *, limit: int) -> list[str]:
    """Return freezes that are over since this day or longer."""
    where = {"over_on": {"$lte": until.isoformat()}}
    return [row["_id"] for row in await reads.find(FREEZES, where, sort=[("over_on", ASCENDING)], limit=limit)]


async def find_unused(reads: Reads, until: date, *, limit: int) -> list[str]:
    """Return budgets that hold nobody and were last counted on this day or before."""
    where = {"frozen": None, "day": {"$lte": until.isoformat()}}
    return [row["_id"] for row in await reads.find(BUDGETS, where, sort=[("day", ASCENDING)], limit=limit)]


def remove_unused(uow: UnitOfWork, budget: str, until: date) -> None:
    """Remove a budget, unless somebody looked meanwhile."""
    uow.delete(BUDGETS, {"_id": budget, "frozen": None, "day": {"$lte": until.isoformat()}})


async def remove_budget(uow: UnitOfWork, scope: Scope, owner: str) -> int:
    """Remove a budget, and return how many there were."""
    found = await uow.find_one(BUDGETS, {"_id": _name(scope, owner)})
    if found is not None:
        uow.delete(BUDGETS, {"_id": found["_id"]})
    return int(found is not None)


async def find_freeze(reads: Reads, freeze: str) -> Freeze | None:
    """Return a freeze."""
    row = await reads.find_one(FREEZES, {"_id": freeze})
    return _freeze(row) if row else None


async def find_freezes(reads: Reads, *, organisation: str | None, before: str | None, limit: int) -> list[Freeze]:
    """Return the freezes of an organisation and its recruiters, or all, the newest first."""
    where: dict[str, Any] = {"organisation": organisation} if organisation else {}
    rows = await reads.find(
        FREEZES, {**where, **({"_id": {"$lt": before}} if before else {})}, sort=[("_id", DESCENDING)], limit=limit
    )
    return [_freeze(row) for row in rows]


async def find_operators(reads: Reads) -> list[str]:
    """Return the operators' accounts."""
    return [row["_id"] for row in await reads.find(OPERATORS, {}, sort=[("_id", ASCENDING)])]


def keep_operator(uow: UnitOfWork, account: str) -> None:
    """Note that somebody is an operator."""
    uow.replace(OPERATORS, {"_id": account}, upsert=True)


def forget_operator(uow: UnitOfWork, account: str) -> None:
    """Note that somebody is none; harmless when they never were."""
    uow.delete(OPERATORS, {"_id": account})


def _name(scope: Scope, owner: str) -> str:
    return f"{scope}:{owner}"


def _budget(scope: Scope, owner: str, views: int, row: Document | None, day: date, at: datetime) -> Budget:
    if row is None:
        return Budget(scope=scope, owner=owner, views=views, day=day, began=at)
    return Budget(
        scope=scope,
        owner=owner,
        views=views,
        day=date.fromisoformat(row["day"]),
        began=row["began"],
        looks=Looks(**row["looks"]),
        more=row["more"],
        frozen=row["frozen"],
    )


def _freeze(row: Document) -> Freeze:
    same = {name: row[name] for name in ("owner", "organisation", "began", "since", "views")}
    return Freeze(
        id=row["_id"],
        scope=Scope(row["scope"]),
        day=date.fromisoformat(row["day"]),
        looks=Looks(**row["looks"]),
        lifted=Lifting(**row["lifted"]) if row["lifted"] else None,
        abuse=_abuse(row["abuse"]) if row.get("abuse") else None,
        over_on=_day(row.get("over_on")),
        **same,
    )


def _abuse(row: Document) -> Abuse:
    return Abuse(**{**row, "told_on": _day(row["told_on"])})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
