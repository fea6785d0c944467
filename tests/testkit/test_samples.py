"""The samples: nobody who exists, nothing that may not be stored, places that are in the list."""

import re
from datetime import date

import pytest
from chassis import places
from profiles.profile.model import Profile, as_document, missing
from testkit import samples

PEOPLE = samples.people()
DAY = date(2027, 3, 1)


def test_the_main_candidates_come_first():
    assert [person.key for person in PEOPLE[:2]] == list(samples.MAIN)
    assert len(PEOPLE) == 8


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.key)
def test_nobody_can_be_reached_by_accident(person: samples.Person):
    assert person.email.endswith(".example")
    assert re.fullmatch(r"\+3185000\d{4}", person.profile["contact"]["telephone"])


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.key)
def test_no_number_passes_for_a_citizen_service_number(person: samples.Person):
    """The eleven test over every group of eight or nine digits, as the profile's own check will do."""
    for digits in re.findall(r"(?<!\d)\d{8,9}(?!\d)", str(person.profile)):
        weights = [9, 8, 7, 6, 5, 4, 3, 2, -1]
        assert sum(int(digit) * weight for digit, weight in zip(digits.zfill(9), weights, strict=True)) % 11 != 0


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.key)
def test_everybody_has_a_profile_that_can_be_activated(person: samples.Person):
    assert missing(as_document(Profile.model_validate(person.profile))) == []


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.key)
def test_every_place_exists(person: samples.Person):
    named = [person.profile["identity"]["place"], person.profile["wishes"]["place"]]
    named += [entry["place"] for kind in ("experience", "internships") for entry in person.profile["career"][kind]]
    assert all(places.find(name) for name in named)


def test_what_points_to_a_person_is_told_apart_from_all_others():
    """So that a scan that finds a trace knows whose it is."""
    traces = [trace for person in PEOPLE for trace in person.traces()]
    assert len(traces) == len(set(traces)) == len(PEOPLE) * 6


def test_vacancies_are_open_postings_of_which_some_fit_the_saved_search():
    vacancies = samples.vacancies(DAY)
    assert [vacancy.matches_search for vacancy in vacancies] == [True, True, False, False]
    for vacancy in vacancies:
        assert vacancy.posting["datePosted"] == "2027-03-01"
        assert vacancy.posting["validThrough"] == "2027-04-30"
        assert vacancy.posting["hiringOrganization"]["name"] == samples.organisation()["name"]
        address = vacancy.posting["jobLocation"]["address"]
        assert places.find(f"{address['addressLocality']} ({address['addressRegion']})")


def test_the_saved_search_tells_the_postings_apart_by_more_than_one_thing():
    """A near miss by distance alone and one by profession, or the match would be too easy."""
    search = samples.saved_search()
    home = places.find(search["place"])
    assert home is not None
    for vacancy in samples.vacancies(DAY):
        address = vacancy.posting["jobLocation"]["address"]
        where = places.find(f"{address['addressLocality']} ({address['addressRegion']})")
        assert where is not None
        near = places.distance_km(home, where) <= search["radius_km"]
        named = search["words"] in vacancy.posting["title"].casefold()
        assert (near and named) is vacancy.matches_search
