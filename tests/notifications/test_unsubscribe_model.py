"""The token of an unsubscribe link."""

import pytest
from notifications.unsubscribe.model import search_of, token_for

KEY = b"k" * 32
SEARCH = "0192f0c1-0000-7000-8000-000000000001"


def test_a_token_names_its_search_and_needs_no_storage():
    assert search_of(token_for(SEARCH, key=KEY), key=KEY) == SEARCH


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        SEARCH,
        f"{SEARCH}.",
        f"{SEARCH}.{'A' * 43}",
        token_for(SEARCH, key=b"o" * 32),
        token_for(SEARCH, key=KEY) + "x",
        token_for(SEARCH, key=KEY).replace("0001.", "0002."),
        "é.é",
    ],
)
def test_what_we_did_not_make_names_nothing(token):
    assert search_of(token, key=KEY) is None
