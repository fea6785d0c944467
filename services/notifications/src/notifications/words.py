"""Words as they are compared: each by its stem, and each run of up to five within a sentence as a phrase. No I/O.

A word's stem is the Dutch stem of it in small letters without accents, and the English stem of that. One rule for both languages
and both sides, so nobody has to guess which language a text is in: `leraar` finds `leraren`, and `nurse` finds `nursing`.

The Dutch stemmer (Snowball's, of Kraaij and Pohlmann) would take `ge` out of a word too, and `begeleiding` would find `beleid`:
such a word is stemmed by Snowball's other Dutch stemmer, which leaves beginnings alone. So `gebouwd` does not find `bouwen`. Some
forms of a verb stay apart too (`calculeert`, `calculeren`), compounds and their parts, and a word in two languages.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from chassis.hashing import normal_word
from Stemmer import Stemmer

LONGEST_PHRASE = 5
_SENTENCE_END = re.compile(r"[.!?;:]+(?=\s|$)|[\r\n\t\u2022|]+")
_POSSESSIVE = re.compile(r"(?<=\w)['\u2019]s\b")
_WORD = re.compile(r"[\w+#]+")
_BREAK = " . "
_DUTCH, _DUTCH_ENDINGS, _ENGLISH = Stemmer("dutch"), Stemmer("dutch_porter"), Stemmer("english")
_BEGINNING = 5
"""Within so many letters of a word `ge` is a beginning of it, as in `begeleid` and `gebouw`."""

Number = Callable[[str], int]
"""Gives a stem its number: the same for the searches and for the vacancies that are compared with them."""
_STEP, _MASK, _SIGN = 0x9E3779B97F4A7C15, (1 << 64) - 1, 1 << 63


def stems(text: str) -> list[str]:
    """Return the stems of a text that is one sentence, or less. `C++` and `C#` stay what they are."""
    return [_stem(word) for word in _WORD.findall(_POSSESSIVE.sub("", normal_word(text)))]


def _stem(word: str) -> str:
    dutch = _DUTCH.stemWord(word)
    if "ge" in word[:_BEGINNING] and "ge" not in dutch[:_BEGINNING]:
        dutch = _DUTCH_ENDINGS.stemWord(word)
    return str(_ENGLISH.stemWord(dutch))


def stemmed(texts: Iterable[str]) -> str:
    """Return the stems of several texts in one line, with a break after each sentence; `says` finds a phrase in it."""
    sentences = [stems(sentence) for text in texts for sentence in _SENTENCE_END.split(text)]
    return f" {_BREAK.join(' '.join(sentence) for sentence in sentences if sentence)} "


def says(line: str, phrase: Sequence[str]) -> bool:
    """Tell whether the stems of a phrase stand one after the other in a line of `stemmed`."""
    return f" {' '.join(phrase)} " in line


def number_of(phrase: Iterable[str], number: Number) -> int:
    """Return the number of a phrase: of its stems' numbers, in their order. A phrase of one stem has that stem's number."""
    whole = 0
    for stem in phrase:
        whole = (whole * _STEP + number(stem)) & _MASK
    return _signed(whole)


def numbers_of(line: str, number: Number) -> Iterator[int]:
    """Give the number of every stem and every phrase in a line of `stemmed`."""
    known = {stem: number(stem) for stem in {*line.split()} - {_BREAK.strip()}}
    for sentence in line.split(_BREAK):
        said = [known[stem] for stem in sentence.split()]
        for start in range(len(said)):
            whole = 0
            for one in said[start : start + LONGEST_PHRASE]:
                whole = (whole * _STEP + one) & _MASK
                yield _signed(whole)


def _signed(number: int) -> int:
    """Return it as MongoDB keeps a whole number: signed, in 64 bits."""
    return number - (_MASK + 1) if number & _SIGN else number
