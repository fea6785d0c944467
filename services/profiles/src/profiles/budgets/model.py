"""What may be seen of the bank in a day, by one recruiter and by one organisation: pure, counted in twentieths of a view.

An opened profile is a view; twenty rows shown in results are one. Who would go over the budget sees nothing and is frozen,
whatever day it is, until somebody with the right to it gives a reason.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

ROWS_IN_A_VIEW = 20


class Scope(StrEnum):
    """Whose budget it is."""

    RECRUITER = "recruiter"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Looks:
    """What was shown: profiles that were opened, and rows in results."""

    opened: int = 0
    rows: int = 0

    def __add__(self, other: "Looks") -> "Looks":
        """Return both together."""
        return Looks(self.opened + other.opened, self.rows + other.rows)

    @property
    def twentieths(self) -> int:
        """Return them as twentieths of a view, which are whole numbers."""
        return self.opened * ROWS_IN_A_VIEW + self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget on one day. `views` is what a day allows, `more` how many budgets liftings added to this day."""

    scope: Scope
    owner: str
    """The recruiter's account, or the organisation."""
    views: int
    day: date
    began: datetime
    """Machine time of the day's first look."""
    looks: Looks = Looks()
    more: int = 0
    frozen: str | None = None
    """The freeze that holds it; it stays when the day turns."""

    @property
    def allowed(self) -> int:
        """Return how many twentieths the day allows."""
        return self.views * ROWS_IN_A_VIEW * (1 + self.more)

    @property
    def left(self) -> int:
        """Return how many twentieths are left; none while it is frozen."""
        return 0 if self.frozen else max(0, self.allowed - self.looks.twentieths)

    def on(self, day: date, at: datetime) -> "Budget":
        """Return it as it stands on a day: a new day begins with nothing seen, and frozen where it was."""
        return self if day == self.day else replace(self, day=day, began=at, looks=Looks(), more=0)

    def covers(self, looks: Looks) -> bool:
        """Tell whether these looks lie within it; nothing always does, also after the setting was lowered."""
        return looks == Looks() or (self.looks + looks).twentieths <= self.allowed

    def after(self, looks: Looks) -> "Budget":
        """Return it with these looks counted."""
        return replace(self, looks=self.looks + looks)


@dataclass(frozen=True, slots=True)
class Lifting:
    """Who ended a freeze, in which role, when and why."""

    by: str | None
    """None when that person was erased."""
    role: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Abuse:
    """That a freeze was no busy day, as an operator declared it, and how far those who were seen have been told."""

    by: str | None
    """None when that person was erased."""
    at: datetime
    reason: str
    told: int = 0
    told_until: str = ""
    """People are told in the order of their ids; up to this one they have been."""
    told_on: date | None = None
    """The day on which the last one was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A budget that was used up, and what was counted until then. It is kept for a term when it is lifted."""

    id: str
    scope: Scope
    owner: str
    organisation: str
    """For which the look was that went over; its administrators are told."""
    day: date
    began: datetime
    since: datetime
    looks: Looks
    views: int
    lifted: Lifting | None = None
    abuse: Abuse | None = None
    over_on: date | None = None
    """The domain's day from which its term runs; None while it holds somebody."""


def lift(freeze: Freeze, budget: Budget, lifting: Lifting) -> tuple[Freeze, Budget]:
    """Return the freeze as it is kept and the budget without it: one more for the frozen day, as long as that lasts."""
    lifted = replace(freeze, lifted=lifting, over_on=budget.day)
    return lifted, replace(budget, frozen=None, more=budget.more + (budget.day == freeze.day))


def declare(freeze: Freeze, abuse: Abuse, *, on: date) -> Freeze:
    """Return the freeze as an abuse; one that was lifted already is kept for its term from now on."""
    return replace(freeze, abuse=abuse, over_on=freeze.over_on and on)


def without(freeze: Freeze, account: str, *, on: date) -> Freeze | None:
    """Return what stays of a freeze when somebody was erased; None: nothing.

    A recruiter's own goes with them. One that was declared an abuse, or was never lifted, stays for its term: it is what those
    who were seen are told by, and an id that leads nowhere, as the access log keeps it, is all that it says of the recruiter.
    """
    if freeze.scope is Scope.RECRUITER and freeze.owner == account:
        return replace(freeze, over_on=freeze.over_on or on) if freeze.abuse or not freeze.lifted else None
    lifted, abuse = freeze.lifted, freeze.abuse
    return replace(
        freeze,
        lifted=replace(lifted, by=None) if lifted and lifted.by == account else lifted,
        abuse=replace(abuse, by=None) if abuse and abuse.by == account else abuse,
    )


def may_lift(freeze: Freeze, *, by: str, role: str, administrators: Collection[str]) -> bool:
    """Tell whether somebody may lift a freeze that they may see: never their own, and never their own organisation's.

    A recruiter's is for the organisation's administrators; where there is none but the frozen recruiter, for an operator.
    """
    if role == "operator":
        return freeze.scope is Scope.ORGANISATION or set(administrators) <= {freeze.owner}
    return freeze.scope is Scope.RECRUITER and by != freeze.owner
