"""Free text through the API (R9, R11): refused with a word on what to remove, nothing changed, nothing logged; then accepted."""

import pytest
from testkit.samples import people

BSN = "111222333"
FENNA = people()[0].profile
UNWANTED = {
    **FENNA,
    "career": {
        **FENNA["career"],
        "summary": "Mijn BSN is 1112.22.333. Ik heb zuurkoolallergie en diabetes.",
        "experience": [{"title": "Kok", "description": "Ik ben lid van de vakbond"}],
    },
}
FOUND = [
    ("career.summary", "bsn", None),
    ("career.summary", "special-category", "health"),
    ("career.experience.0.description", "special-category", "union"),
]


def errors_of(answer):
    return [(error["field"], error["rule"], error.get("category")) for error in answer.json()["errors"]]


async def stored(world):
    database = world.made.mongo.database
    names = await database.list_collection_names()
    return {name: [row async for row in database[name].find({}, sort=[("_id", 1)])] for name in sorted(names)}


@pytest.mark.parametrize("first", [None, FENNA])
async def test_r11_unwanted_text_is_refused_changes_nothing_and_is_accepted_without_the_words(world, first, capfd):
    fenna = world.candidate()
    if first:
        assert (await fenna.tell(first)).status_code == 200
    before = await stored(world)
    refused = await fenna.tell(UNWANTED)
    assert (refused.status_code, errors_of(refused)) == (422, FOUND)
    assert await stored(world) == before
    out, err = capfd.readouterr()
    for trace in ("1112", "zuurkool", "diabetes", "vakbond"):
        assert trace not in refused.text.replace("lid bent van een vakbond", "")
        assert trace not in out + err
    assert (await fenna.tell(FENNA)).status_code == 200
    assert (await fenna.get("/me/profile"))["career"]["summary"] == FENNA["career"]["summary"]


async def test_r11_the_person_reads_in_both_languages_what_to_remove(world):
    fenna = world.candidate()
    asked = {"If_Match": '"0"'}
    dutch = await fenna.send("PUT", "/me/profile", UNWANTED, Accept_Language="nl", **asked)
    english = await fenna.send("PUT", "/me/profile", UNWANTED, Accept_Language="en", **asked)
    words = [[error["detail"] for error in answer.json()["errors"]] for answer in (dutch, english)]
    assert words == [
        [
            "Haal het burgerservicenummer (BSN) weg: dat bewaren wij nooit",
            "Haal weg wat iets zegt over uw gezondheid",
            "Haal weg dat u lid bent van een vakbond",
        ],
        [
            "Remove the citizen service number (BSN): we never keep it",
            "Remove what says something about your health",
            "Remove what says that you are a member of a trade union",
        ],
    ]


async def test_r11_a_change_of_some_groups_is_refused_too_and_only_what_it_says_counts(world):
    fenna = world.candidate()
    etag = (await fenna.tell(FENNA)).headers["ETag"]
    refused = await fenna.send("PATCH", "/me/profile", {"wishes": {"titles": ["Ik ben moslim"]}}, If_Match=etag)
    assert errors_of(refused) == [("wishes.titles.0", "special-category", "religion")]
    assert (await fenna.get("/me/profile"))["wishes"]["titles"] == FENNA["wishes"]["titles"]
    accepted = await fenna.send("PATCH", "/me/profile", {"wishes": {"titles": ["imam"]}}, If_Match=etag)
    assert accepted.status_code == 200


async def test_r09_numbers_in_their_own_fields_are_accepted(world):
    """A telephone number, a house number or an address for mail may consist of any digits."""
    identity = {"given_name": "Sanne", "family_name": "Bos", "place": "Utrecht", "birth_date": "1991-05-12"}
    identity["address"] = {"street": "Kerkstraat", "number": "1112-22333", "postal_code": "1112 AB"}
    career = {"experience": [{"title": "Kok", "from": "2008-01", "to": "2010-12"}], "summary": "Bel 06-12345672, na 12-05-2019"}
    profile = {"identity": identity, "contact": {"telephone": BSN, "email": f"{BSN}@post.example"}, "career": career}
    answer = await world.candidate().tell({**profile, "wishes": {"salary_from": 3012}})
    assert answer.status_code == 200, answer.text


async def test_r09_the_rules_of_the_whole_profile_are_told_together_with_the_texts(world):
    profile = {**UNWANTED, "identity": {**FENNA["identity"], "birth_date": "2999-01-01"}}
    refused = await world.candidate().tell(profile)
    assert ("identity.birth_date", "future", None) in errors_of(refused)
    assert FOUND[0] in errors_of(refused)
