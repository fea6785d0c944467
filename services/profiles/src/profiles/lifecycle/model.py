"""The year of a profile as a state machine: pure, in domain dates, without a clock of its own.

    draft --activate--> active --(year over: ask)--> asked --(period over, no click)--> inactive
                        active, asked --deactivate--> inactive          asked --renew (click)--> active
                        inactive --reactivate--> active

Within `asked` every step waits for the proof of the one before: the period starts when the mail server has the question, a
reminder follows what was delivered, and nobody expires who was never asked. Where a mail bounced or was given up, no further
one is sent and the period ends as `unreachable`. A step is named by (profile, cycle, step), which is also its mail's cause; a
function that meets a step already taken, or a proof already had, returns the same lifecycle.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from chassis.clock import year_later


class State(StrEnum):
    """Where a profile is in its year."""

    DRAFT = "draft"
    ACTIVE = "active"
    ASKED = "asked"
    INACTIVE = "inactive"


class Reason(StrEnum):
    """Why a profile is inactive."""

    BY_CANDIDATE = "by-candidate"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"


class Step(StrEnum):
    """What the passing of time does to a profile."""

    ASK = "ask"
    FIRST_REMINDER = "remind-1"
    SECOND_REMINDER = "remind-2"
    END = "end"


class Proof(StrEnum):
    """What became of the mail of the step that was taken last."""

    AWAITED = "awaited"
    ACCEPTED = "accepted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Terms:
    """How long the period after the year lasts, and how long before its end the reminders come."""

    period: timedelta = timedelta(days=28)
    first_reminder: timedelta = timedelta(days=14)
    second_reminder: timedelta = timedelta(days=3)

    def left_after(self, step: Step) -> timedelta:
        """Return how long the candidate can still answer from the day on which the step's mail was delivered."""
        left = {Step.ASK: self.period, Step.FIRST_REMINDER: self.first_reminder, Step.SECOND_REMINDER: self.second_reminder}
        return left[step]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A profile's place in its year. `cycle` counts the years; `visible_until` is the last day of the present one."""

    state: State = State.DRAFT
    cycle: int = 0
    visible_until: date | None = None
    step: Step | None = None
    proof: Proof | None = None
    proven_on: date | None = None
    reason: Reason | None = None
    inactive_since: date | None = None

    @property
    def running(self) -> bool:
        """Tell whether the lifecycle allows that the profile is seen."""
        return self.state in (State.ACTIVE, State.ASKED)


class Start(Protocol):
    """`activate` or `reactivate`."""

    def __call__(self, life: Lifecycle, *, today: date) -> Lifecycle:
        """Return the lifecycle with a new year."""
        ...


class RefusedError(Exception):
    """The lifecycle does not allow this now; `code` says why, for the one who asked."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def activate(life: Lifecycle, *, today: date) -> Lifecycle:
    """Start the first year. Again while it runs: nothing new."""
    if life.running:
        return life
    if life.state is State.INACTIVE:
        raise RefusedError("reactivate-instead")
    return _new_year(life, today)


def reactivate(life: Lifecycle, *, today: date) -> Lifecycle:
    """Start a new year after an interruption, whatever its reason. Again while it runs: nothing new."""
    if life.running:
        return life
    if life.state is State.DRAFT:
        raise RefusedError("activate-first")
    return _new_year(life, today)


def deactivate(life: Lifecycle, *, today: date) -> Lifecycle:
    """Stop the year at the candidate's wish. Again while it is stopped: nothing new."""
    if life.state is State.DRAFT:
        raise RefusedError("activate-first")
    if life.state is State.INACTIVE:
        return life
    return _stopped(life, Reason.BY_CANDIDATE, today)


def renew(life: Lifecycle, *, cycle: int, today: date) -> Lifecycle:
    """Answer the question of that cycle with a click: another year. An answer that was given before changes nothing."""
    if life.cycle > cycle and life.running:
        return life
    if life.state is State.ASKED and life.cycle == cycle:
        return _new_year(life, today)
    raise RefusedError("reactivate-instead")


def due(life: Lifecycle, terms: Terms) -> tuple[Step, date] | None:
    """Return the step that comes next by itself and the first day on which it may be taken, never earlier; or None."""
    if life.state is State.ACTIVE and life.visible_until is not None:
        return Step.ASK, life.visible_until + timedelta(days=1)
    if life.state is not State.ASKED or life.step is None or life.proven_on is None:
        return None
    answer_before = life.proven_on + terms.left_after(life.step)
    following = _AFTER[life.step]
    if life.proof is Proof.FAILED or following is Step.END:
        return Step.END, answer_before + timedelta(days=1)
    return following, answer_before - terms.left_after(following)


def answer_before(life: Lifecycle, terms: Terms) -> date | None:
    """Return the last day on which a click still renews; None before the question was delivered."""
    if life.state is not State.ASKED or life.step is None or life.proven_on is None:
        return None
    return life.proven_on + terms.left_after(life.step)


def take(life: Lifecycle, step: Step, *, cycle: int, today: date, terms: Terms) -> Lifecycle:
    """Take a due step of a cycle: compare and set. What is not due, or was taken, changes nothing."""
    coming = due(life, terms)
    if coming is None or life.cycle != cycle or coming[0] is not step or today < coming[1]:
        return life
    if step is Step.END:
        return _stopped(life, Reason.UNREACHABLE if life.proof is Proof.FAILED else Reason.EXPIRED, today)
    return replace(life, state=State.ASKED, step=step, proof=Proof.AWAITED, proven_on=None)


def prove(life: Lifecycle, step: Step, *, cycle: int, accepted: bool, on: date) -> Lifecycle:
    """Note what became of a step's mail. Word about another step or cycle, or the same word again, changes nothing.

    A bounce after the mail server took the mail is the truer word, and the time that is left counts from it.
    """
    settled = Proof.ACCEPTED if accepted else Proof.FAILED
    if life.state is not State.ASKED or life.cycle != cycle or life.step is not step:
        return life
    if life.proof in (settled, Proof.FAILED):
        return life
    return replace(life, proof=settled, proven_on=on)


_AFTER = {Step.ASK: Step.FIRST_REMINDER, Step.FIRST_REMINDER: Step.SECOND_REMINDER, Step.SECOND_REMINDER: Step.END}


def _new_year(life: Lifecycle, today: date) -> Lifecycle:
    return Lifecycle(state=State.ACTIVE, cycle=life.cycle + 1, visible_until=year_later(today))


def _stopped(life: Lifecycle, reason: Reason, today: date) -> Lifecycle:
    return Lifecycle(
        state=State.INACTIVE, cycle=life.cycle, step=life.step, proof=life.proof, reason=reason, inactive_since=today
    )
