"""What people are told of vacancies, decided when the mail goes: nothing that is not offered, does not fit or is not wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from chassis.clock import Clock
from chassis.uow import Document, Reads, UnitOfWork
from contracts.consent.decision import PORTAL, DecisionEvent
from contracts.profiles.vacancy import VacancyEvent

from notifications.alerts import store
from notifications.alerts.model import facts, is_offered, shown
from notifications.composing.service import OwnWords
from notifications.news import service as news
from notifications.reasons import reasons
from notifications.searches.model import Question, described
from notifications.searches.service import Searches
from notifications.unsubscribe.service import Unsubscribing

log = structlog.get_logger()
PURPOSE = "job-alert"
ENDED_CONSENT = {"withdrawn", "expired"}
MOST_SHOWN = 50
"""Vacancies in one mail; of the others it says how many they are."""
READ_AT_ONCE = 100


@dataclass(frozen=True)
class Alerts:
    """The use cases of alerts."""

    clock: Clock
    searches: Searches
    unsubscribing: Unsubscribing

    async def keep_vacancy(self, uow: UnitOfWork, event: VacancyEvent) -> Document | None:
        """Keep a vacancy as it is now, and return what was kept of it before."""
        earlier = await store.vacancy(uow, event.vacancy)
        fields = {
            "state": event.state,
            "valid_through": event.valid_through.isoformat() if event.valid_through else None,
            "organisation": event.organisation,
            "published_on": event.published_on.isoformat(),
            "shown": shown(event),
            "facts": facts(event),
        }
        store.put_vacancy(uow, event.vacancy, fields)
        return earlier

    def may_be_offered(self, event: VacancyEvent) -> bool:
        """Tell whether people may be told of a vacancy now."""
        return is_offered(state=event.state, valid_through=event.valid_through, today=self.clock.today())

    async def vacancy(self, reads: Reads, vacancy: str) -> Document | None:
        """Return a vacancy as it is kept."""
        return await store.vacancy(reads, vacancy)

    def forget_vacancy(self, uow: UnitOfWork, vacancy: str) -> None:
        """Forget a vacancy."""
        store.remove_vacancy(uow, vacancy)

    async def words(self, reads: Reads, queued: Document) -> OwnWords | None:
        """Return what an alert or a digest says of its vacancies as they are now.

        None when the search or the wish for alerts ended, or none of the vacancies is offered and fits any more: whatever came
        first, nobody gets a mail that tells nothing.
        """
        search = queued["tags"]["search"]
        criteria = await self.searches.asked(reads, search)
        if criteria is None or await store.refuses(reads, queued["subject"]):
            return None
        question = Question.of(criteria)
        fitting = await self._still_fitting(reads, question, await news.told_by(reads, queued["_id"]))
        if not fitting:
            return None
        shown = [await self._told(reads, question, one) for one in fitting[:MOST_SHOWN]]
        link = self.unsubscribing.link(search)
        own = {"vacancies": shown, "more": len(fitting) - len(shown), "search": described(criteria), "unsubscribe": link}
        return OwnWords(own, unsubscribe=link)

    async def _still_fitting(self, reads: Reads, question: Question, ids: Sequence[str]) -> list[Document]:
        """Return those of these vacancies that are offered and fit."""
        today, found = self.clock.today(), list[Document]()
        for at in range(0, len(ids), READ_AT_ONCE):
            some = await store.vacancies(reads, ids[at : at + READ_AT_ONCE])
            found += [one for one in some if is_still_offered(one, today) and question.fits(one["facts"])]
        return found

    async def _told(self, reads: Reads, question: Question, vacancy: Document) -> dict[str, Any]:
        """Return what a mail shows of a vacancy."""
        return await shown_of(reads, vacancy) | {"why": reasons(question, vacancy["facts"])}


async def current(reads: Reads, *, since: date, today: date, limit: int) -> list[Document]:
    """Return the vacancies that were published since a day or are offered still, the newest first."""
    return await store.current(reads, since=since.isoformat(), today=today.isoformat(), limit=limit)


async def shown_of(reads: Reads, vacancy: Document) -> dict[str, Any]:
    """Return what people are shown of a vacancy that is kept, with the name of its organisation."""
    return {**vacancy["shown"], "organisation": await store.organisation_name(reads, vacancy["organisation"])}


def is_still_offered(vacancy: Document, today: date) -> bool:
    """Tell whether people may be told of a vacancy that is kept."""
    last = date.fromisoformat(vacancy["valid_through"]) if vacancy["valid_through"] else None
    return is_offered(state=vacancy["state"], valid_through=last, today=today)


def note_decision(uow: UnitOfWork, event: DecisionEvent) -> None:
    """Keep that a person withdrew from the portal's alerts. Saving a search is itself the request, so no 'yes' is waited for."""
    if event.purpose == PURPOSE and event.controller == PORTAL:
        store.note_refusal(uow, event.subject, refused=event.state in ENDED_CONSENT)


def refuse_meanwhile(uow: UnitOfWork, key: str) -> None:
    """Send a person no alerts until the decision under this key can be handled, and says what they want."""
    subject, _, rest = key.partition(":")
    if rest == f"{PURPOSE}:{PORTAL}":
        store.note_refusal(uow, subject, refused=True)


def forget(uow: UnitOfWork, subject: str) -> None:
    """Forget whether a person withdrew from alerts."""
    store.forget_refusal(uow, subject)
