"""Stems and phrases: what meets, what stays apart, and that a search's phrase and a vacancy's have the same number."""

from functools import partial

import pytest
from chassis.hashing import keyed_number
from notifications.words import LONGEST_PHRASE, number_of, numbers_of, says, stemmed, stems

HASHED = partial(keyed_number, b"k" * 32, "test")


@pytest.mark.parametrize(
    "alike",
    [
        "leraar Leraren",
        "huis huizen",
        "analist analisten",
        "verpleegkundige verpleegkundigen",
        "werken werkt",
        "begeleider begeleiden begeleiding",
        "gemeente gemeenten",
        "developer developers",
        "nurse nurses nursing",
        "worked working",
        "café CAFE cafés",
        "collega's collega collega\u2019s",
        "driver driver's drivers",
    ],
)
def test_forms_of_a_word_in_dutch_or_english_meet(alike):
    assert len({tuple(stems(word)) for word in alike.split()}) == 1


@pytest.mark.parametrize("apart", ["beleid begeleiding", "bouw gebouw", "zon gezond", "C C++ C#", "kok koken", "hout houtbouw"])
def test_what_differs_in_more_than_its_ending_stays_apart(apart):
    words = apart.split()
    assert len({tuple(stems(word)) for word in words}) == len(words)


def test_a_phrase_is_found_within_a_sentence_only():
    line = stemmed(["Bouw mee aan huizen. Van node.js tot C++!", "Lassers gezocht\nin Zwolle"])
    for phrase in ("mee aan huis", "node js", "node.js tot c++", "lasser gezocht"):
        assert says(line, stems(phrase))
    for phrase in ("huizen van", "C++ lassers", "gezocht in", "aan mee", "las"):
        assert not says(line, stems(phrase))


def test_every_phrase_of_up_to_five_words_has_the_number_that_a_search_gives_it():
    line = stemmed(["een twee drie vier vijf zes. Zeven"])
    words = stems("een twee drie vier vijf zes")
    numbers = set(numbers_of(line, HASHED))
    inside = [words[start:end] for end in range(1, 7) for start in range(max(0, end - LONGEST_PHRASE), end)]
    assert numbers == {number_of(phrase, HASHED) for phrase in [*inside, stems("zeven")]}
    assert len(numbers) == 6 + 5 + 4 + 3 + 2 + 1
    assert number_of(words[::-1][:2], HASHED) not in numbers
    assert number_of(words[:1], HASHED) == HASHED(words[0])
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert any(number < 0 for number in numbers)
