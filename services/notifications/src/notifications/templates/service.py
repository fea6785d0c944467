"""Turns a mail's words into a subject, a plain text and an HTML page; refuses a mail that is handed too little."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from chassis.http.language import Language, written
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent


def day(value: str, language: Language) -> str:
    """Write an ISO date out: `1 maart 2027`."""
    return written(date.fromisoformat(str(value))).to(language)  # str() so that a missing fact is named as missing


def oneline(text: str) -> str:
    """Put a text on one line; escaped text stays escaped."""
    return type(text)(" ".join(text.split()))


def _environment(parts: str, *, autoescape: bool) -> Environment:
    """Two of them: one makes plain text of a mail, where nothing may be escaped (`&amp;`), the other HTML, where all is."""
    environment = Environment(
        loader=FileSystemLoader([_HERE / parts, _HERE / "mails"]),
        undefined=StrictUndefined,
        autoescape=autoescape,  # noqa: S701 - off only for the plain text, see above
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # a release's words do not change: no file is looked at again
    )
    environment.filters["day"] = day
    environment.filters["oneline"] = oneline
    return environment


_TEXT = _environment("text", autoescape=False)
_HTML = _environment("html", autoescape=True)


def words(template: str, language: str, variables: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return subject line, plain text and HTML of a mail.

    Raises:
        jinja2.UndefinedError: A variable that the mail shows is missing.
        jinja2.TemplateNotFound: There is no such mail in this language.
    """
    name = f"{template}.{language}.jinja"
    given = {**variables, "language": language}
    subject, _, text = _TEXT.get_template(name).render(given).partition("\n")
    html = _HTML.get_template(name).render(given)
    return " ".join(subject.split()), re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n", html
