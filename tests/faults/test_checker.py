"""The checker finds each thing that can be wrong: worlds forged by hand, each with one thing out of place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from testkit.faults.checker import Kind, check
from testkit.faults.ledger import Fate, Ledger, Offer
from testkit.faults.mails import AT_MOST_ONCE, JUMPED, REJECTED, message_id
from testkit.faults.world import Asked, Copy, Fact, Life, Outside, QueuedMail, Seen, Word, World

WHO, TOPIC, CAUSE = "somebody", "profiles.profile.v1", "identity:confirm-address:1"
GONE, LAST_WORDS = "gone@post.example", ("consent:erasure-begun:wish", "consent:erased:wish")
ALERT = "notifications:alert:search:vacancy"
OTHER = "notifications:alert:another:vacancy"
REPORT = "notifications:forgets-late:slow:administrator:2026-05-01"
POISONED = "t/0/1"
BANK, PROMPT, SLOW = "outward.bank.v1", "prompt", "slow"
STAYS, WENT, LEFT = "handle-that-stays", "handle-that-went", "handle-of-left"
Change = Callable[[World, Ledger], None]


def fact(sequence: int, offset: int, name: str = "") -> Fact:
    return Fact(TOPIC, 0, offset, WHO, sequence, name or f"id-{sequence}")


def copy(cause: str, *, heard: bool = False, old: bool = False) -> Copy:
    to = "known@post.example" if cause in {ALERT, REPORT} else GONE if cause in LAST_WORDS else "new@post.example"
    return Copy(f"<{message_id(cause)}@post.example>", to, heard, old)


def of_bank(handle: str, sequence: int, state: str) -> Word:
    return Word(BANK, handle, sequence, {"state": state})


def asking(organisation: str, handle: str, sequence: int, reminder: int = 0, up_to: int = 2) -> Word:
    return Word(f"organisation.{organisation}.v1", handle, sequence, {"says": "forget", "up_to": up_to, "reminder": reminder})


def outside(organisation: str) -> Outside:
    """A system to which two handles were said to be gone; the slow one was asked about one of them again until it was late."""
    words = [of_bank(handle, 1, "appeared") for handle in (STAYS, WENT, LEFT)] + [of_bank(one, 2, "gone") for one in (WENT, LEFT)]
    words += [Word(BANK, WENT, 3, None)]
    words += [asking(organisation, handle, 1) for handle in (WENT, WENT, LEFT)]  # a copy changes nothing
    if organisation == PROMPT:
        words += [Word(f"organisation.{PROMPT}.v1", handle, 2, None) for handle in (WENT, LEFT)]
        return Outside(PROMPT, True, words, frozenset({STAYS}), frozenset({STAYS}), {}, {})
    words.append(asking(SLOW, WENT, 2, reminder=3))
    listed = {WENT: Asked(3, 3, 3, date(2026, 5, 1)), LEFT: Asked(0, 0, 1, date(2026, 5, 4))}
    asked = {WENT: 3, LEFT: 0}
    return Outside(SLOW, False, words, frozenset({STAYS, "of earlier"}), frozenset({STAYS}), asked, listed, frozenset({WENT}))


def good() -> tuple[World, Ledger]:
    """A world in which everything is as it was promised, and its ledger."""
    ledger = Ledger(years={WHO: "2027-05-01"})
    ledger.write((WHO, "profile"), "w1", Fate.ACKNOWLEDGED)
    ledger.write((WHO, "lifecycle"), "running", Fate.ACKNOWLEDGED)
    ledger.write(("new@post.example", "registration"), "mailed", Fate.ACKNOWLEDGED)
    ledger.gone["left"] = GONE
    ledger.searches["search"] = Offer("a", 1, WHO)
    ledger.vacancies["vacancy"] = Offer("a", 2)
    world = World(
        today=date(2026, 5, 2),
        answers={
            (WHO, "profile"): Seen("w1", 1),
            (WHO, "lifecycle"): Seen("running"),
            (WHO, "consent"): Seen("consented", 1, exact=False),
        },
        lives={WHO: Life("active", in_bank=True, opened=True, found=True)},
        requests={"left": "wish"},
        left={"left": {}},
        ended={WHO: 0},
        outbox={"profiles": 0},
        facts=[fact(1, 10), fact(2, 11), fact(1, 12), fact(2, 13), fact(3, 14)],
        followers={TOPIC: ("notifications",), "t": ("notifications", "bank")},
        gapless=frozenset({TOPIC}),
        ends={(TOPIC, 0): 14},
        committed={("notifications", TOPIC, 0): 15},
        inbox={("notifications", TOPIC, WHO): 3},
        aggregates={(TOPIC, WHO): 3},
        set_aside={"notifications dead_letters": POISONED, "bank dead_letters": POISONED},
        poisoned=frozenset({POISONED}),
        queue=[
            QueuedMail(CAUSE, WHO, "confirm-address", "accepted", "taken"),
            QueuedMail(REPORT, WHO, "forgets-late", "accepted", "taken"),
            QueuedMail(ALERT, WHO, "job-alert", "accepted", "taken"),
        ],
        copies=[copy(CAUSE), copy(CAUSE, heard=True), copy(ALERT), copy(REPORT), *(copy(word) for word in LAST_WORDS)],
        due={"profiles: steps of the year": 0},
        outside=[outside(PROMPT), outside(SLOW)],
        in_bank={STAYS: WHO, "of another round": "somebody else"},
        leavers={"left": LEFT},
    )
    return world, ledger


def test_a_good_world_has_no_findings() -> None:
    assert check(*good()) == []


def test_that_a_sender_heard_of_a_mail_of_an_earlier_round_is_no_finding() -> None:
    world, ledger = good()
    known = replace(copy("earlier", old=True), to="known@post.example")
    world.copies += [known, replace(known, heard=True, old=False)]
    assert check(world, ledger) == []


def answer(what: str, seen: Seen) -> Change:
    return lambda world, _: world.answers.update({(WHO, what): seen})


def life(**changes: object) -> Change:
    return lambda world, _: world.lives.update({WHO: replace(world.lives[WHO], **changes)})  # type: ignore[arg-type]  # the tests' own words


def facts(*found: Fact) -> Change:
    return lambda world, _: world.facts.__setitem__(slice(None), found)


def system(organisation: str, **changes: object) -> Change:
    def change(world: World, _: Ledger) -> None:
        world.outside = [
            replace(one, **changes) if one.organisation == organisation else one  # type: ignore[arg-type]  # the tests' own words
            for one in world.outside
        ]

    return change


def told(organisation: str, *more: Word, but: Callable[[Word], bool] = lambda _: False) -> Change:
    return system(organisation, words=[word for word in outside(organisation).words if not but(word)] + [*more])


def listed(**changes: object) -> Change:
    kept = outside(SLOW).listed
    return system(SLOW, listed={**kept, WENT: replace(kept[WENT], **changes)})  # type: ignore[arg-type]  # the tests' own words


def mail(
    state: str, reason: str, *copies: Copy, cause: str = CAUSE, template: str = "confirm-address", old: bool = False
) -> Change:
    def change(world: World, _: Ledger) -> None:
        world.queue = [one for one in world.queue if one.cause != cause]
        world.queue.append(QueuedMail(cause, WHO, "job-alert" if cause == ALERT else "confirm-address", state, reason, old))
        world.copies = [one for one in world.copies if message_id(cause) not in one.message_id]
        world.copies += copies

    return change


WRONG: list[tuple[Kind, Change]] = [
    (Kind.LOST, answer("profile", Seen("w0", 1))),
    (Kind.LOST, answer("profile", Seen(None, 1))),
    (Kind.LOST, answer("profile", Seen("w1", 0))),
    (Kind.TWICE, answer("profile", Seen("w1", 2))),
    (Kind.LOST, answer("lifecycle", Seen("stopped"))),
    (Kind.LOST, lambda world, _: world.ended.update({WHO: 1})),
    (Kind.LOST, facts(fact(1, 10), fact(3, 14))),
    (Kind.LOST, facts(fact(1, 10), fact(2, 14))),
    (Kind.LOST, lambda world, _: world.aggregates.update({(TOPIC, "nobody's"): 1})),
    (Kind.LOST, lambda world, _: world.inbox.update({("notifications", TOPIC, WHO): 2})),
    (Kind.LOST, lambda world, _: world.queue.pop()),
    (Kind.TWICE, facts(fact(1, 10), fact(2, 11), fact(2, 12, "another"), fact(3, 14))),
    (Kind.BACKWARDS, facts(fact(1, 10), fact(2, 11), fact(3, 12), fact(2, 14))),
    (Kind.BACKWARDS, facts(fact(2, 10), fact(1, 11), fact(3, 14))),
    (Kind.EARLY, life(state="asked")),
    (Kind.VISIBLE, life(state="inactive", in_bank=False, opened=True, found=False)),
    (Kind.VISIBLE, answer("consent", Seen("withdrawn", 1, exact=False))),
    (Kind.INVISIBLE, life(found=False)),
    (Kind.INVISIBLE, life(opened=False)),
    (Kind.OUTBOX, lambda world, _: world.outbox.update({"profiles": 1})),
    (Kind.OUTBOX, lambda world, _: setattr(world, "highest_outbox", 500)),
    (Kind.REFUSED, lambda world, ledger: world.away.append((ledger.entries[-1].at, ledger.entries[-1].at + 20))),
    (Kind.LAG, lambda world, _: world.committed.update({("notifications", TOPIC, 0): 14})),
    (Kind.BY_HAND, lambda world, _: world.unready.update({"profiles-worker": "FATAL"})),
    (Kind.SET_ASIDE, lambda world, _: world.set_aside.update({"parked": "t/0/2"})),
    (Kind.POISON, lambda world, _: world.set_aside.clear()),
    (Kind.POISON, lambda world, _: world.set_aside.pop("bank dead_letters")),
    (Kind.UNDONE, lambda world, _: world.due.update({"profiles: steps of the year": 1})),
    (Kind.PERSONAL, lambda world, _: world.personal.append("a name")),
    (Kind.SEEN, lambda _, ledger: ledger.blame("seen after hiding")),
    (Kind.MAIL_MISSING, mail("accepted", "taken")),
    (Kind.MAIL_MISSING, mail("queued", "deferred")),
    (Kind.MAIL_MISSING, mail("bounced", "refused", copy(CAUSE))),
    (Kind.MAIL_MISSING, mail("given-up", "too-old", copy(CAUSE))),
    (Kind.MAIL_MISSING, lambda world, _: (world.copies.clear(), world.queue.clear())[0]),
    (Kind.MAIL_TWICE, mail("accepted", "taken", copy(CAUSE), copy(CAUSE, heard=True), copy(CAUSE))),
    (Kind.MAIL_TWICE, mail("accepted", "taken", copy(CAUSE, old=True), copy(CAUSE), old=True)),
    (Kind.MAIL_TWICE, mail("given-up", "unsure", copy(ALERT), copy(ALERT), cause=ALERT)),
    (Kind.MAIL_TWICE, lambda world, _: world.copies.append(copy("identity:confirm-address:2"))),
    (Kind.MAIL_TWICE, lambda world, _: world.queue.append(QueuedMail(OTHER, WHO, "job-alert", "given-up", "unsure"))),
    (Kind.NOT_GONE, lambda world, _: world.left.update({"left": {"profiles.profiles": 1}})),
    (Kind.NOT_GONE, lambda world, _: world.opened.add("left")),
    (Kind.HELD, system(PROMPT, held=frozenset({STAYS, WENT}))),
    (Kind.HELD, system(SLOW, replayed=frozenset({STAYS, LEFT}))),
    (Kind.HELD, lambda world, _: world.in_bank.pop(STAYS)),
    (Kind.NOT_HELD, system(SLOW, held=frozenset())),
    (Kind.NOT_HELD, system(PROMPT, replayed=frozenset())),
    (Kind.NOT_HELD, lambda world, _: world.in_bank.update({"never told": WHO})),
    (Kind.NOT_GONE, told(PROMPT, but=lambda word: word == of_bank(LEFT, 2, "gone"))),
    (Kind.NOT_GONE, told(PROMPT, of_bank(LEFT, 3, "appeared"))),
    (Kind.ASKED_WRONGLY, told(PROMPT, but=lambda word: word == asking(PROMPT, WENT, 1))),
    (Kind.ASKED_WRONGLY, told(PROMPT, asking(PROMPT, WENT, 3))),
    (Kind.ASKED_WRONGLY, told(SLOW, asking(SLOW, STAYS, 1, up_to=1))),
    (Kind.ASKED_WRONGLY, system(SLOW, asked={WENT: 3})),
    (Kind.ASKED_WRONGLY, system(PROMPT, asked={WENT: 0})),
    (Kind.ASKED_WRONGLY, lambda world, _: world.in_bank.update({WENT: "came back"})),
    (Kind.ASKED_WRONGLY, system(SLOW, asked={WENT: 3}, listed={WENT: Asked(3, 3, 3, date(2026, 5, 1))})),
    (Kind.LOST, system(PROMPT, asked={WENT: 0}, listed={WENT: Asked(0, 0, 0, date(2026, 5, 4))})),
    (Kind.NOT_REMINDED, listed(reminders=2)),
    (Kind.NOT_REMINDED, listed(most=2, fewest=2)),
    (Kind.NOT_REMINDED, listed(late_on=date(2026, 5, 2))),
    (Kind.NOT_REMINDED, system(SLOW, asked={WENT: 2, LEFT: 0})),
    (Kind.NOT_REMINDED, system(SLOW, reported=frozenset())),
    (Kind.NOT_REMINDED, system(SLOW, reported=frozenset({WENT, LEFT}))),
    (Kind.TOLD_TOO_MUCH, lambda world, _: world.too_much.append("a subject")),
    (Kind.MAIL_MISSING, lambda world, _: world.copies.remove(copy(LAST_WORDS[1]))),
    (Kind.MAIL_MISSING, lambda world, _: world.requests.clear()),
    (Kind.MAIL_TWICE, lambda world, _: world.copies.extend([copy(LAST_WORDS[0], heard=True), copy(LAST_WORDS[0])])),
    (Kind.STRANGE_MAIL, lambda world, _: world.copies.append(copy("no cause"))),
]


@pytest.mark.parametrize(("kind", "change"), WRONG, ids=[f"{kind.name}-{number}" for number, (kind, _) in enumerate(WRONG)])
def test_what_is_wrong_is_found(kind: Kind, change: Change) -> None:
    world, ledger = good()
    change(world, ledger)
    assert kind in {finding.kind for finding in check(world, ledger)}


def test_every_kind_of_finding_has_a_forged_world() -> None:
    assert {kind for kind, _ in WRONG} == set(Kind)


def right(change: Change, excuses: frozenset[str] = frozenset()) -> bool:
    world, ledger = good()
    change(world, ledger)
    return check(world, ledger, excuses) == []


def test_smtps_own_window_lets_a_mail_come_again_while_its_sender_cannot_know() -> None:
    assert right(mail("accepted", "taken", copy(CAUSE), copy(CAUSE), copy(CAUSE, heard=True)))
    assert right(mail("accepted", "taken", copy(CAUSE), copy(CAUSE), copy(CAUSE, heard=True), copy(CAUSE, heard=True)))


def test_a_mail_server_that_refuses_for_good_excuses_what_bounced() -> None:
    assert right(mail("bounced", "refused", copy(CAUSE)), frozenset({REJECTED}))


def test_time_that_jumped_excuses_what_went_dark_and_nothing_else() -> None:
    assert right(mail("given-up", "dark", copy(CAUSE)), frozenset({JUMPED}))
    assert not right(mail("given-up", "dark", copy(CAUSE)))
    assert not right(mail("given-up", "too-old", copy(CAUSE)), frozenset({JUMPED}))


def test_an_alert_that_may_have_been_taken_is_not_sent_again_and_that_is_right() -> None:
    assert right(mail("given-up", "unsure", cause=ALERT))


def test_who_saved_a_search_after_the_vacancy_was_sent_need_not_be_told() -> None:
    def late(world: World, ledger: Ledger) -> None:
        mail("accepted", "taken", cause=ALERT)(world, ledger)
        world.queue.pop()
        ledger.searches["search"] = Offer("a", 3, WHO)

    assert right(late)


def test_of_a_vacancy_that_was_closed_nobody_need_be_told() -> None:
    def closed(world: World, ledger: Ledger) -> None:
        world.queue.pop()
        world.copies.remove(copy(ALERT))
        ledger.closed.add("vacancy")

    assert right(closed)


def test_a_profile_may_stop_by_itself_when_its_year_and_the_period_are_over() -> None:
    def over(day: date) -> Change:
        def change(world: World, _: Ledger) -> None:
            world.today = day
            world.answers[WHO, "lifecycle"] = Seen("stopped")
            world.lives[WHO] = Life("inactive", "expired")

        return change

    assert right(over(date(2027, 5, 30)))
    assert not right(over(date(2027, 5, 29)))


def test_the_classes_of_mails_are_those_of_the_templates() -> None:
    from notifications.templates import AT_MOST_ONCE as ONCE  # the suite knows them from outside
    from notifications.templates import TEMPLATES

    assert {name for name, template in TEMPLATES.items() if template.mail_class == ONCE} == AT_MOST_ONCE
