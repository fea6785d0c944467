"""What free text must not hold: a citizen service number (BSN), or what GDPR Art. 9 and 10 protect; Dutch and English.

A number is a BSN by the eleven test, however it is grouped; telephone numbers, days, periods and amounts are taken out before. A
diagnosis or a conviction counts beside a first-person word in the same sentence, unless it belongs to others there ('jongeren met
autisme') or to the work ('begeleider autisme'). A short list always counts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from unicodedata import category, normalize

from chassis.hashing import normal_word

from profiles import special_words


class Kind(StrEnum):
    """What was found: a BSN, or the category of Art. 9 or 10."""

    BSN = "bsn"
    HEALTH = "health"
    ETHNICITY = "ethnicity"
    RELIGION = "religion"
    POLITICS = "politics"
    UNION = "union"
    SEXUALITY = "sexuality"
    CRIMINAL = "criminal"


@dataclass(frozen=True, slots=True)
class Found:
    """A kind of thing that stands in the text at a path (`career.experience.0.description`); never the words themselves."""

    path: str
    kind: Kind


NO_TEXTS = frozenset({"contact.telephone", "contact.email", "identity.address.number", "identity.address.postal_code"})
"""Fields with a form of their own, in which any digits may stand rightly."""


def found_in(document: Mapping[str, Any]) -> list[Found]:
    """Return what has to be removed from what somebody writes, in the order of the fields."""
    return [Found(path, kind) for path, text in _texts(document) if path not in NO_TEXTS for kind in kinds_in(text)]


def kinds_in(text: str) -> list[Kind]:
    """Return which kinds of things stand in a text that must not."""
    found = {Kind.BSN} if has_bsn(text) else set()
    for sentence in _sentences(text):
        found |= {kind for kind, words in _ALWAYS.items() if words.search(sentence.words)}
        if sentence.personal:
            found |= {kind for kind, words in _PERSONAL.items() if _speaks_of_oneself(words, sentence.words)}
    return [kind for kind in Kind if kind in found]


def has_bsn(text: str) -> bool:
    """Tell whether a number of 8 or 9 digits, also with dots, blanks or dashes between, passes the eleven test."""
    return any(_passes_eleven_test(number) for number in _numbers(_RIGHTLY.sub("#", _plain(text))))


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{number}")


def _plain(text: str) -> str:
    """Return a text with the digits, blanks, dashes and apostrophes of a keyboard, and without signs that nobody sees."""
    return "".join(sign for sign in normalize("NFKC", text).translate(_KEYBOARD) if category(sign) != "Cf")


_KEYBOARD = {ord(sign): "-" for sign in "\u2010\u2011\u2012\u2013\u2014\u2212"} | {ord(sign): "'" for sign in "\u2018\u2019`"}

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_AMOUNT = r"\d[\d.]{0,14}(?:,(?:\d\d|-))?"
_AMOUNTS = rf"{_AMOUNT}(?: ?- ?{_AMOUNT})?"
_RIGHTLY = re.compile(
    # telephone numbers: Dutch with and without +31, others with their +
    r"(?<!\d)(?:\+|00)31[ ./-]*(?:\(0\))?(?:[ ./()-]{0,3}\d){9}(?!\d)"
    r"|\+\d(?:[ ./()-]{0,2}\d){6,13}(?!\d)"
    r"|(?<!\d)\(?0(?:[ ./()-]{0,3}\d){9,10}(?!\d)"
    # days, months, years and the periods between them
    rf"|(?<!\d){_DAY}[-./ ]{_MONTH}[-./ ]{_YEAR}(?!\d)|(?<!\d){_YEAR}[-./ ]{_MONTH}[-./ ]{_DAY}(?!\d)"
    rf"|(?<!\d){_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)|(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}(?!\d)"
    rf"|(?<!\d){_MONTH}[-./]{_YEAR}(?!\d)|(?<!\d){_YEAR}[-./]{_MONTH}(?!\d)|(?<!\d){_YEAR} {_YEAR}(?!\d)"
    # amounts, alone and as a range
    rf"|(?:€|(?i:\beuro?\b)) ?{_AMOUNTS}|{_AMOUNTS} ?(?:€|(?i:euro?\b))"
    r"|(?<![\d.])\d{1,3}(?:\.\d{3})*\.000(?![\d.])"
    r"|(?<![\d.-])(?:\d{4} ?- ?\d{4}|\d{1,2}\.\d{3} ?- ?\d{1,2}\.\d{3})(?![\d.-])"
    # postal codes
    r"|(?<![\d.-])[1-9]\d{3} ?[A-Z]{2}(?![A-Za-z])"
)
"""Numbers that stand rightly in a text."""
_GROUPED = re.compile(r"\d+(?:[ \t.-]{1,3}\d+)*")


def _numbers(text: str) -> Iterator[str]:
    """Give each number of 8 or 9 digits that neighbouring groups make."""
    for run in _GROUPED.finditer(text):
        groups = re.findall(r"\d+", run.group())
        for first in range(len(groups)):
            number = ""
            for group in groups[first : first + 9]:
                number += group
                if len(number) in (8, 9):
                    yield number


def _passes_eleven_test(number: str) -> bool:
    *digits, last = (int(digit) for digit in number.zfill(9))
    weighed = sum(weight * digit for weight, digit in zip(range(9, 1, -1), digits, strict=True))
    return weighed > 0 and (weighed - last) % 11 == 0


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One sentence as plain small words with a blank between, and whether it has a first-person word."""

    words: str
    personal: bool


def _sentences(text: str) -> Iterator[_Sentence]:
    for sentence in re.split(r"[.!?]+(?=\s|$)|[\n\r;\u2022]+", _plain(text)):
        words = " ".join(re.findall(r"[a-z0-9]+(?:'[a-z]+)?", normal_word(sentence)))
        yield _Sentence(words, bool(_FIRST_PERSON.search(words) or _ENGLISH_I.search(sentence)))


def _speaks_of_oneself(words: re.Pattern[str], sentence: str) -> bool:
    return any(_is_ones_own(sentence[: hit.start()].split(), sentence[hit.end() :].split()) for hit in words.finditer(sentence))


def _is_ones_own(before: list[str], after: list[str]) -> bool:
    """Tell whose state it is: read backwards, the first word that says so decides; the word behind it may say that it is work."""
    if after and after[0] in _OTHERS:
        return False
    nearest = next((word for word in reversed(before[-_LOOKED_BACK:]) if word in _ONESELF or word in _OTHERS), None)
    return nearest not in _OTHERS


def _listed(lines: str) -> list[str]:
    return [" ".join(one.split()) for one in lines.split(",")]


def _any_of(lines: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_listed(lines))})\b")


_LOOKED_BACK = 6
_ALWAYS = {Kind(name): _any_of(words) for name, words in special_words.ALWAYS.items()}
_PERSONAL = {Kind(name): _any_of(words) for name, words in special_words.PERSONAL.items()}
_FIRST_PERSON = _any_of(special_words.FIRST_PERSON)
_ENGLISH_I = re.compile(r"(?<![\w.])I(?:'[a-z]+)? +[a-z]")
"""A word of its own with another one behind it: `deel I` and `i.p.v.` are nobody."""
_ONESELF, _OTHERS = frozenset(_listed(special_words.ONESELF)), frozenset(_listed(special_words.OTHERS))
