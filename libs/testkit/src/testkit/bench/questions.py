"""What `growth` asks: every list that somebody pages through, every way to search the bank, every sweep of a job."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.mongo import Mongo
from chassis.places import Place
from consent.decisions import store as decisions
from identity.accounts import store as accounts
from identity.clients import store as clients
from identity.invitations import store as invitations
from identity.organisations import store as organisations
from identity.sessions import store as sessions
from notifications.mail import store as mails
from notifications.news import store as news
from notifications.searches import store as searches
from profiles import records
from profiles.bank import store as bank
from profiles.bank.model import Language, Query, Skill
from profiles.vacancies import store as vacancies
from profiles.views import store as accesses

from testkit.bench.crowd import KEY, NOW, RARE, RARE_SKILL, RARE_WORD, TERSCHELLING, subject_of

Ask = Callable[[Mongo], Awaitable[list[Any]]]
FIRST = subject_of(0)
PAGE = 50


@dataclass(frozen=True)
class Question:
    """A question by its name, and how many results it has whatever the size of the crowd."""

    name: str
    ask: Ask
    results: int = RARE


def _bank(name: str, query: Query, results: int = RARE) -> Question:
    return Question(f"bank-{name}", lambda mongo: bank.find_page(mongo, query, key=KEY, after=None, limit=PAGE), results)


async def _one(found: Awaitable[Any]) -> list[Any]:
    return [await found]


_ISLAND = Place("Terschelling", "NL-FR", latitude=TERSCHELLING[1], longitude=TERSCHELLING[0], label="Terschelling")

SEARCHES = (
    _bank("everybody", Query(), PAGE),
    _bank("near", Query(near=_ISLAND, radius_km=25)),
    _bank("province", Query(province="NL-FR")),
    _bank("skill", Query(skills=(Skill(RARE_SKILL),))),
    _bank("words", Query(words=RARE_WORD)),
    _bank("level", Query(level="phd")),
    _bank("hours", Query(hours=10)),
    _bank("language", Query(languages=(Language("fy"),))),
    _bank("licence", Query(licences=("CE",))),
    _bank("contract", Query(contract_types=("volunteer",))),
    _bank("remote", Query(remote=True)),
    _bank("salary", Query(salary_to=1500)),
    _bank("available", Query(available_by=NOW.date())),
)
LISTS = (
    Question("views", lambda mongo: accesses.find_of(mongo, FIRST, before=None, limit=PAGE)),
    Question("vacancies", lambda mongo: vacancies.find_of(mongo, "rare", state=None, before=None, limit=PAGE)),
    Question("decisions", lambda mongo: decisions.decisions(mongo, FIRST)),
    Question("history", lambda mongo: decisions.history(mongo, FIRST, until=date(2026, 12, 31))),
    Question("account", lambda mongo: _one(accounts.account_at(mongo, "hash-1")), 1),
    Question("clients", lambda mongo: clients.page(mongo, "rare", after="", limit=PAGE)),
    Question("organisations", lambda mongo: organisations.page(mongo, after="", limit=PAGE, suspended_too=False)),
    Question("all-organisations", lambda mongo: organisations.page(mongo, after="", limit=PAGE, suspended_too=True), PAGE),
    Question("memberships", lambda mongo: organisations.of_member(mongo, FIRST)),
    Question("sessions", lambda mongo: sessions.open_sessions(mongo, {"account": subject_of(2)}, NOW), 1),
    Question("saved-searches", lambda mongo: searches.searches_of(mongo, FIRST, after=None, limit=PAGE)),
)
SWEEPS = (
    Question("due-profiles", lambda mongo: records.find_due(mongo, today=NOW.date(), limit=PAGE)),
    Question("unconfirmed", lambda mongo: accounts.registrations_to_erase(mongo, NOW, PAGE)),
    Question("old-invitations", lambda mongo: invitations.to_erase(mongo, NOW, PAGE)),
    Question("old-sessions", lambda mongo: sessions.over(mongo, NOW, PAGE)),
    Question("due-mails", lambda mongo: _one(mails.any_due(mongo, NOW)), 1),
    Question("overdue-mails", lambda mongo: mails.overdue(mongo, asked_before=NOW, now=NOW, limit=PAGE)),
    Question("due-digests", lambda mongo: news.due(mongo, NOW, limit=PAGE)),
    Question("told", lambda mongo: news.of_subject(mongo, FIRST)),
)
QUESTIONS = (*SEARCHES, *LISTS, *SWEEPS)
