"""What systems outside must hold after a round: who is in the bank, and nobody else; and what they were asked to forget.

Only handles that were spoken of in the round are judged: what an earlier round spoilt, it has told.
"""

from collections import Counter
from collections.abc import Iterator

from testkit.faults.ledger import Ledger
from testkit.faults.world import Outside, Word, World

BANK = "outward.bank.v1"
LATE = "notifications:forgets-late"
PARTS = 3

Wrong = Iterator[tuple[str, str]]


def check(world: World, ledger: Ledger) -> Wrong:
    """Return (kind, what) of everything that is wrong with what systems outside were told."""
    for one in world.outside:
        yield from _who_is_held(world, one)
        yield from _who_is_erased(world, ledger, one)
        yield from _what_was_asked(one)
        yield from _what_is_still_asked(world, one)
        yield from _what_was_reminded(world, one)
    for raw in world.too_much:
        yield "TOLD_TOO_MUCH", raw[:300]


def _who_is_held(world: World, one: Outside) -> Wrong:
    said = {word.key for word in _of_bank(one)}
    there = {handle for handle, who in world.in_bank.items() if handle in said or who in world.lives}
    for way, held in (("as it followed", one.held), ("had it read all again", one.replayed)):
        for handle in sorted((held & said) - there):
            yield "HELD", f"{one.organisation} holds {handle}, {way}"
        for handle in sorted(there - held):
            yield "NOT_HELD", f"{one.organisation} does not hold {handle}, {way}"


def _who_is_erased(world: World, ledger: Ledger, one: Outside) -> Wrong:
    last = _last(one)
    for who in ledger.gone:
        word = last.get(world.leavers.get(who, ""))
        if word is not None and not _gone(word):
            yield "NOT_GONE", f"{who}: the last word outside is that {word.key} {word.body['state'] if word.body else ''}"


def _what_was_asked(one: Outside) -> Wrong:
    """Each time that a handle went is one word to forget, however often that word is said again."""
    new = {word.key for word in _of_bank(one) if word.sequence == 1}
    own = {(word.key, word.sequence): word.body for word in one.words if word.topic != BANK}
    asked = Counter((key, body["up_to"]) for (key, _), body in own.items() if body and not body["reminder"])
    gone = {(word.key, word.sequence) for word in _of_bank(one) if word.body and _gone(word)}
    for key, sequence in sorted(gone | asked.keys()):
        times = asked[key, sequence] - ((key, sequence) in gone)
        if key in new and times:
            what = f"{asked[key, sequence]} times for {int((key, sequence) in gone)}"
            yield "ASKED_WRONGLY", f"{one.organisation} was asked to forget {key} up to {sequence} {what}"


def _what_is_still_asked(world: World, one: Outside) -> Wrong:
    """What went and was not acknowledged is still asked, by the topic as by the API; nothing else is."""
    for handle in sorted(one.asked.keys() ^ one.listed.keys()):
        where = "topic asks and its API does not" if handle in one.asked else "API asks and its topic does not"
        yield "ASKED_WRONGLY", f"{one.organisation}: its {where} to forget {handle}"
    for handle in sorted(one.listed.keys() & world.in_bank.keys()):
        yield "ASKED_WRONGLY", f"{one.organisation} is asked to forget {handle}, who is there"
    if one.prompt:
        for handle in sorted(one.listed):
            yield "LOST", f"an acknowledgement by {one.organisation} that it forgot {handle}"
        return
    new = {word.key for word in _of_bank(one) if word.sequence == 1}
    went = {handle for handle, word in _last(one).items() if handle in new and _gone(word)}
    for handle in sorted(went - one.listed.keys()):
        yield "ASKED_WRONGLY", f"{one.organisation} is not asked to forget {handle}, and acknowledged nothing"


def _what_was_reminded(world: World, one: Outside) -> Wrong:
    mailed = [mail.cause.rpartition(":")[2] for mail in world.queue if mail.cause.startswith(f"{LATE}:{one.organisation}:")]
    for handle, asked in one.listed.items():
        name = f"{one.organisation} and {handle}"
        if not asked.fewest <= asked.reminders <= asked.most:
            yield "NOT_REMINDED", f"{name}: {asked.reminders} times and not {asked.fewest}"
        if one.asked.get(handle, asked.reminders) != asked.reminders:
            yield "NOT_REMINDED", f"{name}: the topic says {one.asked[handle]} times, the API {asked.reminders}"
        if (handle in one.reported) is not (asked.reminders == PARTS):
            yield "NOT_REMINDED", f"{name}: reported to operators is {handle in one.reported} after {asked.reminders} times"
        if asked.reminders == PARTS and max(mailed, default="") < asked.late_on.isoformat():
            yield "NOT_REMINDED", f"{name}: late on {asked.late_on}, and nobody was mailed"


def _of_bank(one: Outside) -> list[Word]:
    return [word for word in one.words if word.topic == BANK]


def _last(one: Outside) -> dict[str, Word]:
    """Return the last word about each handle."""
    return {word.key: word for word in sorted(_of_bank(one), key=lambda word: word.sequence)}


def _gone(word: Word) -> bool:
    return word.body is None or word.body["state"] == "gone"
