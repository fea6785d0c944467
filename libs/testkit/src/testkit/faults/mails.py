"""What the mails of a round must be like: each cause once, must-arrive mails always, and again only through SMTP's own window.

The window: a mail server has taken a message, and its sender cannot know, because the answer was lost or the sender died before
it was written down. A must-arrive mail is then sent again, with the same Message-ID. The mail server's record tells whether that
was so: a copy whose sender came back on the same connection was heard of, and none may follow it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator

from testkit.faults.ledger import Ledger
from testkit.faults.world import Copy, QueuedMail, World

AT_MOST_ONCE = frozenset({"job-alert", "profile-renewed"})
ENDED_BADLY = frozenset({"bounced", "given-up"})
UNWANTED = frozenset({"not-wanted", "account-closed"})
"""Reasons for which a mail is rightly not sent."""
ALERT = "notifications:alert:"
REJECTED = "mails-rejected"
"""The excuse of a fault in which the mail server refuses for good."""

JUMPED = "time-jumped"
"""The excuse of a fault in which domain time jumps weeks: what was sealed before and not yet read is dark, as it has to be."""

Wrong = Iterator[tuple[str, str]]


def message_id(cause: str) -> str:
    """Return the part before the @ that every copy of a cause's mail carries."""
    return hashlib.sha256(cause.encode()).hexdigest()[:40]


def check(world: World, ledger: Ledger, excuses: frozenset[str]) -> Wrong:
    """Return (kind, what) of everything that is wrong with mails."""
    copies: dict[str, list[Copy]] = defaultdict(list)
    for copy in world.copies:
        copies[copy.message_id.strip("<>").partition("@")[0]].append(copy)
    for mail in world.queue:
        yield from _one(mail, copies.pop(message_id(mail.cause), []), excuses)
    for name, strange in copies.items():
        if strange[0].to in ledger.gone.values():  # their mails are in no queue any more, only in their own mailbox
            yield from _sent_again(f"a mail to {strange[0].to}", strange)
        elif any(not copy.old and not copy.heard for copy in strange):  # that a sender heard may be noted a round later
            yield "STRANGE_MAIL", f"{name} to {strange[0].to}"
    yield from _last_words(world, ledger, excuses)
    yield from _registrations(world, ledger, excuses)
    yield from _alerts(world, ledger)


def _one(mail: QueuedMail, copies: list[Copy], excuses: frozenset[str]) -> Wrong:
    name, taken = f"{mail.template} {mail.cause}", [copy for copy in copies if not copy.heard]
    if mail.old:
        if any(not copy.old for copy in taken):
            yield "MAIL_TWICE", f"{name}: sent again after it had ended"
        return
    if mail.state == "queued":
        yield "MAIL_MISSING", f"{name} still waits"
    elif mail.state == "accepted" and not taken:
        yield "MAIL_MISSING", f"{name} was told to be accepted, and no mail server has it"
    elif mail.state in ENDED_BADLY and mail.template not in AT_MOST_ONCE and not _excused(mail, excuses):
        yield "MAIL_MISSING", f"{name} is {mail.state}: {mail.reason}"
    if mail.template in AT_MOST_ONCE and len(taken) > 1:
        yield "MAIL_TWICE", f"{name}: {len(taken)} copies of what comes at most once"
    yield from _sent_again(name, copies)


def _sent_again(name: str, copies: list[Copy]) -> Wrong:
    heard = next((place for place, copy in enumerate(copies) if copy.heard), len(copies))
    if any(not copy.heard for copy in copies[heard:]):
        yield "MAIL_TWICE", f"{name}: sent again after its sender had heard that it was taken"


def _excused(mail: QueuedMail, excuses: frozenset[str]) -> bool:
    return REJECTED in excuses or mail.reason in UNWANTED or (mail.reason == "dark" and JUMPED in excuses)


def _last_words(world: World, ledger: Ledger, excuses: frozenset[str]) -> Wrong:
    """Whoever is erased is told twice, when it begins and when it is done; the request that the mails are about has a name."""
    for who, address in ledger.gone.items():
        request = world.requests.get(who)
        for template in ("erasure-begun", "erased"):
            name = message_id(f"consent:{template}:{request}")
            taken = any(copy.to == address and name in copy.message_id for copy in world.copies)
            if not taken and not excuses & {REJECTED, JUMPED}:
                yield "MAIL_MISSING", f"{template} of {who}"


def _registrations(world: World, ledger: Ledger, excuses: frozenset[str]) -> Wrong:
    mailed: dict[str, set[str]] = defaultdict(set)
    for copy in world.copies:
        mailed[copy.to].add(copy.message_id)
    for (who, what), claim in ledger.claims().items():
        if what != "registration":
            continue
        if len(mailed[who]) > claim.most:
            yield "MAIL_TWICE", f"{len(mailed[who])} different mails for {claim.most} registrations"
        if len(mailed[who]) < claim.fewest and not excuses & {REJECTED, JUMPED}:
            yield "MAIL_MISSING", "nothing was mailed for a registration"


def _alerts(world: World, ledger: Ledger) -> Wrong:
    """A person is told once, by whichever of their searches. A vacancy that was closed may have been open too briefly."""
    told = Counter((mail.subject, mail.cause.split(":")[-1]) for mail in world.queue if mail.cause.startswith(ALERT))
    for (who, vacancy), count in told.items():
        if count > 1:
            yield "MAIL_TWICE", f"{who} was told {count} times of vacancy {vacancy}"
    for search, saved in ledger.searches.items():
        for vacancy, published in ledger.vacancies.items():
            news = saved.group == published.group and published.at > saved.at and vacancy not in ledger.closed
            if news and (saved.who, vacancy) not in told:
                yield "LOST", f"no alert was queued for search {search} and vacancy {vacancy}"
