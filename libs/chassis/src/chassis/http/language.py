"""Dutch or English: which of the two a request asks for, and what both need."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from litestar.connection import ASGIConnection

Language = Literal["nl", "en"]
Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True)
class Text:
    """A text in both languages."""

    nl: str
    en: str

    def to(self, language: Language) -> str:
        """Return it in one language."""
        return self.en if language == "en" else self.nl


def written(day: date) -> Text:
    """Write a day out: `1 maart 2027`."""
    nl, en = (months.split()[day.month - 1] for months in (_MONTHS.nl, _MONTHS.en))
    return Text(f"{day.day} {nl} {day.year}", f"{day.day} {en} {day.year}")


_MONTHS = Text(
    "januari februari maart april mei juni juli augustus september oktober november december",
    "January February March April May June July August September October November December",
)


def language_of(connection: Connection) -> Language:
    """Return what `?lang=` says, else the better liked one of `Accept-Language`, else Dutch."""
    chosen = connection.query_params.get("lang")
    if chosen in ("nl", "en"):
        return "en" if chosen == "en" else "nl"
    liked = {"nl": 0.0, "en": 0.0}
    for part in connection.headers.get("accept-language", "")[:200].split(","):
        tag, _, quality = part.strip().lower().partition(";q=")
        primary = tag.split("-")[0]
        if primary in liked:
            liked[primary] = max(liked[primary], _number(quality))
    return "en" if liked["en"] > liked["nl"] else "nl"


def _number(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0.0
