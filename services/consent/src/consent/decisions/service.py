"""Shows, decides, withdraws, looks back, and forgets after the term.

Every step is one line of history and one event, in one transaction.
"""

from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Final

from chassis.clock import Clock, years_before
from chassis.ids import new_id
from chassis.mongo import Mongo, transact
from chassis.uow import Reads, UnitOfWork
from contracts.consent.decision import PORTAL, DecisionEvent

from consent.callers.service import may_decide
from consent.decisions import model, store
from consent.decisions.model import Answer, Decision, Presentation, Refusal, RefusedError
from consent.statements.model import Language, Statements

BATCH: Final = 200
"""How much of what is past its term one run, or one transaction, removes at most."""


async def present(
    *, uow: UnitOfWork, clock: Clock, statements: Statements, subject: str, language: Language, purposes: Iterable[str]
) -> Presentation:
    """Record that the statement in force was shown, and for which purposes consent was asked.

    Raises:
        RefusedError: The account is closed, or the statement does not ask for one of the purposes.
    """
    await _refuse_closed(uow, subject)
    statement = statements.in_force(clock.today())
    if statement is None:
        raise RefusedError(Refusal.OUTDATED)
    wording = statement.wordings[language]
    if not set(purposes) <= set(wording.questions):
        raise RefusedError(Refusal.NOT_ASKED)
    presentation = Presentation(
        id=new_id(),
        subject=subject,
        version=statement.version,
        language=language,
        sha256=wording.sha256,
        questions={purpose: wording.questions[purpose] for purpose in sorted(set(purposes))},
        shown_on=clock.today(),
    )
    store.add_presentation(uow, presentation, at=clock.machine())
    for purpose in presentation.questions:
        await _show(uow, clock, presentation, purpose)
    return presentation


async def decide(
    *, uow: UnitOfWork, clock: Clock, statements: Statements, subject: str, presentation: str, purpose: str, answer: Answer
) -> Decision:
    """Keep a person's answer to what they were shown.

    Raises:
        RefusedError: See its `Refusal`.
    """
    await _refuse_closed(uow, subject)
    seen = await store.presentation(uow, presentation, subject=subject)
    if seen is None:
        raise RefusedError(Refusal.UNKNOWN_PRESENTATION)
    current = await store.decision(uow, key_of(subject, purpose))
    if current is None:
        raise RefusedError(Refusal.NOT_ASKED)
    in_force = statements.in_force(clock.today())
    version = in_force.version if in_force else None
    wanted = model.decide(current, seen, answer, in_force=version, today=clock.today())
    return current if wanted == current else _keep(uow, clock, wanted)


async def withdraw(*, uow: UnitOfWork, clock: Clock, subject: str, purpose: str) -> Decision:
    """Take a consent back. Nothing has to be shown for it, and a closed account may too.

    Raises:
        RefusedError: There is no consent.
    """
    current = await store.decision(uow, key_of(subject, purpose))
    wanted = model.withdraw(current, today=clock.today())
    return wanted if wanted == current else _keep(uow, clock, wanted)


async def forget(uow: UnitOfWork, subject: str) -> dict[str, int]:
    """End all that a person decided and let every service forget it; the proof stays, and again there is nothing to end."""
    ended = 0
    for one in await store.decisions(uow, subject):
        wanted = model.erase(one, today=uow.clock.today())
        if wanted != one:
            kept = store.save(uow, wanted, at=uow.clock.machine())
            uow.emit_tombstone(DecisionEvent.topic, key=kept.key, sequence=kept.sequence)
            ended += 1
    return {"consents": ended, "forgotten-consents": await store.drop_sequences(uow, subject)}


async def remove_ended(mongo: Mongo, years: int) -> int:
    """Remove the proof of consents that ended so many years ago (domain time), and return how many documents went.

    With the line that ended a consent goes all that led to it. Where nothing came after it, every service forgets the decision.
    """
    until = years_before(mongo.clock.today(), years)
    due = await store.ended(mongo, until, limit=BATCH)
    gone = sum([await transact(mongo, partial(_remove_up_to, one)) for one in due])
    return gone + await transact(mongo, partial(_remove_unused, until))


async def _remove_up_to(last: Decision, uow: UnitOfWork) -> int:
    lines = await store.lines_until(uow, last.key, last.sequence, limit=BATCH)
    gone = await store.remove_lines(uow, lines)
    present = await store.decision(uow, last.key)
    if present is None or present.sequence != last.sequence:
        return gone  # it began anew
    store.remove(uow, present)
    if present.state is not model.State.ERASED:  # of whom every service was told already
        store.keep_sequence(uow, present, present.sequence + 1)
        uow.emit_tombstone(DecisionEvent.topic, key=present.key, sequence=present.sequence + 1)
    return gone + 1


async def _remove_unused(until: date, uow: UnitOfWork) -> int:
    due = await store.unused_until(uow, until, limit=BATCH)
    for presentation in due:
        store.remove_unused(uow, presentation)
    return len(due)


async def get_presentation(*, reads: Reads, subject: str, presentation: str) -> Presentation | None:
    """Return what was shown to this person, or None."""
    return await store.presentation(reads, presentation, subject=subject)


async def current(*, reads: Reads, subject: str) -> list[Decision]:
    """Return where a person stands now."""
    return await store.decisions(reads, subject)


async def on_day(*, reads: Reads, subject: str, day: date) -> list[Decision]:
    """Return where a person stood at the end of a day."""
    return model.on_day(await store.history(reads, subject, until=day), day)


async def history(*, reads: Reads, subject: str, today: date) -> list[Decision]:
    """Return all that a person was asked and decided, the oldest first."""
    return await store.history(reads, subject, until=today)


def key_of(subject: str, purpose: str) -> str:
    """Return the name of the decision towards the portal, the only controller that asks for consent by now."""
    return f"{subject}:{purpose}:{PORTAL}"


async def _refuse_closed(reads: Reads, subject: str) -> None:
    if not await may_decide(reads, subject):
        raise RefusedError(Refusal.ACCOUNT_CLOSED)


async def _show(uow: UnitOfWork, clock: Clock, presentation: Presentation, purpose: str) -> None:
    earlier = await store.decision(uow, key_of(presentation.subject, purpose))
    after = await store.last_sequence(uow, key_of(presentation.subject, purpose))
    first = model.show(earlier, presentation, purpose=purpose, controller=PORTAL, after=after)
    if first is not None:
        store.add(uow, first, at=clock.machine())
        uow.emit(_event(first), sequence=first.sequence)


def _keep(uow: UnitOfWork, clock: Clock, wanted: Decision) -> Decision:
    kept = store.save(uow, wanted, at=clock.machine())
    uow.emit(_event(kept), sequence=kept.sequence)
    return kept


def _event(one: Decision) -> DecisionEvent:
    return DecisionEvent.model_validate(
        {
            "subject": one.subject,
            "purpose": one.purpose,
            "controller": one.controller,
            "state": one.state.value,
            "statement_version": one.shown.version,
            "language": one.shown.language,
            "decided_on": one.decided_on,
        }
    )
