"""Telling people of new vacancies: one mail for each pair of search and vacancy, and none that is not wanted any more."""

from dataclasses import dataclass
from datetime import date

import structlog
from chassis.clock import Clock
from chassis.uow import Document, Reads, UnitOfWork
from contracts.consent.decision import PORTAL, DecisionEvent
from contracts.profiles.vacancy import VacancyEvent

from notifications.alerts import store
from notifications.alerts.model import IMMEDIATE, TEMPLATE, cause, facts, is_offered, shown
from notifications.composing.service import OwnWords
from notifications.mail import service as mail
from notifications.mail.service import NewMail
from notifications.matching.service import Match, Matcher
from notifications.reasons import reasons
from notifications.searches.model import Question, described, offered
from notifications.searches.service import Searches
from notifications.unsubscribe.service import Unsubscribing

log = structlog.get_logger()
PURPOSE = "job-alert"
ENDED_CONSENT = {"withdrawn", "expired"}


@dataclass(frozen=True)
class Alerts:
    """The use cases of alerts."""

    clock: Clock
    searches: Searches
    matcher: Matcher
    unsubscribing: Unsubscribing

    async def take(self, uow: UnitOfWork, event: VacancyEvent) -> None:
        """Keep a vacancy, and offer one mail to each search that it fits and to which it is news.

        Whatever an event's order or number, a pair of search and vacancy has one cause and so one mail. Whether it goes is
        decided when it goes (`words`), so what the person or the organisation says meanwhile may come before or after this.
        """
        fields = {
            "state": event.state,
            "valid_through": event.valid_through.isoformat() if event.valid_through else None,
            "organisation": event.organisation,
            "published_on": event.published_on.isoformat(),
            "shown": shown(event),
            "facts": facts(event),
        }
        store.put_vacancy(uow, event.vacancy, fields)
        if not is_offered(state=event.state, valid_through=event.valid_through, today=self.clock.today()):
            return
        for match in await self._matches(uow, event):
            self._offer(uow, match, event.vacancy)

    async def _matches(self, uow: UnitOfWork, event: VacancyEvent) -> list[Match]:
        said = offered(facts(event), hashed=self.searches.hashed)
        return list(await self.matcher.matching(uow, said, frequency=IMMEDIATE, published_on=event.published_on))

    def _offer(self, uow: UnitOfWork, match: Match, vacancy: str) -> None:
        new = NewMail(
            cause=cause(match.search, vacancy),
            asker="notifications",
            subject=match.subject,
            template=TEMPLATE,
            language="nl",
            facts={},
            tags={"search": match.search, "vacancy": vacancy},
        )
        mail.queue(uow, new, now=self.clock.machine())

    async def words(self, reads: Reads, queued: Document) -> OwnWords | None:
        """Return what an alert says; None when search, vacancy or the wish for alerts ended, or the two fit no more."""
        search, vacancy = queued["tags"]["search"], await store.vacancy(reads, queued["tags"]["vacancy"])
        if vacancy is None or not self._still_offered(vacancy):
            return None
        criteria = await self.searches.asked(reads, search)
        question = None if criteria is None else Question.of(criteria)
        if question is None or not question.fits(vacancy["facts"]) or await store.refuses(reads, queued["subject"]):
            return None
        organisation = await store.organisation_name(reads, vacancy["organisation"])
        one = vacancy["shown"] | {"organisation": organisation, "why": reasons(question, vacancy["facts"])}
        link = self.unsubscribing.link(search)
        return OwnWords({"vacancies": [one], "search": described(question.criteria), "unsubscribe": link}, unsubscribe=link)

    def _still_offered(self, vacancy: Document) -> bool:
        last = date.fromisoformat(vacancy["valid_through"]) if vacancy["valid_through"] else None
        return is_offered(state=vacancy["state"], valid_through=last, today=self.clock.today())


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
