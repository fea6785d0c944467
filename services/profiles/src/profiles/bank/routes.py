"""HTTP: recruiters search the bank and open a profile. Both state their purpose and are noted before they are answered."""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, TypeVar

from chassis import places
from chassis.http.guards import purposes, roles
from chassis.http.pagination import Page
from chassis.http.problems import FieldError, InvalidProblem, invalid
from chassis.mongo import Mongo
from chassis.places import AmbiguousPlaceError, Place
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from contracts.profiles.vacancy import EQF
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from profiles.bank.model import CEFR, Language, Query, Skill, has_words
from profiles.bank.service import PURPOSE, Bank, Opened
from profiles.budgets.service import Refused

_LOOKS = {"access": roles("recruiter", bank=True), "purposes": purposes(PURPOSE)}
_MOST = 10
_SKILL = re.compile(r"(?P<name>.{1,120}?)(:(?P<level>[1-5]))?")
_LANGUAGE = re.compile(r"(?P<code>[a-z]{2})(:(?P<level>[ABC][12]))?")
T = TypeVar("T")
Codes = Annotated[list[str] | None, QueryParameter(max_items=_MOST)]
Words = Annotated[str, QueryParameter(max_length=200)]


@get("/bank/search", opt=_LOOKS, tags=["Candidate bank"])
async def search(
    caller: NamedDependency[Caller],
    page: NamedDependency[Page],
    mongo: NamedDependency[Mongo],
    bank: NamedDependency[Bank],
    place: Words = "",
    radius_km: Annotated[int, QueryParameter(ge=1, le=300)] = 25,
    province: FromQuery[str | None] = None,
    skills: Codes = None,
    words: Words = "",
    level: FromQuery[str | None] = None,
    hours: Annotated[int | None, QueryParameter(ge=1, le=60)] = None,
    languages: Codes = None,
    licences: Codes = None,
    contract_types: Codes = None,
    remote: FromQuery[bool | None] = None,
    salary_to: Annotated[int | None, QueryParameter(ge=0, le=50_000)] = None,
    available_by: FromQuery[date | None] = None,
) -> dict[str, Any]:
    """Find active profiles; everything that is asked must hold, and only what a candidate shows can be found.

    `place` with `radius_km`: lives there or wants to work there; who shows only a province is found from every place in it.
    `skills=SQL:4`, `languages=en:B2`: at least that level. `level`: at least that level of education (EQF), completed.
    `hours`: wants to work so many hours a week. `words`: all of them, in titles, headline, summary and programmes.
    The cards show no more than an anonymous profile does; open one to see what its candidate chose to show.
    """
    query = Query(
        near=_place(place) if place else None,
        radius_km=radius_km,
        province=_known("province", province, places.PROVINCES),
        skills=_parsed("skills", skills, _skill),
        words=_with_words(words),
        level=_known("level", level, EQF),
        hours=hours,
        languages=_parsed("languages", languages, _language),
        licences=tuple(licences or ()),
        contract_types=tuple(contract_types or ()),
        remote=remote,
        salary_to=salary_to,
        available_by=available_by,
    )
    after = str(page.after[0]) if page.after else None
    await bank.check_fresh()

    async def work(uow: UnitOfWork) -> list[Opened] | Refused:
        return await bank.search(uow, caller=caller, query=query, after=after, limit=page.limit)

    found = await bank.budgets.look(mongo, caller, work)
    items = [_shown(one) for one in found[: page.limit] if one.readable]
    return page.answer(items, lambda one: [one.handle], found=found)


@get("/bank/profiles/{handle:str}", opt=_LOOKS, tags=["Candidate bank"])
async def view_profile(
    handle: FromPath[str], caller: NamedDependency[Caller], mongo: NamedDependency[Mongo], bank: NamedDependency[Bank]
) -> dict[str, Any]:
    """See what a candidate shows. The candidate can read that your organisation looked, and when."""
    await bank.check_fresh()

    async def work(uow: UnitOfWork) -> Opened | Refused:
        return await bank.view(uow, caller=caller, handle=handle)

    return _shown(await bank.budgets.look(mongo, caller, work))


def _shown(opened: Opened) -> dict[str, Any]:
    return {"handle": opened.handle, "profile": opened.profile}


def _place(name: str) -> Place:
    try:
        found = places.find(name)
    except AmbiguousPlaceError as several:
        error = FieldError("place", "ambiguous", "several places have this name: say which")
        raise InvalidProblem(errors=[error], choices=several.choices) from None
    if found is None:
        raise invalid("place", "unknown", "is no Dutch place that we know")
    return found


def _with_words(text: str) -> str:
    """Refuse signs alone: a search for nothing would show everybody."""
    if text.strip() and not has_words(text):
        raise invalid("words", "form", "at least one word with letters or digits")
    return text


def _known(field: str, code: str | None, known: Any) -> str | None:
    if code is not None and code not in known:
        raise invalid(field, "unknown", f"one of {', '.join(sorted(known))}")
    return code


def _parsed(field: str, texts: list[str] | None, parse: Callable[[str], T | None]) -> tuple[T, ...]:
    found = [parse(text.strip()) for text in texts or ()]
    if None in found:
        raise invalid(field, "form", "a name or code, with `:` and the least level behind it or without")
    return tuple(one for one in found if one is not None)


def _skill(text: str) -> Skill | None:
    read = _SKILL.fullmatch(text)
    return Skill(read["name"].strip(), int(read["level"] or 1)) if read and read["name"].strip() else None


def _language(text: str) -> Language | None:
    read = _LANGUAGE.fullmatch(text)
    return Language(read["code"], read["level"] or "A1") if read and (read["level"] or "A1") in CEFR else None


ROUTES = [search, view_profile]
