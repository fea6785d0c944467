"""Compares a search that is being written with the vacancies that are offered, and with those of the last thirty days."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from chassis.clock import Clock
from chassis.uow import Document, Reads

from notifications.alerts import service as alerts
from notifications.criteria import Criteria
from notifications.preview.model import Mails, mails, since
from notifications.searches.model import Question
from notifications.searches.service import checked

MOST_COMPARED: Final = 1000
MOST_SHOWN: Final = 20
AT_A_TIME: Final = 2
"""Previews that one process makes at a time; further ones wait for their turn."""
_SLICE: Final = 50


@dataclass(frozen=True, slots=True)
class Preview:
    """What a search would find: `compared` with so many vacancies, which are `all` that there are or the newest of them."""

    fitting: int
    shown: Sequence[Document]
    mails: Mails
    compared: int
    all: bool


@dataclass(frozen=True)
class Previews:
    """The use case."""

    clock: Clock
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_A_TIME))

    async def of(self, reads: Reads, criteria: Criteria) -> Preview:
        """Return what the criteria find now.

        Raises:
            InvalidProblem: The criteria break a rule.
        """
        question, today = Question.of(checked(criteria)), self.clock.today()
        async with self.turns:
            found = await alerts.current(reads, since=since(today), today=today, limit=MOST_COMPARED + 1)
            fitting = [one async for one in _fitting(question, found[:MOST_COMPARED])]
        offered = [one for one in fitting if alerts.is_still_offered(one, today)]
        return Preview(
            fitting=len(offered),
            shown=[await _shown(reads, one) for one in offered[:MOST_SHOWN]],
            mails=mails((date.fromisoformat(one["published_on"]) for one in fitting), today=today),
            compared=min(len(found), MOST_COMPARED),
            all=len(found) <= MOST_COMPARED,
        )


async def _fitting(question: Question, vacancies: Sequence[Document]) -> AsyncIterator[Document]:
    """Give the vacancies that fit, and other requests their turn in between."""
    for start in range(0, len(vacancies), _SLICE):
        for vacancy in vacancies[start : start + _SLICE]:
            if question.fits(vacancy["facts"]):
                yield vacancy
        await asyncio.sleep(0)


async def _shown(reads: Reads, vacancy: Document) -> dict[str, Any]:
    return {"id": vacancy["_id"], **await alerts.shown_of(reads, vacancy)}
