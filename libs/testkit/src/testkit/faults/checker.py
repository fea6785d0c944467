"""Compares what was found after a round with what the ledger claims. Pure: a world and a ledger in, findings out.

Each check is one sentence of the promise: nothing acknowledged is lost, nothing comes twice, nothing goes back, nobody is shown
who is hidden, nothing is left lying about.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from testkit.faults import mails, outside
from testkit.faults.ledger import Fate, Ledger
from testkit.faults.world import Fact, World

PERIOD = timedelta(days=28)
ROWS_A_WRITE = 4
"""The bound of an outbox while Kafka is away: no request writes more events than this."""
ROWS_BY_ITSELF = 60
"""What workers may add without being asked: what time does, mails that became due, answers to events that had arrived."""


FEWEST_ACCEPTED = 5
"""Of the load's writes, while Kafka was away for long."""


class Kind(StrEnum):
    """What can be wrong."""

    LOST = "an acknowledged write is missing"
    TWICE = "an effect came twice"
    MAIL_TWICE = "a mail came twice"
    MAIL_MISSING = "a must-arrive mail is missing"
    STRANGE_MAIL = "a mail without a cause, or with another Message-ID"
    BACKWARDS = "a state went backwards"
    EARLY = "something was done before its time"
    VISIBLE = "a profile is visible that should not be"
    INVISIBLE = "a profile is not visible that should be"
    REFUSED = "the APIs did not go on accepting"
    OUTBOX = "a row is left in an outbox"
    LAG = "a consumer lags"
    SET_ASIDE = "set aside, and was no poison"
    POISON = "poison was neither set aside nor told"
    BY_HAND = "a process has to be started by hand"
    UNDONE = "a job left something undone"
    PERSONAL = "personal data in a log"
    NOT_GONE = "somebody who was erased is still there"
    HELD = "a system outside holds somebody who is not in the bank"
    NOT_HELD = "a system outside does not hold somebody who is in the bank"
    ASKED_WRONGLY = "an organisation was not asked once to forget who went, or was asked to forget somebody else"
    NOT_REMINDED = "an organisation was not asked again or reported when it should have been"
    TOLD_TOO_MUCH = "an event for systems outside says who somebody is"
    SEEN = "seen while it happened"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    what: str

    def __str__(self) -> str:
        """As a report shows it."""
        return f"{self.kind.value}: {self.what}"


Found = Iterator[Finding]


def check(world: World, ledger: Ledger, excuses: frozenset[str] = frozenset()) -> list[Finding]:
    """Return everything that is wrong. What a fault excuses is named in `mails.py`, where it matters."""
    found = [finding for one in CHECKS for finding in one(world, ledger)]
    told = (*mails.check(world, ledger, excuses), *outside.check(world, ledger))
    found += [Finding(Kind[kind], what) for kind, what in told]
    return list(dict.fromkeys(found))


def what_is_claimed(world: World, ledger: Ledger) -> Found:
    """Every thing has a value that is possible, and every effect is there as often as it may be."""
    for thing, claim in ledger.claims().items():
        seen = world.answers.get(thing)
        if seen is None:
            continue
        name = f"{thing[1]} of {thing[0]}"
        if seen.value is not None or claim.fewest:
            late = _ran_out(world, ledger, thing[0]) if seen.value == "stopped" else False
            if seen.value not in claim.possible and not late:
                expected = ", ".join(sorted(map(str, claim.possible)))
                yield Finding(Kind.LOST, f"{name} is {seen.value}, and can only be {expected}")
        if seen.count is not None and seen.count > claim.most:
            yield Finding(Kind.TWICE, f"{name}: {seen.count} times, {claim.most} at most")
        if seen.count is not None and seen.exact and seen.count < claim.fewest:
            yield Finding(Kind.LOST, f"{name}: {seen.count} times, {claim.fewest} at least")


def _ran_out(world: World, ledger: Ledger, who: str) -> bool:
    """Whether a profile stopped because its year and the period after it were over."""
    year = ledger.years.get(who)
    life = world.lives.get(who)
    return bool(year and life and life.reason in {"expired", "unreachable"} and world.today > date.fromisoformat(year) + PERIOD)


def what_time_did(world: World, ledger: Ledger) -> Found:
    """Nobody is asked before the year is over."""
    for who, life in world.lives.items():
        year = ledger.years.get(who)
        if life.state == "asked" and year and world.today <= date.fromisoformat(year):
            yield Finding(Kind.EARLY, f"{who} was asked on {world.today}, and the year ends on {year}")
    for name, count in world.due.items():
        if count:
            yield Finding(Kind.UNDONE, f"{name}: {count}")


def who_is_seen(world: World, ledger: Ledger) -> Found:
    """A profile is in the bank when it is active and its person consents, and then only."""
    for who, life in world.lives.items():
        consents = world.answers.get((who, "consent"))
        expected = life.state in {"active", "asked"} and consents is not None and consents.value == "consented"
        shown = {"in the bank by their own word": life.in_bank, "can be opened": life.opened, "can be found": life.found}
        for how, seen in shown.items():
            if seen is not expected:
                yield Finding(Kind.VISIBLE if seen else Kind.INVISIBLE, f"{who}: {how} is {seen}, {life.state}, {consents}")
    for who, left in world.ended.items():
        if left:
            yield Finding(Kind.LOST, f"a sign-out of {who}: {left} ended sessions still work")


