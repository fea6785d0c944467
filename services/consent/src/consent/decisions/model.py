"""Where a person stands towards one purpose of one controller: pure, in domain dates, with its whole history beside it.

    (nothing) --shown--> shown --decide--> consented | acknowledged
    consented --withdraw--> withdrawn --decide--> consented | acknowledged
    any --erase--> erased

Only what was shown can be decided upon, and only while that text is in force. Showing a text never changes a decision, and
an acknowledgement never takes a consent back: withdrawing is a step of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class State(StrEnum):
    """Where a person stands. Only `consented` lets anybody act; `erased` is the end, of which only the proof is left."""

    SHOWN = "shown"
    ACKNOWLEDGED = "acknowledged"
    CONSENTED = "consented"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


ENDED = (State.WITHDRAWN, State.ERASED)
"""The states in which a consent is over: from that day on its proof has a term."""


class Answer(StrEnum):
    """What a person may say to what was shown."""

    ACKNOWLEDGED = "acknowledged"
    CONSENTED = "consented"


class Refusal(StrEnum):
    """Why a decision is not taken."""

    UNKNOWN_PRESENTATION = "unknown-presentation"
    NOT_ASKED = "not-asked"
    OUTDATED = "outdated"
    WITHDRAW_INSTEAD = "withdraw-instead"
    NOT_CONSENTED = "not-consented"
    ACCOUNT_CLOSED = "account-closed"


class RefusedError(Exception):
    """A decision is not taken; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Shown:
    """The text that a decision was about."""

    presentation: str
    version: str
    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a person was shown, and asked in which words (`questions`, by purpose)."""

    id: str
    subject: str
    version: str
    language: str
    sha256: str
    questions: dict[str, str]
    shown_on: date

    @property
    def shown(self) -> Shown:
        """What a decision keeps of it."""
        return Shown(self.id, self.version, self.language, self.sha256)


@dataclass(frozen=True, slots=True)
class Decision:
    """The present state; also, as it was after each step, one line of the history."""

    subject: str
    purpose: str
    controller: str
    state: State
    shown: Shown
    decided_on: date
    sequence: int = 1

    @property
    def key(self) -> str:
        """Person, purpose and controller."""
        return f"{self.subject}:{self.purpose}:{self.controller}"


def show(
    current: Decision | None, presentation: Presentation, *, purpose: str, controller: str, after: int = 0
) -> Decision | None:
    """Return the first line of a history, or None when the person has decided, or was shown a text, before.

    `after`: the last sequence of a history whose term is over; followers would pass over a lower one.
    """
    if current is not None:
        return None
    return Decision(presentation.subject, purpose, controller, State.SHOWN, presentation.shown, presentation.shown_on, after + 1)


def decide(current: Decision, presentation: Presentation, answer: Answer, *, in_force: str | None, today: date) -> Decision:
    """Return the decision after an answer; the same one when it says nothing new.

    Raises:
        RefusedError: The text is not the one in force, did not ask for this purpose, or would take a consent back silently.
    """
    if current.purpose not in presentation.questions:
        raise RefusedError(Refusal.NOT_ASKED)
    if presentation.version != in_force:
        raise RefusedError(Refusal.OUTDATED)
    if current.state is State.CONSENTED and answer is Answer.ACKNOWLEDGED:
        raise RefusedError(Refusal.WITHDRAW_INSTEAD)
    shown, state = presentation.shown, State(answer.value)
    if current.state is state and (current.shown.version, current.shown.language) == (shown.version, shown.language):
        return current
    return replace(current, state=state, shown=shown, decided_on=today)


def withdraw(current: Decision | None, *, today: date) -> Decision:
    """Return the decision after a withdrawal; the same one when it was withdrawn before.

    Raises:
        RefusedError: There is no consent to withdraw.
    """
    if current is None or current.state in (State.SHOWN, State.ACKNOWLEDGED, State.ERASED):
        raise RefusedError(Refusal.NOT_CONSENTED)
    if current.state is State.WITHDRAWN:
        return current
    return replace(current, state=State.WITHDRAWN, decided_on=today)


def erase(current: Decision, *, today: date) -> Decision:
    """Return the decision after its person was erased: nothing is allowed any more, and what was agreed to stays provable."""
    return current if current.state is State.ERASED else replace(current, state=State.ERASED, decided_on=today)


def on_day(history: Iterable[Decision], day: date) -> list[Decision]:
    """Return where a person stood at the end of a day, one decision for each purpose and controller, in their order."""
    last: dict[str, Decision] = {}
    for line in history:
        if line.decided_on <= day and (line.key not in last or line.sequence > last[line.key].sequence):
            last[line.key] = line
    return [last[key] for key in sorted(last)]
