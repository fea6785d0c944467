"""What a system of the suite holds after it was told something, in whichever way the words of its two topics arrive."""

from itertools import permutations

import pytest
from testkit.faults.followers import Memory
from testkit.faults.world import Word

BANK, OWN = "outward.bank.v1", "organisation.ours.v1"


def of_bank(sequence: int, state: str | None, handle: str = "a") -> Word:
    return Word(BANK, handle, sequence, {"state": state} if state else None)


def asking(sequence: int, up_to: int, reminder: int = 0) -> Word:
    return Word(OWN, "a", sequence, {"says": "forget", "up_to": up_to, "reminder": reminder})


def after(*words: Word) -> Memory:
    memory = Memory()
    for word in words:
        memory.take(word)
    return memory


def test_it_holds_who_appeared_and_changed_and_nobody_who_is_gone() -> None:
    assert after(of_bank(1, "appeared"), of_bank(2, "changed")).held == {"a": 2}
    assert after(of_bank(1, "appeared"), of_bank(2, "gone")).held == {}
    assert after(of_bank(1, "appeared"), of_bank(2, None)).held == {}
    assert after(of_bank(1, "appeared"), of_bank(2, "gone"), of_bank(3, "appeared")).held == {"a": 3}


def test_copies_and_older_words_change_nothing() -> None:
    told = of_bank(1, "appeared"), of_bank(2, "gone")
    assert after(*told, told[0]).held == {}
    assert after(asking(1, 2), asking(2, 2, reminder=1), asking(1, 2)).asked == {"a": 1}


@pytest.mark.parametrize("back", [False, True])
def test_the_two_topics_need_not_be_in_step(back: bool) -> None:
    bank = [of_bank(1, "appeared"), of_bank(2, "gone"), *([of_bank(3, "appeared")] if back else [])]
    for order in permutations([*bank, asking(1, 2)]):
        if [word for word in order if word.topic == BANK] == bank:
            memory = after(*order)
            assert (memory.held, memory.asked) == ({"a": 3} if back else {}, {"a": 0})


def test_a_word_to_forget_reaches_further_than_what_was_read_of_the_bank() -> None:
    assert after(of_bank(1, "appeared"), asking(1, 2)).held == {}


def test_what_was_acknowledged_or_came_back_is_not_asked_any_more() -> None:
    assert after(asking(1, 2), Word(OWN, "a", 2, None)).asked == {}
