"""R26: what may be decided, and what a person had agreed to on a day. Pure rules, every state against every step."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from consent.decisions.model import Answer, Decision, Presentation, Refusal, RefusedError, State, decide, on_day, show, withdraw

DAY = date(2027, 3, 1)
LATER = DAY + timedelta(days=5)
PURPOSE = "candidate-search"


def presentation(**other: object) -> Presentation:
    return replace(Presentation("p1", "anna", "2027-01", "nl", "hash-1", {PURPOSE: "May we?"}, DAY), **other)


def decision(state: State, **other: object) -> Decision:
    return replace(Decision("anna", PURPOSE, "portal", state, presentation().shown, DAY, sequence=3), **other)


def refusal(call) -> Refusal:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.refusal


def test_showing_starts_a_history_and_never_changes_a_decision():
    first = show(None, presentation(), purpose=PURPOSE, controller="portal")
    assert first is not None
    assert (first.state, first.sequence, first.key) == (State.SHOWN, 1, "anna:candidate-search:portal")
    for state in State:
        assert show(decision(state), presentation(), purpose=PURPOSE, controller="portal") is None


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("answer", Answer)
def test_an_answer_changes_every_state_but_never_takes_a_consent_back(state: State, answer: Answer):
    def call() -> Decision:
        return decide(decision(state), presentation(), answer, in_force="2027-01", today=LATER)

    if state is State.CONSENTED and answer is Answer.ACKNOWLEDGED:
        assert refusal(call) is Refusal.WITHDRAW_INSTEAD
    elif state.value == answer.value:
        assert call() == decision(state)
    else:
        assert call() == decision(State(answer.value), decided_on=LATER)


@pytest.mark.parametrize("state", State)
def test_only_the_text_in_force_can_be_agreed_to(state: State):
    for in_force in ("2027-06", None):
        call = lambda in_force=in_force: decide(decision(state), presentation(), Answer.CONSENTED, in_force=in_force, today=LATER)  # noqa: E731 - the call is what is refused
        assert refusal(call) is Refusal.OUTDATED


def test_only_what_was_asked_can_be_agreed_to():
    unasked = presentation(questions={"newsletter": "May we?"})
    call = lambda: decide(decision(State.SHOWN), unasked, Answer.CONSENTED, in_force="2027-01", today=LATER)  # noqa: E731 - the call is what is refused
    assert refusal(call) is Refusal.NOT_ASKED


@pytest.mark.parametrize("other", [{"version": "2027-06"}, {"language": "en"}])
def test_agreeing_again_to_another_text_is_a_decision_of_its_own(other: dict[str, str]):
    seen = presentation(id="p2", sha256="hash-2", **other)
    again = decide(decision(State.CONSENTED), seen, Answer.CONSENTED, in_force=seen.version, today=LATER)
    assert again == decision(State.CONSENTED, shown=seen.shown, decided_on=LATER)


@pytest.mark.parametrize("state", [None, *State])
def test_only_a_consent_can_be_withdrawn_and_twice_is_once(state: State | None):
    current = decision(state) if state else None
    if state is State.CONSENTED:
        assert withdraw(current, today=LATER) == decision(State.WITHDRAWN, decided_on=LATER)
    elif state is State.WITHDRAWN:
        assert withdraw(current, today=LATER) == current
    else:
        assert refusal(lambda: withdraw(current, today=LATER)) is Refusal.NOT_CONSENTED


def test_a_day_is_answered_with_what_held_at_its_end():
    steps = [(State.SHOWN, 0), (State.CONSENTED, 0), (State.WITHDRAWN, 10), (State.CONSENTED, 10), (State.WITHDRAWN, 20)]
    history = [decision(state, decided_on=DAY + timedelta(days=n), sequence=i) for i, (state, n) in enumerate(steps, 1)]
    other = decision(State.ACKNOWLEDGED, purpose="newsletter", decided_on=LATER)

    def stood(days: int) -> list[State]:
        found = on_day(reversed([*history, other]), DAY + timedelta(days=days))
        return [one.state for one in found]

    assert stood(-1) == []
    assert stood(0) == [State.CONSENTED]
    assert stood(9) == [State.CONSENTED, State.ACKNOWLEDGED]
    assert stood(10) == [State.CONSENTED, State.ACKNOWLEDGED]
    assert stood(20) == [State.WITHDRAWN, State.ACKNOWLEDGED]
    assert stood(9999) == stood(20)
