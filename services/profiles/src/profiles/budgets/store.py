"""Budgets (one document for each recruiter and organisation that looks), freezes, and who the operators are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from chassis.uow import Document, Reads, UnitOfWork
from pymongo import ASCENDING, DESCENDING, IndexModel

from profiles.budgets.model import Budget, Freeze, Lifting, Looks, Scope

BUDGETS, FREEZES, OPERATORS = "view_budgets", "view_freezes", "operators"
INDEXES: dict[str, list[Any]] = {
    BUDGETS: [],
    FREEZES: [IndexModel([("organisation", ASCENDING), ("_id", DESCENDING)])],
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
    """Write a freeze; it is never removed."""
    document = asdict(freeze)
    uow.replace(FREEZES, {"_id": document.pop("id"), **document, "day": freeze.day.isoformat()}, upsert=True)


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
        **same,
    )
