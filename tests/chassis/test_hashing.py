import base64

import pytest
from chassis.hashing import NotAnAddressError, address_hash, keyed_hash, keyed_number, normal_address, normal_word, word_hash

KEY = b"k" * 32


@pytest.mark.parametrize("text", ["", "jan", "@example.nl", "jan@", "jan@ex ample.nl", "jan@example..nl", "jan@-x.nl"])
def test_what_cannot_be_an_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NotAnAddressError) as refused:
        normal_address(text)
    assert "example" not in str(refused.value)
    assert "jan" not in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" Jan@Example.NL ", "jan@example.nl"),
        ("jan@example.nl.", "jan@example.nl"),
        ("jan@MÜNCHEN.example", "jan@xn--mnchen-3ya.example"),
        ("re\u0301ne@example.nl", "r\u00e9ne@example.nl"),
    ],
)
def test_one_address_in_two_spellings_has_one_hash(one: str, other: str) -> None:
    assert address_hash(KEY, "account", one) == address_hash(KEY, "account", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jan@example.nl", "an@example.nl"),
        ("jan+work@example.nl", "jan@example.nl"),
        ("gross@example.nl", "groß@example.nl"),
        ("jan@strasse.example", "jan@straße.example"),
        ('"a@b"@example.nl', "a@example.nl"),
    ],
)
def test_two_people_never_share_a_hash(one: str, other: str) -> None:
    assert address_hash(KEY, "account", one) != address_hash(KEY, "account", other)


def test_hashes_of_two_purposes_or_keys_cannot_be_joined() -> None:
    hashes = {keyed_hash(KEY, "account", "x"), keyed_hash(KEY, "word", "x"), keyed_hash(b"o" * 32, "account", "x")}
    assert len(hashes) == 3


def test_a_purpose_cannot_run_into_its_text() -> None:
    assert keyed_hash(KEY, "ab", "c") != keyed_hash(KEY, "a", "bc")
    with pytest.raises(ValueError, match="purpose"):
        keyed_hash(KEY, "a\0b", "c")


def test_a_hash_stays_what_it_is() -> None:
    """Stored hashes are looked up for years: a change of the form would lose everybody."""
    assert keyed_hash(KEY, "account", "jan@example.nl") == "n53aEktLRX1EydLj6vCnaVpBVLgyJP8iGYx6ujbWcck"


def test_words_are_found_whatever_their_capitals_and_accents() -> None:
    assert normal_word(" Café ") == "cafe"
    assert normal_word("STRASSE") == normal_word("Straße")
    assert word_hash(KEY, "bank", "CRÈME") == word_hash(KEY, "bank", "creme")
    assert word_hash(KEY, "bank", "c++") != word_hash(KEY, "bank", "c#")


def test_a_keyed_number_is_the_beginning_of_the_hash_and_fits_into_64_bits() -> None:
    numbers = [keyed_number(KEY, "words", word) for word in ("hout", "staal", "glas", "steen", "klei")]
    hashes = [
        base64.urlsafe_b64decode(keyed_hash(KEY, "words", word) + "=") for word in ("hout", "staal", "glas", "steen", "klei")
    ]
    assert numbers == [int.from_bytes(one[:8], "big", signed=True) for one in hashes]
    assert min(numbers) < 0 < max(numbers)
    assert keyed_number(KEY, "words", "hout") != keyed_number(KEY, "skills", "hout")
    with pytest.raises(ValueError, match="constant"):
        keyed_number(KEY, "a\0b", "hout")
