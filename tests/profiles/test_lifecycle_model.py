"""The year of a profile (R15 to R18): every state with every event, and every date."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from profiles.lifecycle import model
from profiles.lifecycle.model import Lifecycle, Proof, Reason, RefusedError, State, Step, Terms

TERMS = Terms()
START = date(2026, 3, 10)
FAR = date(2029, 1, 1)


def asked(step: Step, proof: Proof) -> Lifecycle:
    return Lifecycle(
        state=State.ASKED,
        cycle=2,
        visible_until=date(2027, 3, 10),
        step=step,
        proof=proof,
        proven_on=None if proof is Proof.AWAITED else date(2027, 3, 12),
    )


STATES = {
    "draft": Lifecycle(),
    "active": Lifecycle(state=State.ACTIVE, cycle=2, visible_until=date(2027, 3, 10)),
    "asked": asked(Step.ASK, Proof.AWAITED),
    "asked+": asked(Step.ASK, Proof.ACCEPTED),
    "asked-": asked(Step.ASK, Proof.FAILED),
    "first": asked(Step.FIRST_REMINDER, Proof.AWAITED),
    "first+": asked(Step.FIRST_REMINDER, Proof.ACCEPTED),
    "first-": asked(Step.FIRST_REMINDER, Proof.FAILED),
    "second": asked(Step.SECOND_REMINDER, Proof.AWAITED),
    "second+": asked(Step.SECOND_REMINDER, Proof.ACCEPTED),
    "second-": asked(Step.SECOND_REMINDER, Proof.FAILED),
    "stopped": Lifecycle(state=State.INACTIVE, cycle=2, reason=Reason.BY_CANDIDATE, inactive_since=date(2027, 1, 1)),
    "expired": Lifecycle(state=State.INACTIVE, cycle=2, reason=Reason.EXPIRED, inactive_since=date(2027, 5, 1)),
    "unreachable": Lifecycle(state=State.INACTIVE, cycle=2, reason=Reason.UNREACHABLE, inactive_since=date(2027, 5, 1)),
}

EVENTS = {
    "act": lambda life: model.activate(life, today=FAR),
    "react": lambda life: model.reactivate(life, today=FAR),
    "deact": lambda life: model.deactivate(life, today=FAR),
    "click": lambda life: model.renew(life, cycle=2, today=FAR),
    "old": lambda life: model.renew(life, cycle=1, today=FAR),
    "t-ask": lambda life: model.take(life, Step.ASK, cycle=2, today=FAR, terms=TERMS),
    "t-r1": lambda life: model.take(life, Step.FIRST_REMINDER, cycle=2, today=FAR, terms=TERMS),
    "t-r2": lambda life: model.take(life, Step.SECOND_REMINDER, cycle=2, today=FAR, terms=TERMS),
    "t-end": lambda life: model.take(life, Step.END, cycle=2, today=FAR, terms=TERMS),
    "t-old": lambda life: model.take(life, Step.ASK, cycle=1, today=FAR, terms=TERMS),
    "ask-ok": lambda life: model.prove(life, Step.ASK, cycle=2, accepted=True, on=FAR),
    "ask-no": lambda life: model.prove(life, Step.ASK, cycle=2, accepted=False, on=FAR),
    "r1-ok": lambda life: model.prove(life, Step.FIRST_REMINDER, cycle=2, accepted=True, on=FAR),
    "r1-no": lambda life: model.prove(life, Step.FIRST_REMINDER, cycle=2, accepted=False, on=FAR),
    "r2-ok": lambda life: model.prove(life, Step.SECOND_REMINDER, cycle=2, accepted=True, on=FAR),
    "r2-no": lambda life: model.prove(life, Step.SECOND_REMINDER, cycle=2, accepted=False, on=FAR),
    "old-ok": lambda life: model.prove(life, Step.ASK, cycle=1, accepted=True, on=FAR),
}

# One row per state; `.` is no change, `!` a refusal, `year` a new year. The order of the columns is that of EVENTS.
TABLE = """
            act  react deact   click old t-ask t-r1  t-r2   t-end   t-old ask-ok ask-no r1-ok  r1-no  r2-ok   r2-no   old-ok
draft       year !     !       !     !   .     .     .      .       .     .      .      .      .      .       .       .
active      .    .     stopped !     .   asked .     .      .       .     .      .      .      .      .       .       .
asked       .    .     stopped year  .   .     .     .      .       .     asked+ asked- .      .      .       .       .
asked+      .    .     stopped year  .   .     first .      .       .     .      asked- .      .      .       .       .
asked-      .    .     stopped year  .   .     .     .      unreach .     .      .      .      .      .       .       .
first       .    .     stopped year  .   .     .     .      .       .     .      .      first+ first- .       .       .
first+      .    .     stopped year  .   .     .     second .       .     .      .      .      first- .       .       .
first-      .    .     stopped year  .   .     .     .      unreach .     .      .      .      .      .       .       .
second      .    .     stopped year  .   .     .     .      .       .     .      .      .      .      second+ second- .
second+     .    .     stopped year  .   .     .     .      expired .     .      .      .      .      .       second- .
second-     .    .     stopped year  .   .     .     .      unreach .     .      .      .      .      .       .       .
stopped     !    year  .       !     !   .     .     .      .       .     .      .      .      .      .       .       .
expired     !    year  .       !     !   .     .     .      .       .     .      .      .      .      .       .       .
unreachable !    year  .       !     !   .     .     .      .       .     .      .      .      .      .       .       .
"""


def table() -> list[tuple[str, str, str]]:
    head, *rows = TABLE.strip().splitlines()
    events = head.split()
    return [(row.split()[0], event, cell) for row in rows for event, cell in zip(events, row.split()[1:], strict=True)]


def describe(before: Lifecycle, after: Lifecycle) -> str:
    """Name an outcome in the table's words, from what the lifecycle says and not from how it came about."""
    if after == before:
        return "."
    if after.state is State.ACTIVE:
        assert after == Lifecycle(state=State.ACTIVE, cycle=before.cycle + 1, visible_until=date(2030, 1, 1))
        return "year"
    if after.state is State.INACTIVE:
        assert (after.cycle, after.visible_until, after.inactive_since) == (2, None, FAR)
        return {Reason.BY_CANDIDATE: "stopped", Reason.EXPIRED: "expired", Reason.UNREACHABLE: "unreach"}[after.reason]
    assert (after.cycle, after.visible_until) == (2, date(2027, 3, 10))
    step = {Step.ASK: "asked", Step.FIRST_REMINDER: "first", Step.SECOND_REMINDER: "second"}[after.step]
    return step + {Proof.AWAITED: "", Proof.ACCEPTED: "+", Proof.FAILED: "-"}[after.proof]


