"""Erasing a person from one service, so that nothing of them stays here and nothing comes back (GDPR, article 17; R31).

An erasure goes in steps that a request asks for one after the other. Each begins in the transaction that handles the request:
what there is goes, and the row that is written with it refuses whatever arrives for the person from then on. A change that was
on its way at that moment may still be committed after it, so a job destroys the person's keys, looks again once every such
change has ended, and only then confirms. The list of erased ids in the keyring database outlives an old dump of this one:
`catch_up` erases again whom such a dump brought back, before anything else runs.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final, Protocol

import structlog
from pydantic_core import to_json
from pymongo import ASCENDING, IndexModel

from chassis.inbox import Handler, Incoming
from chassis.keyring import ERASED, Keyring
from chassis.mongo import Indexes, Mongo, transact
from chassis.outbox import EventTopic
from chassis.uow import Document, Reads, UnitOfWork

COLLECTION: Final = "erasures"
INDEXES: Final[Indexes] = {
    COLLECTION: [
        IndexModel([("begun", ASCENDING)], partialFilterExpression={"begun": {"$type": "string"}}),
        IndexModel([("request", ASCENDING)]),
    ]
}
PHASES: Final = ("services", "identity", "contact", "closed")
"""The phases of a request, in their order; a service has a step for those in which it is its turn."""
BATCH: Final = 100
log = structlog.get_logger()

Counts = Mapping[str, int]
Forget = Callable[[UnitOfWork, str], Awaitable[Counts]]
"""Removes what the service holds of a subject and returns how many documents of each kind; again, it finds nothing."""


@dataclass(frozen=True)
class Erased:
    """What is confirmed to whoever asked: one step of one request, done."""

    request: str
    subject: str
    step: str
    on: date
    counts: Counts

    @property
    def receipt(self) -> str:
        """Return the SHA-256 of it, in hex, by which the confirmation is known to be this one."""
        said = {"request": self.request, "subject": self.subject, "step": self.step, "on": self.on, "counts": dict(self.counts)}
        return sha256(to_json(said)).hexdigest()

    @property
    def confirmation(self) -> dict[str, Any]:
        """Return the fields of `<service>.request-part.v1` that every service fills in alike."""
        same = {"request": self.request, "subject": self.subject, "counts": dict(self.counts), "receipt": self.receipt}
        return {**same, "done": self.step, "done_on": self.on}


Tell = Callable[[UnitOfWork, Erased, int], Awaitable[None]]
"""Confirms a step, under a sequence of the request's aggregate."""


@dataclass(frozen=True)
class Step:
    """One step of a service's erasure. With the one that `ends` it the person's keys are destroyed and none is made again."""

    name: str
    forget: Forget
    ends: bool = True