def who_is_gone(world: World, ledger: Ledger) -> Found:
    """Of whoever asked to be erased nothing is left, and nobody opens their profile."""
    for who in ledger.gone:
        for place, count in world.left.get(who, {}).items():
            yield Finding(Kind.NOT_GONE, f"{who}: {count} in {place}")
        if who in world.opened:
            yield Finding(Kind.NOT_GONE, f"{who} can still be opened")


def what_topics_say(world: World, ledger: Ledger) -> Found:
    """First copies of an aggregate's events rise one by one, the last word is the newest, and it is the state's."""
    streams: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in world.facts:
        streams[fact.topic, fact.key].append(fact)
    for (topic, key), facts in streams.items():
        yield from _one_stream(topic in world.gapless, f"{topic} {key}", facts)
        state = world.aggregates.get((topic, key))
        if state is not None and topic in world.gapless and state != facts[-1].sequence:
            yield Finding(Kind.LOST, f"{topic} {key}: the state is at {state}, the topic's last word is {facts[-1].sequence}")
        for service in world.followers.get(topic, ()):
            applied = world.inbox.get((service, topic, key), 0)
            if applied < facts[-1].sequence:
                yield Finding(Kind.LOST, f"{service} applied {topic} {key} up to {applied} of {facts[-1].sequence}")
    for topic, key in world.aggregates.keys() - streams.keys():
        if topic in world.gapless:
            yield Finding(Kind.LOST, f"{topic} says nothing of {key}")


def _one_stream(gapless: bool, name: str, facts: list[Fact]) -> Found:
    highest, ids = facts[0].sequence, {facts[0].sequence: facts[0].id}
    for fact in facts[1:]:
        if fact.sequence in ids:
            if ids[fact.sequence] != fact.id:
                yield Finding(Kind.TWICE, f"{name}: two events with sequence {fact.sequence}")
            continue
        if fact.sequence < highest:
            yield Finding(Kind.BACKWARDS, f"{name}: {fact.sequence} comes first after {highest}")
        elif gapless and fact.sequence > highest + 1:
            yield Finding(Kind.LOST, f"{name}: no event between {highest} and {fact.sequence}")
        ids[fact.sequence], highest = fact.id, max(highest, fact.sequence)
    if facts[-1].sequence < highest:
        yield Finding(Kind.BACKWARDS, f"{name}: the last word is {facts[-1].sequence}, after {highest}")


def what_is_left(world: World, ledger: Ledger) -> Found:
    """Nothing waits: outboxes are empty, consumers are at the end, processes run."""
    for service, rows in world.outbox.items():
        if rows:
            yield Finding(Kind.OUTBOX, f"{service}: {rows}")
    for (topic, partition), end in world.ends.items():
        for service in world.followers.get(topic, ()):
            at = world.committed.get((service, topic, partition), 0)
            if at <= end:
                yield Finding(Kind.LAG, f"{service} is at {at} of {end} in {topic}/{partition}")
    for process, state in world.unready.items():
        yield Finding(Kind.BY_HAND, f"{process} is {state}")
    for begun, ended in world.away:
        accepted = sum(entry.fate is Fate.ACKNOWLEDGED and begun < entry.at < ended for entry in ledger.entries)
        if accepted < FEWEST_ACCEPTED:
            yield Finding(Kind.REFUSED, f"{accepted} writes in {ended - begun:.0f} s without Kafka")
    bound = ROWS_A_WRITE * (len(ledger.entries) + 1) + ROWS_BY_ITSELF
    if world.highest_outbox > bound:
        yield Finding(Kind.OUTBOX, f"{world.highest_outbox} rows at once, {bound} at most after {len(ledger.entries)} writes")


def what_was_set_aside(world: World, ledger: Ledger) -> Found:
    """Only poison is set aside, and all of it."""
    for what, position in world.set_aside.items():
        if position not in world.poisoned:
            yield Finding(Kind.SET_ASIDE, what)
    kept = {(what.partition(" ")[0], position) for what, position in world.set_aside.items()}
    for position in world.poisoned:
        for service in world.followers.get(position.partition("/")[0], ()):
            if (service, position) not in kept:
                yield Finding(Kind.POISON, f"{position} at {service}")


def what_was_seen(world: World, ledger: Ledger) -> Found:
    """What the load itself saw to be wrong, and what logs must not say."""
    for wrong in ledger.wrong:
        yield Finding(Kind.SEEN, wrong)
    for line in world.personal:
        yield Finding(Kind.PERSONAL, line[:300])


CHECKS: tuple[Callable[[World, Ledger], Found], ...] = (
    what_is_claimed,
    what_time_did,
    who_is_seen,
    who_is_gone,
    what_topics_say,
    what_is_left,
    what_was_set_aside,
    what_was_seen,
)
