"""Noting whom a vacancy is news to, and asking for their mails: at once in fair turns, or collected at the hour they chose.

The queue of mails is kept short. A vacancy that fits a hundred thousand people waits here, not there, so that other vacancies and
every other mail still go within seconds.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any, Final

from chassis.mongo import Mongo, transact
from chassis.uow import Document, Reads, UnitOfWork

from notifications.mail import service as mail
from notifications.mail.service import NewMail
from notifications.news import store
from notifications.news.model import IMMEDIATE, State, alert_cause, digest_cause, due_at, row_id
from notifications.searches.model import Rhythm

TEMPLATE: Final = "job-alert"
WAITING: Final = 500
"""No more mails are asked for while so many wait."""
TURN: Final = 50
"""Mails about one vacancy before it is the next one's turn."""
BATCH: Final = 500
KEPT: Final = timedelta(days=400)
"""A vacancy that is still changed after so long is news again."""


async def add(uow: UnitOfWork, searches: Sequence[Document], vacancy: str) -> None:
    """Note that a vacancy is news to the owners of these searches; of what somebody was told already nothing is noted.

    Who has several searches that it fits is told by the one that tells soonest.
    """
    due_of, today = cache(partial(due_at, now=uow.clock.now())), uow.clock.today()
    soonest: dict[str, tuple[datetime, Document]] = {}
    for search in sorted(searches, key=lambda one: str(one["_id"])):
        due, name = due_of(Rhythm.of(search)), row_id(search["subject"], vacancy)
        if name not in soonest or due < soonest[name][0]:
            soonest[name] = due, search
    known = await store.known(uow, soonest)
    for name, (due, search) in soonest.items():
        row, there = _row(name, search, vacancy, due, today=today), known.get(name)
        if there is None:
            store.add(uow, row)
        elif there["state"] == State.COLLECTED and due < there["due"]:
            store.put(uow, row)


def _row(name: str, search: Document, vacancy: str, due: datetime, *, today: date) -> dict[str, Any]:
    state = State.NOW if search["frequency"] == IMMEDIATE else State.COLLECTED
    same = {"_id": name, "subject": search["subject"], "search": search["_id"], "vacancy": vacancy}
    return same | {"state": state, "due": due, "mail": None, "on": today.isoformat()}


async def ask_now(mongo: Mongo) -> int:
    """Ask for mails about single vacancies, some of each vacancy in turn, and return how many."""
    asked, room = 0, WAITING - await mail.count_due(mongo, now=mongo.clock.machine(), limit=WAITING)
    while asked < room and (lap := await _lap(mongo, room - asked)):
        asked += lap
    return asked


async def _lap(mongo: Mongo, room: int) -> int:
    """Ask once for each vacancy."""
    asked, after = 0, ""
    while asked < room and (vacancy := await store.next_vacancy(mongo, after)) is not None:
        asked, after = asked + await _turn(mongo, vacancy, min(TURN, room - asked)), vacancy
    return asked


async def _turn(mongo: Mongo, vacancy: str, limit: int) -> int:
    async def work(uow: UnitOfWork) -> int:
        rows = await store.of_vacancy(uow, vacancy, limit=limit)
        for row in rows:
            _ask(uow, [row], alert_cause(row["search"], vacancy))
        return len(rows)

    return await transact(mongo, work)


async def ask_digests(mongo: Mongo) -> int:
    """Ask for the digests whose hour has come, and return how many."""
    asked = 0
    while found := await store.due(mongo, mongo.clock.now(), limit=BATCH):
        for search, due in dict.fromkeys((row["search"], row["due"]) for row in found):
            await _digest(mongo, search, due)
            asked += 1
    return asked


async def _digest(mongo: Mongo, search: str, due: datetime) -> None:
    async def work(uow: UnitOfWork) -> None:
        rows = await store.collected(uow, search, due)
        if rows:
            _ask(uow, rows, digest_cause(search, due))

    await transact(mongo, work)


def _ask(uow: UnitOfWork, rows: Sequence[Document], cause: str) -> None:
    """Ask for one mail about these rows, which are all of one search. What it tells is decided when it goes."""
    new = NewMail(
        cause=cause,
        asker="notifications",
        subject=rows[0]["subject"],
        template=TEMPLATE,
        language="nl",
        facts={},
        tags={"search": rows[0]["search"]},
    )
    mail.queue(uow, new, now=uow.clock.machine())
    for row in rows:
        store.put(uow, row | {"state": State.QUEUED, "mail": cause})


async def told_by(reads: Reads, cause: str) -> list[str]:
    """Return the vacancies that a mail is about."""
    return [row["vacancy"] for row in await store.of_mail(reads, cause)]


async def forget(uow: UnitOfWork, subject: str) -> int:
    """Forget what a person was told, and return how much that was."""
    rows = await store.of_subject(uow, subject)
    for row in rows:
        store.remove(uow, row)
    return len(rows)


async def forget_old(mongo: Mongo) -> int:
    """Forget what was told too long ago to matter, and return how much."""
    before = (mongo.clock.today() - KEPT).isoformat()

    async def work(uow: UnitOfWork) -> int:
        rows = await store.old(uow, before=before, limit=BATCH)
        for row in rows:
            store.remove(uow, row)
        return len(rows)

    done = 0
    while removed := await transact(mongo, work):
        done += removed
    return done
