"""Why a vacancy fits a search, in words for its owner: what they asked for, beside what the vacancy says."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial

from chassis.http.language import Language, Text, written
from chassis.places import PROVINCES
from contracts.profiles.vacancy import A_MONTH
from contracts.sectors import SECTORS

from notifications.criteria import DEFAULT_KM, Criteria, terms
from notifications.matching.model import Range, Reason, why
from notifications.searches.model import Facts, Question
from notifications.words import stems

_NAMES: Mapping[str, Mapping[str, Text]] = {
    "provinces": {code: Text(f"in {name}", f"in {name}") for code, name in PROVINCES.items()},
    "contract_types": {
        "permanent": Text("vast contract", "permanent contract"),
        "temporary": Text("tijdelijk contract", "temporary contract"),
        "agency": Text("uitzendwerk", "agency work"),
        "freelance": Text("opdracht voor zelfstandigen", "freelance work"),
        "internship": Text("stage", "internship"),
        "apprenticeship": Text("leerwerkplek", "apprenticeship"),
        "volunteer": Text("vrijwilligerswerk", "volunteer work"),
    },
    "workplaces": {
        "on-site": Text("op locatie", "on site"),
        "hybrid": Text("deels thuis", "partly at home"),
        "remote": Text("op afstand", "remote"),
    },
    "sectors": {code: Text(section.nl, section.en) for code, section in SECTORS.items()},
}
_ANYWHERE = Text("kan overal vandaan gedaan worden", "can be done from anywhere")


def reasons(question: Question, facts: Facts) -> list[Text]:
    """Return why a vacancy that fits does so, one text for each condition of the search that does not exclude."""
    found = why(question.wanted, question.offered(facts))
    return [_TOLD[reason.condition](reason, question, facts) for reason in found]


def _words(reason: Reason, question: Question, _: Facts) -> Text:
    said = _typed(reason, question, {**terms(question.criteria.any_words), **terms(question.criteria.words)})
    return Text(f"noemt {said}", f"mentions {said}")


def _skills(reason: Reason, question: Question, _: Facts) -> Text:
    said = _typed(reason, question, {tuple(stems(skill)): skill for skill in question.criteria.skills})
    return Text(f"vraagt {said}", f"asks for {said}")


def _typed(reason: Reason, question: Question, typed: Mapping[tuple[str, ...], str]) -> str:
    return ", ".join(term for phrase, term in typed.items() if question.numbers[phrase] in reason.common)


def _near(reason: Reason, question: Question, facts: Facts) -> Text:
    if reason.position is None or reason.km is None:
        return _ANYWHERE
    place, asked, radius = facts["places"][reason.position]["name"], question.criteria.place, _radius(question.criteria)
    if reason.km < 1:
        return Text(f"in {place}", f"in {place}")
    return Text(
        f"{place} ligt {reason.km:.0f} km van {asked} (binnen {radius} km)",
        f"{place} is {reason.km:.0f} km from {asked} (within {radius} km)",
    )


def _radius(criteria: Criteria) -> int:
    return criteria.radius_km or DEFAULT_KM


def _hours(reason: Reason, _: Question, __: Facts) -> Text:
    return _compared(reason, lambda hours, _: f"{hours:.0f}", Text("uur", "hours"))


def _salary(reason: Reason, question: Question, _: Facts) -> Text:
    if reason.offered is None:
        return Text("noemt geen salaris", "does not say what it pays")
    per = question.criteria.salary_per
    unit = Text("euro per uur", "euros an hour") if per == "hour" else Text("euro per maand", "euros a month")
    return _compared(reason, partial(_euros, times=A_MONTH[per.upper()], cents=per == "hour"), unit)


def _euros(amount: float, language: Language, *, times: float, cents: bool) -> str:
    figures = f"{amount / times:,.2f}" if cents else f"{amount / times:,.0f}"
    return figures if language == "en" else figures.translate(str.maketrans(",.", ".,"))


def _compared(reason: Reason, write: Callable[[float, Language], str], unit: Text) -> Text:
    """Return both ranges: '32 hours within 24-36', or what is asked beside it where it is open or only overlaps."""
    asked, offered = reason.wanted, reason.offered
    if asked is None or offered is None:
        raise ValueError("a range that a vacancy does not state does not fit")
    within = math.isfinite(asked[0]) and math.isfinite(asked[1]) and asked[0] <= offered[0] <= offered[1] <= asked[1]
    between = Text(" binnen", " within") if within else Text(", gevraagd:", ", asked for:")
    nl, en = (
        f"{_ends(offered, write, language)} {unit.to(language)}{between.to(language)} {_ends(asked, write, language)}"
        for language in _LANGUAGES
    )
    return Text(nl, en)


_LANGUAGES: tuple[Language, Language] = ("nl", "en")


def _ends(ends: Range, write: Callable[[float, Language], str], language: Language) -> str:
    least, most = ends
    if not math.isfinite(most):
        return f"{Text('vanaf', 'from').to(language)} {write(least, language)}"
    if not math.isfinite(least):
        return f"{Text('tot', 'up to').to(language)} {write(most, language)}"
    return write(least, language) if least == most else f"{write(least, language)}-{write(most, language)}"


def _starts(reason: Reason, _: Question, __: Facts) -> Text:
    if reason.offered is None:
        return Text("noemt geen begindatum", "does not say when it begins")
    day = written(date.fromordinal(int(reason.offered[0])))
    return Text(f"begint op {day.nl}", f"begins on {day.en}")


def _levels(_: Reason, __: Question, facts: Facts) -> Text:
    if facts["level"] is None:
        return Text("vraagt geen opleidingsniveau", "asks for no level of education")
    return Text(f"opleidingsniveau {facts['level']}", f"level of education {facts['level']}")


def _codes(reason: Reason, _: Question, __: Facts) -> Text:
    names = _NAMES[reason.condition]
    return _joined([text for code, text in names.items() if code in reason.common]) if reason.common else _ANYWHERE


def _joined(texts: Iterable[Text]) -> Text:
    several = list(texts)
    return Text(", ".join(text.nl for text in several), ", ".join(text.en for text in several))


def _organisations(_: Reason, __: Question, ___: Facts) -> Text:
    return Text("bij een organisatie van je keuze", "at an organisation of your choice")


_TOLD: Mapping[str, Callable[[Reason, Question, Facts], Text]] = {
    "all_words": _words,
    "any_words": _words,
    "skills": _skills,
    "near": _near,
    "hours": _hours,
    "salary": _salary,
    "starts": _starts,
    "levels": _levels,
    "provinces": _codes,
    "contract_types": _codes,
    "workplaces": _codes,
    "sectors": _codes,
    "organisations": _organisations,
}
