"""R26: the privacy statement as everybody reads it, on the real parts."""

import hashlib

import pytest
from consent.app import PREFIX

CURRENT = f"{PREFIX}/statements/current"


async def test_r26_everybody_reads_the_statement_in_force(consent):
    answer = await consent.client.get(CURRENT)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["version"], body["language"], body["in_force"]) == ("2027-01", "nl", True)
    assert body["operator"] == "Operator of the tests"
    assert body["questions"] == {"candidate-search": "Question 2027-01 nl"}


@pytest.mark.parametrize(
    ("accept", "query", "language"),
    [("en", "", "en"), ("nl,en;q=0.5", "", "nl"), ("fr", "", "nl"), ("", "?lang=en", "en"), ("en", "?lang=nl", "nl")],
)
async def test_r26_in_the_language_that_was_asked_for(consent, accept: str, query: str, language: str):
    answer = await consent.client.get(CURRENT + query, headers={"Accept-Language": accept})
    assert answer.headers["content-language"] == answer.json()["language"] == language
    assert answer.headers["vary"].lower() == "accept-language"


async def test_r26_the_hash_is_that_of_the_text_that_is_shown(consent):
    for version in ("2027-01", "2027-06"):
        for language in ("nl", "en"):
            body = (await consent.client.get(f"{PREFIX}/statements/{version}?lang={language}")).json()
            assert body["sha256"] == hashlib.sha256(body["text"].encode()).hexdigest()


async def test_r26_every_version_stays_readable_with_what_changed(consent):
    consent.turn(days=31)
    body = (await consent.client.get(f"{PREFIX}/statements/2027-01?lang=en")).json()
    assert (body["in_force"], body["changes"]) == (False, "Changes of 2027-01")
    listed = (await consent.client.get(f"{PREFIX}/statements")).json()["items"]
    assert [(one["version"], one["in_force"]) for one in listed] == [("2027-06", True), ("2027-01", False)]
    assert listed[1]["in_force_until"] == listed[0]["in_force_from"]


async def test_r26_a_new_version_comes_into_force_on_its_day_and_not_before(consent):
    consent.turn(days=29)
    assert (await consent.client.get(CURRENT)).json()["version"] == "2027-01"
    consent.turn(days=1)
    assert (await consent.client.get(CURRENT)).json()["version"] == "2027-06"


@pytest.mark.parametrize("version", ["2026-12", "%00", "nl.md", "x" * 300])
async def test_a_version_that_never_was_is_not_found(consent, version: str):
    answer = await consent.client.get(f"{PREFIX}/statements/{version}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