def test_the_table_names_every_state_and_every_event():
    assert {(state, event) for state, event, _ in table()} == {(state, event) for state in STATES for event in EVENTS}


@pytest.mark.parametrize(("state", "event", "expected"), table())
def test_every_state_with_every_event(state, event, expected):
    before = STATES[state]
    try:
        outcome = describe(before, EVENTS[event](before))
    except RefusedError:
        outcome = "!"
    assert outcome == expected


def test_r15_a_profile_is_visible_for_a_year_to_the_day():
    assert model.activate(Lifecycle(), today=START).visible_until == date(2027, 3, 10)
    assert model.activate(Lifecycle(), today=date(2028, 2, 29)).visible_until == date(2029, 3, 1)


def test_r16_the_question_comes_when_the_last_day_is_over_and_never_early():
    life = model.activate(Lifecycle(), today=START)
    on_the_last_day = model.take(life, Step.ASK, cycle=1, today=date(2027, 3, 10), terms=TERMS)
    after_it = model.take(life, Step.ASK, cycle=1, today=date(2027, 3, 11), terms=TERMS)
    assert on_the_last_day == life
    assert after_it.state is State.ASKED


def test_r17_reminders_come_14_and_3_days_before_the_end_of_28_days_after_delivery():
    life = model.take(model.activate(Lifecycle(), today=START), Step.ASK, cycle=1, today=date(2027, 3, 11), terms=TERMS)
    delivered = date(2027, 3, 13)
    life = model.prove(life, Step.ASK, cycle=1, accepted=True, on=delivered)
    assert model.answer_before(life, TERMS) == delivered + timedelta(days=28)
    for step, days in ((Step.FIRST_REMINDER, 14), (Step.SECOND_REMINDER, 25)):
        assert model.due(life, TERMS) == (step, delivered + timedelta(days=days))
        on = delivered + timedelta(days=days)
        assert model.take(life, step, cycle=1, today=on - timedelta(days=1), terms=TERMS) == life
        life = model.prove(model.take(life, step, cycle=1, today=on, terms=TERMS), step, cycle=1, accepted=True, on=on)
        assert model.answer_before(life, TERMS) == delivered + timedelta(days=28)
    assert model.due(life, TERMS) == (Step.END, delivered + timedelta(days=29))
    the_last_day = model.take(life, Step.END, cycle=1, today=delivered + timedelta(days=28), terms=TERMS)
    the_day_after = model.take(life, Step.END, cycle=1, today=delivered + timedelta(days=29), terms=TERMS)
    assert the_last_day == life
    assert (the_day_after.state, the_day_after.reason) == (State.INACTIVE, Reason.EXPIRED)


def test_r17_a_reminder_that_was_delivered_late_moves_the_end():
    life = replace(STATES["first+"], proven_on=date(2027, 6, 1))
    assert model.answer_before(life, TERMS) == date(2027, 6, 15)


@pytest.mark.parametrize("waiting", ["asked", "first", "second"])
def test_r17_nobody_expires_while_a_mail_is_on_its_way(waiting):
    assert model.due(STATES[waiting], TERMS) is None


def test_r17_after_a_bounce_the_whole_period_passes_without_further_mails():
    life = model.prove(STATES["asked"], Step.ASK, cycle=2, accepted=False, on=date(2027, 3, 12))
    assert model.due(life, TERMS) == (Step.END, date(2027, 4, 10))


@pytest.mark.parametrize("state", [name for name in STATES if name not in ("draft", "stopped", "expired", "unreachable")])
def test_r18_deactivating_stops_the_year_and_reactivating_starts_a_new_one(state):
    stopped = model.deactivate(STATES[state], today=START)
    again = model.reactivate(stopped, today=date(2027, 8, 1))
    assert (again.cycle, again.visible_until) == (3, date(2028, 8, 1))


def test_refusals_say_what_to_do_instead():
    with pytest.raises(RefusedError, match="reactivate-instead"):
        model.activate(STATES["expired"], today=FAR)
    with pytest.raises(RefusedError, match="activate-first"):
        model.reactivate(STATES["draft"], today=FAR)
    with pytest.raises(RefusedError, match="reactivate-instead"):
        model.renew(STATES["expired"], cycle=2, today=FAR)
