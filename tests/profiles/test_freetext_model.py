"""What is found in free text and what is not (R9, R11): the eleven test, special categories, occupations."""

import pytest
from profiles import special_words
from profiles.freetext.model import Found, Kind, found_in, has_bsn, kinds_in
from testkit.samples import people

BSN = "111222333"  # passes the eleven test, as 123456782 does
WITH_BSN = [
    BSN,
    "123456782",
    f"Mijn BSN is {BSN}.",
    "1112.22.333",
    "111.222.333",
    "111-222-333",
    "111 222 333",
    "11 12 22 333",
    "1 1 1 2 2 2 3 3 3",
    "111 - 222 - 333",
    "111\u2013222\u2013333",
    "111\u00a0222\u00a0333",
    "111\u200b222333",
    "".join(chr(0xFF10 + int(digit)) for digit in BSN),  # full width
    f"BSN{BSN}",
    f"NL{BSN}B01",
    "12345672",  # eight digits: a leading zero left out
    f"Bereikbaar op 06 12345678 {BSN}",
    f"Geboren 12-05-1991 {BSN}",
    f"(bsn: {BSN}, tel. +31 6 1234 5678)",
    f"2019 {BSN}",
]
WITHOUT_BSN = [
    "123456789",  # fails the eleven test
    "111222334",
    "000000000",
    "00000000",
    f"{BSN}0",  # ten digits
    "1234567",
    "06 12345672",
    "06-12345672",
    "06 123 456 72",
    "+31 6 12345672",
    "0031612345672",
    "+31 (0)6 1234 5672",
    "030 - 12345672",
    "(030) 12345672",
    "+32 475 12 34 56 72",
    "+49 1112 22333",
    "12-05-1991",
    "10.01.2008",
    "1991-05-12",
    "10 01 2008",
    "20080110",
    "10012008",
    "2010-2014",
    "2010 - 2014",
    "2008 2010",
    "01-2019 - 03-2021",
    "2019-01 - 2021-03",
    "3012-4000",
    "€ 3.012 - 4.000",
    "3.012 - 4.001",
    "€ 11.122.233",
    "11122233 euro",
    "budget van 11.122.000",
    "1112 AB 22333",
    "Kerkstraat 111, 2223 AB",
]


@pytest.mark.parametrize("text", WITH_BSN)
def test_r09_a_bsn_is_found_however_it_is_written(text):
    assert has_bsn(text)


@pytest.mark.parametrize("text", WITHOUT_BSN)
def test_r09_other_numbers_are_none(text):
    assert not has_bsn(text)


def _would_pass_alone(text):
    return has_bsn("".join(sign for sign in text if sign.isdigit())[-8:])


def test_r09_some_of_the_other_numbers_would_pass_the_eleven_test_by_themselves():
    """Or the table above would hold whatever is taken out before."""
    assert sum(_would_pass_alone(text) for text in WITHOUT_BSN) >= 3
    assert has_bsn("12345672")
    assert not has_bsn("06 12345672")


@pytest.mark.parametrize("month", range(1, 13))
def test_r09_no_day_and_no_period_of_a_working_life_is_taken_for_a_bsn(month):
    forms = ("{d:02}-{m:02}-{y}", "{d}-{m}-{y}", "{y}-{m:02}-{d:02}", "{d:02}.{m:02}.{y}", "{d:02} {m:02} {y}", "{y}{m:02}{d:02}")
    days = [form.format(d=day, m=month, y=year) for form in forms for year in range(1960, 2028, 3) for day in (1, 9, 17, 28)]
    periods = [f"{month:02}-{year} - {13 - month:02}-{year + 3}" for year in range(1960, 2025)]
    years = [f"{year}-{year + month}" for year in range(1960, 2015)]
    assert [text for text in (*days, *periods, *years) if has_bsn(text)] == []


def test_r09_no_amount_is_taken_for_a_bsn():
    ranges = [
        f"€ {low // 1000}.{low % 1000:03} - {high // 1000}.{high % 1000:03}"
        for low in range(2000, 6000, 137)
        for high in (low + 250,)
    ]
    plain = [f"{low}-{low + 500} euro" for low in range(2000, 6000, 37)]
    assert [text for text in (*ranges, *plain) if has_bsn(text)] == []


