"""The mails' words: complete in both languages, given exactly what they show, safe as text and as HTML."""

import html as markup
import re
from pathlib import Path
from typing import Any

import pytest
from chassis.http.language import Text
from jinja2 import UndefinedError
from notifications import templates
from notifications.templates import TEMPLATES
from notifications.templates.service import day, words

LANGUAGES = ("nl", "en")
EVERY = [(name, language) for name in TEMPLATES for language in LANGUAGES]
every_mail = pytest.mark.parametrize(("name", "language"), EVERY)

WHY = [Text("noemt <SQL>", "mentions <SQL>"), Text("32-36 uur, gevraagd: vanaf 28", "32-36 hours, asked for: from 28")]
VACANCY = {
    "title": "Data-analist",
    "organisation": "Waterlinie Werk",
    "place": "Utrecht",
    "hours": "32-36",
    "url": None,
    "why": WHY,
}


def given(name: str, **other: Any) -> dict[str, Any]:
    template = TEMPLATES[name]
    facts = {fact.replace("-", "_"): "2027-03-01" if fact in template.days else "28" for fact in template.facts}
    variables = {
        "portal_url": "https://portal.example",
        "link": "https://portal.example/pages/secret-part",
        "greeting": None,
        "search": "analist",
        "vacancies": [VACANCY],
        "more": 0,
        "unsubscribe": "https://portal.example/pages/stop",
        **facts,
    }
    return {variable: variables[variable] for variable in template.variables - {"language"}} | other


def shown(html: str) -> str:
    """The words of the HTML's body, as somebody would read them."""
    body = html.partition("<body")[2].partition(">")[2]
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@every_mail
def test_every_mail_has_its_words_in_both_languages(name: str, language: str):
    subject, text, html = words(name, language, given(name))
    assert 10 < len(subject) < 90
    assert len(text.split()) > 30
    assert f'<html lang="{language}">' in html
    assert f"<title>{markup.escape(subject)}</title>" in html


def test_there_are_no_words_that_no_mail_uses():
    files = {path.name for path in (Path(str(templates.__file__)).parent / "mails").iterdir()}
    assert files == {f"{name}.{language}.jinja" for name, language in EVERY}


@every_mail
def test_a_mail_that_is_handed_too_little_is_refused(name: str, language: str):
    """So what the table lists is what the words use, no more and no less."""
    for variable in TEMPLATES[name].variables - {"language"}:
        partly = given(name)
        del partly[variable]
        with pytest.raises(UndefinedError):
            words(name, language, partly)


@every_mail
def test_text_and_html_say_the_same(name: str, language: str):
    """Word by word, but for the list's dashes and the line above the sender's name."""
    _, text, html = words(name, language, given(name, greeting="Sanne"))
    plain = re.sub(r"^-{1,2} ", "", text, flags=re.MULTILINE)
    links = " ".join(re.findall(r'href="([^"]+)"', html))
    assert set(re.findall(r"[\w-]+", f"{shown(html)} {links}")) == set(re.findall(r"[\w-]+", plain))


@every_mail
def test_opening_a_mail_loads_nothing_and_runs_nothing(name: str, language: str):
    """No pixel tells anybody that a mail was read."""
    _, _, html = words(name, language, given(name))
    assert not re.search(
        r"<(img|script|link|iframe|object|form|video|style)\b|\bsrc=|url\(|@import|\bon\w+=", html, re.IGNORECASE
    )
    addresses = set(re.findall(r'href="([^"]+)"', html))
    assert all(address.startswith("https://portal.example") for address in addresses)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name, template in TEMPLATES.items() if template.page])
def test_a_link_stands_whole_in_text_and_html(name: str, language: str):
    link = "https://portal.example" + str(TEMPLATES[name].page) + "a" * 60
    _, text, html = words(name, language, given(name, link=link))
    assert f"\n{link}\n" in text
    assert f'href="{link}"' in html


@every_mail
def test_a_name_greets_only_when_it_was_sealed_in(name: str, language: str):
    _, text, _ = words(name, language, given(name, greeting="Sanne"))
    assert "Sanne" in text
    _, anonymous, html = words(name, language, given(name, greeting=None))
    assert anonymous.startswith(("Hallo,", "Hello,"))
    assert "None" not in anonymous + html


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_others_wrote_cannot_become_markup_or_a_second_line(language: str):
    hostile = VACANCY | {"title": 'Chef <script>alert("x")</script> & co\nBcc: all@portal.example'}
    subject, text, html = words("job-alert", language, given("job-alert", vacancies=[hostile], greeting="<b>Jan</b>"))
    assert subject.endswith('<script>alert("x")</script> & co Bcc: all@portal.example')
    assert 'Chef <script>alert("x")</script> & co Bcc' in text
    assert "<script" not in html
    assert "<b>Jan" not in html
    assert "&amp;lt;" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alert_lists_every_vacancy_and_says_how_to_stop(language: str):
    second = VACANCY | {"title": "Data-engineer", "place": None, "hours": None, "url": "https://portal.example/v/2", "why": []}
    subject, text, html = words("job-alert", language, given("job-alert", vacancies=[VACANCY, second]))
    assert subject.startswith("2 ")
    assert "- Data-analist\n  Waterlinie Werk · Utrecht · 32-36 " in text
    assert f"\n  {'; '.join(reason.to(language) for reason in WHY)}\n" in text
    assert "; ".join(reason.to(language) for reason in WHY) in shown(html)
    assert "- Data-engineer\n  Waterlinie Werk\n  https://portal.example/v/2" in text
    assert "https://portal.example/pages/stop" in text
    assert 'href="https://portal.example/pages/stop"' in html


def test_a_day_is_written_out_in_the_mails_language():
    assert day("2027-03-01", "nl") == "1 maart 2027"
    assert day("2028-12-31", "en") == "31 December 2028"


def test_what_must_arrive_is_what_somebody_would_lose_without():
    lost = {name for name, template in TEMPLATES.items() if template.mail_class == "must-arrive"}
    assert {"confirm-address", "renewal-asked", "renewal-reminder", "profile-expired"} <= lost
    assert "job-alert" not in lost
