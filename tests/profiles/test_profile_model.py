"""What a profile may hold (R8, R9) and what activation needs (R9, R44)."""

from datetime import date

import pytest
from chassis import places
from profiles.catalogue import BY_PATH, FIELDS, GROUPS
from profiles.profile import model
from profiles.profile.model import Profile, ProfileChange, as_document, missing, old_enough
from pydantic import ValidationError

COMPLETE = {
    "identity": {"given_name": "Sanne", "family_name": "van der Meer", "place": "Utrecht", "birth_date": "1991-04-23"},
    "wishes": {"titles": ["Data-engineer"], "place": "Amersfoort"},
}


def rules_broken(**groups: object) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        Profile.model_validate(groups)
    return [".".join(map(str, error["loc"])) for error in refused.value.errors()]


def test_r08_the_catalogue_and_the_models_name_the_same_fields():
    modelled = {f"{group}.{name}" for group in GROUPS for name in type(getattr(Profile(), group)).model_fields}
    derived = {"identity.age"}
    beside_a_place = {"identity.province", "wishes.province"}
    assert set(BY_PATH) - derived == modelled - beside_a_place
    assert len(BY_PATH) == len(FIELDS)


def test_the_models_offer_the_provinces_of_the_places():
    assert model.Province.__args__ == tuple(places.PROVINCES)


def test_r09_activation_needs_only_the_mandatory_fields():
    assert missing({}) == [
        "identity.given_name",
        "identity.family_name",
        "identity.place",
        "wishes.place",
        "wishes.titles",
    ]
    assert missing(COMPLETE) == []


def test_r09_a_sector_does_for_a_title():
    profile = {**COMPLETE, "wishes": {"sectors": ["Zorg"], "place": "Amersfoort"}}
    assert missing(profile) == []


def test_r09_permanently_anonymous_a_province_does_for_place_and_name():
    profile = {"identity": {"province": "NL-UT"}, "wishes": {"province": "NL-UT", "titles": ["Kok"]}}
    assert missing(profile, permanent=True) == []
    assert missing({}, permanent=True) == ["identity.province", "wishes.province", "wishes.titles"]


def test_r09_what_nobody_asked_for_is_refused():
    assert rules_broken(identity={"bsn": "123456782"}) == ["identity.bsn"]
    assert rules_broken(health={"note": "x"}) == ["health"]


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("identity", "given_name", ""),
        ("identity", "given_name", "A\nB"),
        ("identity", "family_name", "x" * 121),
        ("identity", "birth_date", "1991-02-30"),
        ("identity", "birth_date", "1850-01-01"),
        ("identity", "place", "Atlantis"),
        ("identity", "place", "Hengelo"),
        ("identity", "gender", "unknown"),
        ("contact", "email", "nobody"),
        ("contact", "telephone", "call me"),
        ("contact", "channels", ["pigeon"]),
        ("career", "headline", "a\x00b"),
        ("wishes", "hours_from", "36"),
        ("wishes", "hours_from", 0),
        ("wishes", "contract_types", ["slavery"]),
        ("wishes", "available_from", "soon"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(group, name, value):
    assert rules_broken(**{group: {name: value}})[0].startswith(f"{group}.{name}")


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("experience", {"title": "Kok", "from": "2019-13"}),
        ("experience", {"title": "Kok", "from": "2020-05", "to": "2019-05"}),
        ("experience", {"employer": "Zonder titel"}),
        ("education", {"programme": "Informatica", "level": "master", "completed": True}),
        ("skills", {"name": "Python", "level": 6}),
        ("languages", {"code": "xx", "level": "B1"}),
        ("languages", {"code": "nl", "level": "native"}),
        ("references", {"name": "A", "relation": "chef", "contact": "x", "agreed": False}),
        ("references", {"name": "A", "relation": "chef", "contact": "x"}),
    ],
)
def test_a_wrong_entry_is_refused_by_its_place(name, entry):
    assert rules_broken(career={name: [entry]})[0].startswith(f"career.{name}.0")


def test_an_error_never_repeats_what_was_typed():
    with pytest.raises(ValidationError) as refused:
        Profile.model_validate({"identity": {"place": "Geheimstad"}})
    assert "Geheimstad" not in str(refused.value)


def test_hours_from_may_not_exceed_hours_to():
    assert rules_broken(wishes={"hours_from": 36, "hours_to": 24}) == ["wishes"]


def test_a_period_may_mix_months_and_years():
    entry = {"title": "Kok", "from": "2019-09", "to": "2019"}
    profile = Profile.model_validate({"career": {"experience": [entry]}})
    assert as_document(profile)["career"]["experience"] == [entry]


def test_a_place_keeps_the_name_that_tells_it_from_its_namesakes():
    profile = Profile.model_validate({"identity": {"place": "hengelo", "province": "NL-OV"}})
    assert places.find(profile.identity.place).province == "NL-OV"


def test_a_document_reads_back_as_the_same_profile():
    profile = Profile.model_validate(COMPLETE)
    assert as_document(profile) == {**COMPLETE, "contact": {"channels": ["relay"]}, "career": {}}
    assert Profile.model_validate(as_document(profile)) == profile


def test_a_change_replaces_the_groups_it_names_and_leaves_the_others():
    after = ProfileChange.model_validate({"wishes": {"titles": ["Kok"]}}).applied_to(COMPLETE)
    assert after == {"identity": COMPLETE["identity"], "contact": {}, "career": {}, "wishes": {"titles": ["Kok"]}}


@pytest.mark.parametrize(
    ("born", "today", "allowed"),
    [("2010-06-15", "2026-06-14", False), ("2010-06-15", "2026-06-15", True), ("2012-02-29", "2028-02-28", False)],
)
def test_r44_nobody_under_16_activates(born, today, allowed):
    assert old_enough({"identity": {"birth_date": born}}, today=date.fromisoformat(today), declared=True) is allowed


def test_r44_without_a_birth_date_the_candidate_declares_the_age():
    assert not old_enough({}, today=date(2026, 1, 1), declared=False)
    assert old_enough({}, today=date(2026, 1, 1), declared=True)