REFUSED = [
    ("Ik heb autisme.", Kind.HEALTH),
    ("Ik heb een burn-out gehad", Kind.HEALTH),
    ("Mijn diabetes is goed onder controle", Kind.HEALTH),
    ("Sinds 2019 ben ik slechthorend.", Kind.HEALTH),
    ("Ik ben verpleegkundige en heb diabetes", Kind.HEALTH),
    ("Heb ADHD-diagnose", Kind.HEALTH),
    ("Ik heb autisme en begeleid jongeren", Kind.HEALTH),
    ("Mijn zoon heeft epilepsie", Kind.HEALTH),
    ("I have multiple sclerosis", Kind.HEALTH),
    ("I\u2019m dyslexic", Kind.HEALTH),
    ("Since then I live with epilepsy", Kind.HEALTH),
    ("After my cancer I returned to work.", Kind.HEALTH),
    ("Wajong", Kind.HEALTH),
    ("Werkt met een Wajong-uitkering", Kind.HEALTH),
    ("hiv-positief", Kind.HEALTH),
    ("HIV-positive", Kind.HEALTH),
    ("Ik ben van Turkse afkomst", Kind.ETHNICITY),
    ("I am of Moroccan descent", Kind.ETHNICITY),
    ("Ik ben moslim", Kind.RELIGION),
    ("Zondags ben ik vrij voor mijn kerk", Kind.RELIGION),
    ("I am Jewish", Kind.RELIGION),
    ("Ik ben lid van de VVD", Kind.POLITICS),
    ("My political views are no secret", Kind.POLITICS),
    ("Ik ben lid van de vakbond", Kind.UNION),
    ("I'm a union member", Kind.UNION),
    ("Ik ben homoseksueel", Kind.SEXUALITY),
    ("I'm gay", Kind.SEXUALITY),
    ("Strafblad: geen", Kind.CRIMINAL),
    ("No criminal record", Kind.CRIMINAL),
    ("Ik ben in 2015 veroordeeld voor diefstal", Kind.CRIMINAL),
    ("Ik zat in de gevangenis", Kind.CRIMINAL),
    ("I was convicted of theft", Kind.CRIMINAL),
    ("IK HEB EEN DEPRESSIE GEHAD", Kind.HEALTH),
]
ACCEPTED = [
    "huisarts",
    "imam",
    "Dominee in de Domkerk",
    "diabetesverpleegkundige",
    "begeleider autisme",
    "vakbondsbestuurder",
    "Ik ben begeleider autisme bij een school",
    "Ik werk als diabetesverpleegkundige",
    "Ik begeleid jongeren met autisme",
    "Ik heb ervaring met autisme en ADHD",
    "Mijn expertise is dyslexie",
    "Ik werkte op de afdeling epilepsie",
    "Als therapeut behandelde ik depressie",
    "I am a diabetes nurse",
    "I support people with a disability",
    "I did cancer research",
    "Ik gaf les op een katholieke school",
    "Ik ben imam",
    "Ik ben vakbondsbestuurder bij een bond",
    "Ik adviseer over de WIA",
    "Reclasseringswerker: toezicht op veroordeelden",
    "Ik kan blind typen",
    "Begeleiding i.p.v. medicatie bij autisme",
    "Autisme, deel I",
    "Ik werk graag in een team. Vorige functie: begeleider ADHD.",
    "Hello, I am Christian and I cook",
    "Ik denk graag na",
    "Ik spreek Arabisch en Turks",
    "Mijn hobby: parkeren in de binnenstad",
    "I add value and I use MS Office",
    "kok",
    "",
]


@pytest.mark.parametrize(("text", "kind"), REFUSED)
def test_r11_what_somebody_says_of_themselves_is_found(text, kind):
    assert kinds_in(text) == [kind]


@pytest.mark.parametrize("text", ACCEPTED)
def test_r11_occupations_others_and_other_words_are_not(text):
    assert kinds_in(text) == []


def test_r11_the_first_person_word_counts_within_its_sentence_only():
    assert kinds_in("Autisme is een thema. Ik kook graag.") == []
    assert kinds_in("Ik kook graag, ondanks autisme.") == [Kind.HEALTH]


def test_r11_everything_in_the_lists_is_found_beside_a_first_person_word():
    """An empty entry or a broken expression would find everything or nothing."""
    for words in (special_words.ALWAYS, special_words.PERSONAL):
        for name, lines in words.items():
            plain = [one for one in (" ".join(part.split()) for part in lines.split(",")) if not set(one) & set("([?")]
            assert len(plain) >= 2
            assert [one for one in plain if Kind(name) not in kinds_in(f"ik {one}")] == []
    assert kinds_in("ik kook, ik bak, ik brouw") == []


def test_r11_each_field_and_kind_is_named_by_its_path_and_the_words_are_not():
    written = {
        "identity": {
            "given_name": "Sanne",
            "address": {"street": f"Straat {BSN}", "number": "1112-22333", "postal_code": "1112 AB"},
        },
        "contact": {"telephone": BSN, "email": f"{BSN}@student.example"},
        "career": {
            "summary": f"Ik ben moslim. BSN {BSN}",
            "experience": [{"title": "imam"}, {"title": "kok", "description": "Ik heb autisme"}],
            "references": [{"name": "Jan", "contact": "06-12345672"}],
        },
        "wishes": {"titles": ["vakbondsbestuurder"], "salary_from": 11122233, "remote": True},
    }
    assert found_in(written) == [
        Found("identity.address.street", Kind.BSN),
        Found("career.summary", Kind.BSN),
        Found("career.summary", Kind.RELIGION),
        Found("career.experience.1.description", Kind.HEALTH),
    ]


@pytest.mark.parametrize("person", people(), ids=lambda person: person.key)
def test_r11_the_sample_people_may_write_what_they_write(person):
    assert found_in(person.profile) == []


def test_r11_a_long_text_of_digits_and_signs_is_read_quickly():
    """A text of 4000 signs that suits the expressions badly must not hold up the service (the test's time limit says so)."""
    for hostile in (
        "1" * 4000,
        "1." * 2000,
        "1 - " * 1000,
        "0 " * 2000,
        "+1" * 2000,
        "(0" * 2000,
        "ik ben " * 570,
        "12.345-" * 570,
    ):
        assert isinstance(has_bsn(hostile), bool)
        assert isinstance(kinds_in(hostile), list)
