"""R26: every version of the privacy statement stays as it was published, and on each day one is in force."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from consent.statements.model import Statement, StatementError, Statements, Wording, sha256
from consent.statements.service import PURPOSES, load

FIRST, SECOND = date(2027, 1, 1), date(2027, 6, 1)


def wording(text: str = "# Title\n\nText.\n", **other: object) -> Wording:
    return replace(Wording(text, sha256(text), "New.", {"candidate-search": "May we?"}), **other)


def statement(version: str = "2027-01", day: date = FIRST, **wordings: Wording) -> Statement:
    return Statement(version, day, {"nl": wording(), "en": wording(), **wordings})


def statements(*given: Statement) -> Statements:
    return Statements(given, purposes=PURPOSES)


TWO = statements(statement("2027-06", SECOND), statement())


@pytest.mark.parametrize(
    ("day", "version"),
    [
        (FIRST - timedelta(days=1), None),
        (FIRST, "2027-01"),
        (SECOND - timedelta(days=1), "2027-01"),
        (SECOND, "2027-06"),
        (SECOND + timedelta(days=4000), "2027-06"),
    ],
)
def test_r26_a_version_is_in_force_from_its_day_until_the_next_ones(day: date, version: str | None):
    found = TWO.in_force(day)
    assert (found.version if found else None) == version


def test_r26_an_old_version_stays_and_knows_its_end():
    old = TWO.get("2027-01")
    assert old is not None
    assert TWO.in_force_until(old) == SECOND
    assert TWO.in_force_until(TWO.all[-1]) is None
    assert TWO.get("2026-12") is None


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "no privacy statement"),
        ([statement(), statement("2027-02")], "share"),
        ([statement(), statement(day=SECOND)], "share"),
        ([statement("latest")], "named by its month"),
        ([Statement("2027-01", FIRST, {"nl": wording()})], "exists in nl and en"),
        ([statement(en=wording(questions={}))], "same purposes"),
        ([statement(nl=wording(questions={"x": "?"}), en=wording(questions={"x": "?"}))], "from the list"),
        ([statement(en=wording("Text without a heading."))], "heading"),
        ([statement(en=wording(changes=""))], "what changed"),
        ([statement(en=wording("# Title\n\n<b>bold</b>\n"))], "HTML"),
        ([statement(en=wording("# Title\n\n<!-- hidden -->\n"))], "HTML"),
        ([statement(en=wording(sha256="0" * 64))], "not the one that was published"),
    ],
)
def test_texts_that_nobody_should_see_are_refused(given: list[Statement], complaint: str):
    with pytest.raises(StatementError, match=complaint):
        statements(*given)


def test_r26_the_texts_that_we_ship_are_fit_to_be_shown():
    shipped = load()
    for one in shipped.all:
        for wording in one.wordings.values():
            assert one.version in wording.text
            assert wording.title
            assert len(wording.text.split()) > 500


def test_r26_both_languages_have_the_same_sections():
    for one in load().all:
        shapes = [
            [line.split(" ")[0] for line in wording.text.splitlines() if line.startswith(("#", "|"))]
            for wording in one.wordings.values()
        ]
        assert shapes[0] == shapes[1]
