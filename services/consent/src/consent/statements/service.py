"""Reads the texts that the service carries; a service with texts that nobody should see does not start."""

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, get_args

from contracts.consent.decision import ConsentPurpose

from consent.statements.model import LANGUAGES, Language, Statement, Statements, Wording

PURPOSES: tuple[str, ...] = get_args(ConsentPurpose)
"""Those that rest on consent."""


def load(folder: Traversable | None = None) -> Statements:
    """Return all versions.

    Raises:
        StatementError: A text is incomplete, holds HTML, or is not the one that was published.
    """
    texts = folder or files("consent.statements") / "texts"
    return Statements([_version(one) for one in texts.iterdir() if one.is_dir()], purposes=PURPOSES)


def _version(folder: Traversable) -> Statement:
    about = tomllib.loads((folder / "version.toml").read_text(encoding="utf-8"))
    wordings = {language: _wording(folder, language, about) for language in LANGUAGES if language in about["sha256"]}
    return Statement(folder.name, about["in_force_from"], wordings)


def _wording(folder: Traversable, language: Language, about: dict[str, Any]) -> Wording:
    return Wording(
        text=(folder / f"{language}.md").read_text(encoding="utf-8"),
        sha256=about["sha256"][language],
        changes=about["changes"].get(language, ""),
        questions={purpose: texts[language] for purpose, texts in about["questions"].items() if language in texts},
    )
