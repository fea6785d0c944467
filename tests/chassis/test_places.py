"""Places: names as people write them, namesakes told apart, distances that a map confirms."""

import pytest
from chassis import places
from chassis.places import AmbiguousPlaceError, distance_km, find


def found(name: str, **narrow: str) -> places.Place:
    place = find(name, **narrow)
    assert place is not None, name
    return place


@pytest.mark.parametrize("name", ["Den Haag", "den haag", "  DEN HAAG ", "'s-Gravenhage", "\u2019s Gravenhage", "The Hague"])
def test_a_place_is_found_by_each_of_its_names(name: str):
    assert found(name).name == "Den Haag"
    assert found(name).province == "NL-ZH"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Den Bosch", "'s-Hertogenbosch"),
        ("St. Anthonis", "Sint Anthonis"),
        ("Sint Odilienberg", "Sint Odiliënberg"),
        ("ijsselstein", "IJsselstein"),
        ("Nieuw en Sint Joosland", "Nieuw- en Sint Joosland"),
    ],
)
def test_spelling_is_forgiven(written: str, meant: str):
    assert found(written).name == meant


@pytest.mark.parametrize("name", ["", " ", "Nergenshuizen", "Amsterdam (Zeeland)", "(Overijssel)", "*"])
def test_a_place_that_does_not_exist_is_not_found(name: str):
    assert find(name) is None


def test_a_shared_name_is_answered_with_the_choices():
    with pytest.raises(AmbiguousPlaceError, match="several places") as refusal:
        find("Hengelo")
    assert refusal.value.choices == ["Hengelo (Gelderland)", "Hengelo (Overijssel)"]


@pytest.mark.parametrize("name", ["Hengelo (Overijssel)", "Hengelo, Overijssel", "hengelo (OV)", "Hengelo, NL-OV"])
def test_the_province_tells_namesakes_apart(name: str):
    assert found(name).province == "NL-OV"
    assert found("Hengelo", province="NL-OV") == found(name)
    assert found("Hengelo (Gld)").province == "NL-GE"


def test_the_municipality_tells_namesakes_in_one_province_apart():
    ameland, heerenveen = found("Nes (Ameland)"), found("Nes (Heerenveen)")
    assert ameland.label == "Nes (Ameland, Fryslân)"
    assert ameland.latitude > heerenveen.latitude
    with pytest.raises(AmbiguousPlaceError):
        find("Nes (Fryslân)")


def test_every_label_leads_back_to_its_place():
    """Also a check of the data: no two places share a label, and each lies in the Netherlands."""
    every = {id(entry.place): entry.place for entries in places._index().values() for entry in entries}
    assert len(every) > 1900
    for place in every.values():
        assert find(place.label) == place
        assert 50.7 < place.latitude < 53.6
        assert 3.3 < place.longitude < 7.3
    assert {place.province for place in every.values()} == set(places.PROVINCES)


@pytest.mark.parametrize(
    ("a", "b", "kilometres"),
    [("Amsterdam", "Utrecht", 35), ("Groningen", "Maastricht", 271), ("Den Haag", "Rotterdam", 21), ("Zwolle", "Zwolle", 0)],
)
def test_distances_are_those_of_a_map(a: str, b: str, kilometres: float):
    assert distance_km(found(a), found(b)) == pytest.approx(kilometres, abs=4)
    assert distance_km(found(b), found(a)) == distance_km(found(a), found(b))


def test_a_distance_is_also_measured_between_bare_positions():
    utrecht = found("Utrecht")
    assert distance_km((utrecht.latitude, utrecht.longitude), utrecht) == 0