@dataclass(frozen=True)
class Erasure:
    """What a service's erasure is made of: its steps in their order, and how it confirms them."""

    keyring: Keyring
    steps: Sequence[Step]
    tell: Tell
    settled: timedelta
    """Machine time after which no change that began before the erasure can still be committed: longer than any retries."""
    told_on: EventTopic | None = None
    """Where `tell` confirms: what it said is forgotten with the request."""

    async def begin(self, uow: UnitOfWork, *, request: str, subject: str, phase: str) -> None:
        """Begin every step up to this phase that has not begun; asked again after the end, confirm again."""
        row = await _row(uow, subject)
        row["request"] = row.get("request") or request
        due = [step for step in self.steps if PHASES.index(step.name) <= PHASES.index(phase)]
        new = [step for step in due if step.name not in row["steps"]]
        for step in new:
            await self._start(uow, row, step)
        if due and not new and row["begun"] is None:
            await self._confirm(uow, row, due[-1].name)

    async def conclude(self, uow: UnitOfWork, request: str) -> None:
        """Let what was confirmed be forgotten: the request's term is over. Whom it was about stays among the erased."""
        row = await uow.find_one(COLLECTION, {"request": request})
        if row is not None and self.told_on is not None:
            row["sequence"] += 1
            uow.replace(COLLECTION, {**row, "request": None})
            uow.emit_tombstone(self.told_on, key=request, sequence=row["sequence"])

    async def finish(self, mongo: Mongo) -> int:
        """Go on with what has begun and return how many steps were confirmed. For a job that runs each second or two."""
        rows = await mongo.find(COLLECTION, {"begun": {"$type": "string"}}, limit=BATCH)
        return sum([await self._go_on(mongo, row) for row in rows])

    async def catch_up(self, mongo: Mongo) -> int:
        """Erase again whom an older dump of the database brought back, and return how many. Before anything else runs."""
        done, after = 0, ""
        while listed := await self.keyring.mongo.find(ERASED, {"_id": {"$gt": after}}, sort=[("_id", ASCENDING)], limit=BATCH):
            subjects, after = [row["_id"] for row in listed], listed[-1]["_id"]
            known = {row["_id"] for row in await mongo.find(COLLECTION, {"_id": {"$in": subjects}}) if self._ended(row)}
            for subject in subjects:
                if subject not in known:
                    await self._again(mongo, subject)
                    done += 1
        return done

    async def _start(self, uow: UnitOfWork, row: Document, step: Step) -> None:
        counts = dict(await step.forget(uow, row["_id"]))
        on = uow.clock.today().isoformat()
        row["steps"][step.name] = {"at": uow.clock.machine(), "on": on, "counts": counts}
        row["begun"] = step.name
        row["sequence"] += 1
        uow.replace(COLLECTION, row, upsert=True)

    async def _go_on(self, mongo: Mongo, found: Document) -> bool:
        step = next(one for one in self.steps if one.name == found["begun"])
        if step.ends:
            await self.keyring.erase(found["_id"])

        async def work(uow: UnitOfWork) -> bool:
            row = await uow.find_one(COLLECTION, {"_id": found["_id"], "begun": step.name})
            if row is None:
                return False
            more = await self._forget_all(uow, found["_id"], step)
            part = row["steps"][step.name]
            part["counts"] = dict(_added(part["counts"], more))
            settled = bool(uow.clock.machine() - part["at"] >= self.settled)
            if settled:
                row["begun"] = None
                await self._confirm(uow, row, step.name)
            elif any(more.values()):
                uow.replace(COLLECTION, row)
            return settled

        done = await transact(mongo, work)
        if done:
            log.info("erasure_step_done", subject=found["_id"], request=found["request"], step=step.name)
        return done

    async def _forget_all(self, uow: UnitOfWork, subject: str, last: Step) -> Counts:
        """Do every step up to this one: what an earlier one removed may have come back in the meantime too."""
        steps = self.steps[: list(self.steps).index(last) + 1]
        return _added(*[await step.forget(uow, subject) for step in steps])

    async def _confirm(self, uow: UnitOfWork, row: Document, step: str) -> None:
        row["sequence"] += 1
        uow.replace(COLLECTION, row)
        part = row["steps"][step]
        said = Erased(row["request"], row["_id"], step, date.fromisoformat(part["on"]), part["counts"])
        await self.tell(uow, said, row["sequence"])

    async def _again(self, mongo: Mongo, subject: str) -> None:
        async def work(uow: UnitOfWork) -> None:
            row = await _row(uow, subject)
            for step in self.steps:
                if step.name not in row["steps"]:
                    await self._start(uow, row, step)
                else:
                    await step.forget(uow, subject)
            row["begun"] = None
            uow.replace(COLLECTION, row, upsert=True)

        await transact(mongo, work)
        log.warning("erased_again", subject=subject)

    def _ended(self, row: Document) -> bool:
        return self.steps[-1].name in row["steps"]


async def _row(uow: UnitOfWork, subject: str) -> Document:
    """Return a person's row, or the one with which their erasure begins."""
    return await uow.find_one(COLLECTION, {"_id": subject}) or {"_id": subject, "sequence": 0, "steps": {}, "begun": None}


def _added(*several: Counts) -> Counts:
    """Add counts up, kind by kind; a kind of which there was none stays named."""
    total: Counter[str] = Counter()
    for counts in several:
        total.update(counts)
    return total


class Asked(Protocol):
    """What `consent.request.v1` says of an erasure."""

    request: str
    subject: str
    phase: str


def on_request(erasure: Erasure) -> Handler:
    """Return the handler of requests."""

    async def handle(incoming: Incoming[Any], uow: UnitOfWork) -> None:
        asked: Asked | None = incoming.event
        if asked is None:
            await erasure.conclude(uow, incoming.key)
        else:
            await erasure.begin(uow, request=asked.request, subject=asked.subject, phase=asked.phase)

    return handle


def unless_erased(handler: Handler, subject_of: Callable[[str], str] = str) -> Handler:
    """Return the handler so that it passes over news about whoever is erased; `subject_of` finds the person in an event's key."""

    async def handle(incoming: Incoming[Any], uow: UnitOfWork) -> None:
        if not await is_erased(uow, subject_of(incoming.key)):
            await handler(incoming, uow)

    return handle


def first_of(key: str) -> str:
    """Return the person whose id a composed key begins with, as `<subject>:<purpose>:<controller>`."""
    return key.partition(":")[0]


async def is_erased(reads: Reads, subject: str) -> bool:
    """Tell whether an erasure of this person has begun here: nothing is made for them any more."""
    return await reads.find_one(COLLECTION, {"_id": subject}) is not None
