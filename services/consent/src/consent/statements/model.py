"""Versions of the privacy statement: one is in force on each day, and a published text never changes."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "en")
_VERSION = re.compile(r"\d{4}-\d{2}(-\d{1,2})?")
_MARKUP = re.compile(r"<[A-Za-z/!?]")


class StatementError(Exception):
    """The texts that the service carries are not fit to be shown; it does not start with them."""

    loggable = True


@dataclass(frozen=True)
class Wording:
    """One version in one language: the text (Markdown without HTML), its hash, what changed, and what is asked by purpose."""

    text: str
    sha256: str
    changes: str
    questions: Mapping[str, str]

    @property
    def title(self) -> str:
        """The first heading."""
        return self.text.partition("\n")[0].removeprefix("# ").strip()


@dataclass(frozen=True)
class Statement:
    """One version. It is in force from a day until the next version's day."""

    version: str
    in_force_from: date
    wordings: Mapping[Language, Wording]


class Statements:
    """All versions, the oldest first. Raises `StatementError` for what nobody should be shown."""

    def __init__(self, statements: Iterable[Statement], *, purposes: Iterable[str]) -> None:
        self.all = tuple(sorted(statements, key=lambda one: one.in_force_from))
        if not self.all:
            raise StatementError("there is no privacy statement")
        for values in ([one.version for one in self.all], [one.in_force_from for one in self.all]):
            if len(set(values)) < len(values):
                raise StatementError("two versions share a name or a day")
        known = frozenset(purposes)
        for one in self.all:
            _check(one, known)

    def get(self, version: str) -> Statement | None:
        """Return a version, or None."""
        return next((one for one in self.all if one.version == version), None)

    def in_force(self, day: date) -> Statement | None:
        """Return the version that is in force on that day, or None before the first."""
        return next((one for one in reversed(self.all) if one.in_force_from <= day), None)

    def in_force_until(self, statement: Statement) -> date | None:
        """Return the first day on which a version is no longer in force; None while no later one is known."""
        return next((one.in_force_from for one in self.all if one.in_force_from > statement.in_force_from), None)


def sha256(text: str) -> str:
    """Return the hash of a text, which proves later what was shown."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(statement: Statement, purposes: frozenset[str]) -> None:
    if not _VERSION.fullmatch(statement.version):
        raise StatementError(f"{statement.version}: a version is named by its month, as 2026-01")
    if set(statement.wordings) != set(LANGUAGES):
        raise StatementError(f"{statement.version}: each version exists in {' and '.join(LANGUAGES)}")
    asked = [set(wording.questions) for wording in statement.wordings.values()]
    if any(one != asked[0] for one in asked) or not asked[0] <= purposes:
        raise StatementError(f"{statement.version}: both languages ask for the same purposes, all from the list")
    for language, wording in statement.wordings.items():
        where = f"{statement.version}.{language}"
        if not wording.text.startswith("# ") or not wording.changes:
            raise StatementError(f"{where}: a text begins with a heading and says what changed")
        if _MARKUP.search(wording.text):
            raise StatementError(f"{where}: the text holds HTML")
        if sha256(wording.text) != wording.sha256:
            raise StatementError(f"{where}: the text is not the one that was published; make a new version instead")
