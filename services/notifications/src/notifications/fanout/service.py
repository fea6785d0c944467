"""The use cases of a fan-out: begin one for each share with the vacancy's own change, go a batch further, end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chassis.ids import new_id
from chassis.uow import Document, Reads, UnitOfWork
from contracts.profiles.vacancy import VacancyEvent

from notifications.alerts.service import Alerts
from notifications.fanout import store
from notifications.fanout.model import is_news, row_id
from notifications.matching.model import Offered
from notifications.news import service as news
from notifications.searches import service as searches
from notifications.searches.model import Facts, offered
from notifications.searches.service import Searches


@dataclass(frozen=True, slots=True)
class Ready:
    """A fan-out with what its vacancy says, and what it said when it was last fanned out."""

    row: Document
    said: Offered
    before: Offered | None


@dataclass(frozen=True)
class FanOut:
    """The use cases."""

    alerts: Alerts
    searches: Searches
    shares: int

    async def take(self, uow: UnitOfWork, event: VacancyEvent) -> None:
        """Keep a vacancy as it is now, and let every share look whom it fits; nobody when it is not offered any more."""
        earlier = await self.alerts.keep_vacancy(uow, event)
        if self.alerts.may_be_offered(event):
            await self._begin(uow, event, earlier)
        else:
            await self._end(uow, event.vacancy)

    async def forget(self, uow: UnitOfWork, vacancy: str) -> None:
        """Forget a vacancy: nobody is told of it any more."""
        self.alerts.forget_vacancy(uow, vacancy)
        await self._end(uow, vacancy)

    async def _begin(self, uow: UnitOfWork, event: VacancyEvent, earlier: Document | None) -> None:
        """Begin anew in every share. A share that had not ended compares with what the vacancy said when it last had."""
        under_way = {row["share"]: row for row in await store.of_vacancy(uow, event.vacancy)}
        before = None if earlier is None else earlier["facts"]
        for share in range(self.shares):
            row: dict[str, Any] = {
                "_id": row_id(event.vacancy, share),
                "vacancy": event.vacancy,
                "share": share,
                "run": new_id(),
                "published_on": event.published_on.isoformat(),
                "before": under_way[share]["before"] if share in under_way else before,
                "after": "",
                "at": uow.clock.machine(),
            }
            store.put(uow, row)

    async def _end(self, uow: UnitOfWork, vacancy: str) -> None:
        for row in await store.of_vacancy(uow, vacancy):
            store.remove(uow, row)

    async def ready(self, reads: Reads, row: Document) -> Ready | None:
        """Return what the vacancy of a fan-out says; None when the fan-out has ended or begun anew meanwhile."""
        standing, vacancy = await store.running(reads, row), await self.alerts.vacancy(reads, row["vacancy"])
        if standing is None or vacancy is None:
            return None
        before = None if row["before"] is None else self._said(row["before"])
        return Ready(standing, self._said(vacancy["facts"]), before)

    def _said(self, facts: Facts) -> Offered:
        return offered(facts, hashed=self.searches.hashed)

    async def go_on(self, uow: UnitOfWork, ready: Ready, found: Sequence[str], *, last: bool) -> bool:
        """Alert those of these searches to which the vacancy is news, and note how far it came, in one transaction.

        The searches are read again as they are now: one that was stopped or removed, or whose person is erased, is not alerted,
        whatever the index knew. Returns False when the fan-out has ended or begun anew meanwhile.
        """
        standing = await store.running(uow, ready.row)
        if standing is None:
            return False
        published_on = date.fromisoformat(standing["published_on"])
        there = await searches.wanting(uow, found, compared=ready.before is not None)
        wanting = [one for one in there if is_news(one, published_on=published_on, before=ready.before)]
        await news.add(uow, wanting, standing["vacancy"])
        if last:
            store.remove(uow, standing)
        else:
            store.put(uow, standing | {"after": found[-1]})
        return True


async def oldest_since(reads: Reads) -> datetime | None:
    """Return since when the vacancy that is under way for longest is."""
    row = await store.oldest(reads)
    return None if row is None else row["at"]
