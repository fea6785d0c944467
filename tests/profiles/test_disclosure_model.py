"""What others see of a profile (R13, R14): rules by example, and what must hold for every profile and every choice."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles.catalogue import BY_PATH, FIELDS, PLACES
from profiles.disclosure.model import (
    MOST_PRIVATE,
    Anonymity,
    Choice,
    InvalidChoiceError,
    anonymised,
    chosen,
    disclosed,
)
from profiles.profile.model import Profile, as_document

TODAY = date(2026, 6, 1)
EVERYTHING = chosen({field.path: Choice.SHOWN for field in FIELDS})

SANNE = as_document(
    Profile.model_validate(
        {
            "identity": {
                "given_name": "Sanne",
                "family_name": "van der Meer",
                "address": {"street": "Oudegracht", "number": "12", "postal_code": "3511 AB"},
                "place": "Utrecht",
                "birth_date": "1991-04-23",
                "gender": "female",
            },
            "contact": {"email": "sanne@mail.example", "telephone": "085-0123456", "channels": ["mail", "relay"]},
            "career": {
                "headline": "Kok bij Hotel Zonlicht",
                "summary": "Ik ben Sanne",
                "experience": [
                    {
                        "title": "Kok",
                        "employer": "Hotel Zonlicht",
                        "place": "Zeist",
                        "description": "Keuken van Zonlicht",
                        "from": "2019-09",
                        "to": "2022-03",
                    }
                ],
                "education": [{"programme": "Koken", "institution": "ROC Zonstad", "level": "mbo-3", "completed": True}],
                "trainings": [{"name": "HACCP", "issuer": "Zonschool", "date": "2020-05"}],
                "tests": [{"name": "Taaltest", "result": "voldoende"}],
                "skills": [{"name": "Sauzen", "level": 4}],
                "languages": [{"code": "nl", "level": "C2"}],
                "references": [{"name": "Piet Zon", "relation": "chef", "contact": "piet@zon.example", "agreed": True}],
            },
            "wishes": {"titles": ["Souschef"], "place": "Amersfoort", "hours_from": 24},
        }
    )
)


def test_r13_the_start_value_shows_nothing():
    assert disclosed(SANNE, MOST_PRIVATE, Anonymity.OPEN, today=TODAY) == {}


def test_r13_only_what_is_shown_is_seen():
    seen = disclosed(SANNE, chosen({"identity.given_name": Choice.SHOWN}), Anonymity.OPEN, today=TODAY)
    assert seen == {"identity": {"given_name": "Sanne"}}


def test_r13_the_candidate_chooses_place_or_province():
    assert disclosed(SANNE, chosen({"identity.place": Choice.SHOWN}), Anonymity.OPEN, today=TODAY) == {
        "identity": {"place": "Utrecht"}
    }
    assert disclosed(SANNE, chosen({"identity.place": Choice.PROVINCE}), Anonymity.OPEN, today=TODAY) == {
        "identity": {"province": "NL-UT"}
    }


def test_r13_an_age_can_be_shown_without_the_birth_date():
    assert disclosed(SANNE, chosen({"identity.age": Choice.SHOWN}), Anonymity.OPEN, today=TODAY) == {"identity": {"age": 35}}


@pytest.mark.parametrize(
    ("choices", "path"),
    [
        ({"identity.bsn": Choice.SHOWN}, "identity.bsn"),
        ({"identity.gender": Choice.PROVINCE}, "identity.gender"),
        ({"identity": Choice.SHOWN}, "identity"),
    ],
)
def test_r13_a_choice_that_does_not_exist_is_refused(choices, path):
    with pytest.raises(InvalidChoiceError) as refused:
        chosen(choices)
    assert refused.value.path == path


def test_r14_anonymous_leaves_what_does_not_point_to_the_person():
    assert disclosed(SANNE, EVERYTHING, Anonymity.ANONYMOUS, today=TODAY) == {
        "identity": {"province": "NL-UT"},
        "contact": {"channels": ["relay"]},
        "career": {
            "experience": [{"title": "Kok", "from": "2019", "to": "2022"}],
            "education": [{"programme": "Koken", "level": "mbo-3", "completed": True}],
            "trainings": [{"name": "HACCP", "date": "2020"}],
            "skills": [{"name": "Sauzen", "level": 4}],
            "languages": [{"code": "nl", "level": "C2"}],
        },
        "wishes": {"titles": ["Souschef"], "province": "NL-UT", "hours_from": 24},
    }


def test_r14_undone_everything_chosen_is_seen_again():
    seen = disclosed(SANNE, EVERYTHING, Anonymity.OPEN, today=TODAY)
    assert seen == {**SANNE, "identity": {**SANNE["identity"], "age": 35}}


def test_r14_what_is_left_of_what_is_left_is_the_same():
    assert anonymised(anonymised(SANNE)) == anonymised(SANNE)


def test_r14_what_is_left_is_a_profile_that_can_be_kept_and_changed():
    left = anonymised(SANNE)
    assert as_document(Profile.model_validate(left)) == left


# Every text that could point to the person carries a mark, and so do months; anonymous, no mark may be left anywhere.
MARK = "Zonlicht"
marked = st.text("abc é", max_size=8).map(lambda text: f"x{text}{MARK}")
months = st.builds(lambda year, month: f"{year}-{month:02}", st.integers(1990, 2020), st.integers(1, 12))
plain = st.sampled_from(["Kok", "Lasser", "Verpleegkundige"])
places = st.sampled_from(["Utrecht", "Zwolle", "Den Haag"])
jobs = st.fixed_dictionaries(
    {"title": plain}, optional={"employer": marked, "place": marked, "description": marked, "from": months, "to": months}
)
identity = st.fixed_dictionaries(
    {},
    optional={
        "given_name": marked,
        "family_name": marked,
        "address": st.fixed_dictionaries({"street": marked, "number": marked, "postal_code": marked}),
        "place": places,
        "birth_date": st.dates(date(1950, 1, 1), date(2008, 1, 1)).map(str),
        "gender": st.sampled_from(["female", "male", "other"]),
    },
)
contact = st.fixed_dictionaries(
    {}, optional={"email": marked, "telephone": marked, "channels": st.lists(st.sampled_from(["mail", "telephone", "relay"]))}
)
career = st.fixed_dictionaries(
    {},
    optional={
        "headline": marked,
        "summary": marked,
        "experience": st.lists(jobs, max_size=3),
        "internships": st.lists(jobs, max_size=3),
        "education": st.lists(st.fixed_dictionaries({"programme": plain, "institution": marked, "from": months}), max_size=3),
        "trainings": st.lists(st.fixed_dictionaries({"name": plain, "issuer": marked, "date": months}), max_size=3),
        "certificates": st.lists(st.fixed_dictionaries({"name": plain, "issuer": marked, "date": months}), max_size=3),
        "tests": st.lists(st.fixed_dictionaries({"name": marked, "result": marked, "date": months}), max_size=3),
        "skills": st.lists(st.fixed_dictionaries({"name": plain, "level": st.integers(1, 5)}), max_size=3),
        "references": st.lists(st.fixed_dictionaries({"name": marked, "relation": marked, "contact": marked}), max_size=3),
    },
)
wishes = st.fixed_dictionaries({}, optional={"titles": st.lists(plain, max_size=3), "place": places})
profiles = st.fixed_dictionaries({"identity": identity, "contact": contact, "career": career, "wishes": wishes})
choices = st.dictionaries(st.sampled_from(sorted(BY_PATH)), st.sampled_from([Choice.HIDDEN, Choice.SHOWN])).flatmap(
    lambda made: st.sampled_from(Choice).map(lambda place: {**made, **{path: place for path in PLACES if path in made}})
)
hiding = st.sampled_from([Anonymity.ANONYMOUS, Anonymity.PERMANENT])


@given(profiles, choices, hiding)
def test_r14_nothing_that_points_to_the_person_leaves_an_anonymous_profile(profile, made, anonymity):
    seen = disclosed(profile, chosen(made), anonymity, today=TODAY)
    text = json.dumps(seen, ensure_ascii=False)
    assert MARK not in text
    assert not any(place in text for place in ("Utrecht", "Zwolle", "Den Haag"))
    assert set(seen.get("identity", {})) <= {"province"}
    assert set(seen.get("contact", {})) <= {"channels"}
    assert set(seen.get("contact", {}).get("channels", [])) <= {"relay"}
    for entries in seen.get("career", {}).values():
        assert all(len(entry.get(name, "2020")) == 4 for entry in entries for name in ("from", "to", "date"))


@given(profiles, choices, st.sampled_from(Anonymity))
def test_r13_nothing_hidden_is_ever_seen(profile, made, anonymity):
    seen = disclosed(profile, chosen(made), anonymity, today=TODAY)
    paths = {f"{group}.{name}" for group, fields in seen.items() for name in fields}
    shown = {path for path, choice in made.items() if choice is not Choice.HIDDEN}
    allowed = shown | {f"{path.split('.')[0]}.province" for path in shown & PLACES}
    assert paths <= allowed
    assert not {path for path in PLACES & paths if made[path] is not Choice.SHOWN}


@given(profiles, choices)
def test_r14_anonymous_shows_no_field_that_open_hides(profile, made):
    open_, anonymous = (
        disclosed(profile, chosen(made), anonymity, today=TODAY) for anonymity in (Anonymity.OPEN, Anonymity.ANONYMOUS)
    )
    for group, fields in anonymous.items():
        assert set(fields) - {"province"} <= set(open_[group])
