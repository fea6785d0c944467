"""What the bank holds of what a recruiter sees: pure rules (R13, R19)."""

from hypothesis import given
from hypothesis import strategies as st
from profiles.bank.model import card_of, entry_of, skill_hash, words_of
from profiles.disclosure.model import anonymised

KEY = b"k" * 32


def test_r13_nothing_seen_is_an_empty_entry():
    assert entry_of({}, key=KEY) == {}


def test_r19_a_level_counts_when_it_was_completed():
    education = [
        {"programme": "Koken", "level": "mbo-4", "completed": True},
        {"programme": "Recht", "level": "wo-master", "completed": False},
    ]
    assert entry_of({"career": {"education": education}}, key=KEY)["level"] == 4


def test_r19_hours_of_which_one_side_is_not_told_are_open_on_that_side():
    assert entry_of({"wishes": {"hours_from": 24}}, key=KEY)["hours_to"] == 60
    assert entry_of({"wishes": {"hours_to": 24}}, key=KEY)["hours_from"] == 1
    assert "hours_to" not in entry_of({"wishes": {"titles": ["Kok"]}}, key=KEY)


def test_r13_a_province_gives_no_point_to_measure_from():
    entry = entry_of({"identity": {"province": "NL-UT"}, "wishes": {"place": "Zwolle"}}, key=KEY)
    assert len(entry["towns"]) == 1
    assert (entry["only_provinces"], entry["provinces"]) == (["NL-UT"], ["NL-OV", "NL-UT"])


def test_r19_words_are_found_however_they_are_written():
    assert words_of(KEY, ["Data-analist, Caf\u00e9"]) == words_of(KEY, ["DATA", "analist cafe"])
    assert words_of(KEY, ["C++"]) != words_of(KEY, ["C"])
    assert skill_hash(KEY, " Power  BI") == skill_hash(KEY, "power bi") != skill_hash(b"o" * 32, "power bi")


@given(
    st.dictionaries(
        st.sampled_from(
            ["given_name", "family_name", "birth_date", "gender", "place", "email", "telephone", "headline", "summary"]
        ),
        st.just("Sanne"),
    )
)
def test_r19_a_card_never_holds_what_names_somebody(fields):
    seen = {group: dict(fields) for group in ("identity", "contact", "career")}
    assert "Sanne" not in str(card_of(anonymised(seen)))
