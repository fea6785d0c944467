"""The use cases of budgets: count what is shown in the transaction that shows it, freeze, tell, list, lift."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog
from chassis.clock import Clock
from chassis.http.language import Text
from chassis.http.problems import ConflictProblem, ForbiddenProblem, NotFoundProblem
from chassis.ids import new_id
from chassis.keyring import Keyring
from chassis.sealed_events import Sealer
from chassis.tokens import Caller
from chassis.uow import Reads, UnitOfWork
from contracts.profiles.mail_request import ProfilesMailRequestEvent

from profiles.budgets import model, store
from profiles.budgets.model import Budget, Freeze, Lifting, Looks, Scope
from profiles.metrics import BANK_FROZEN
from profiles.organisations import service as organisations
from profiles.organisations.service import Organisation, acting_for
from profiles.records import FIRST_LANGUAGE
from profiles.views import service as views
from profiles.views.service import Look

Both = tuple[Budget, ...]
"""A recruiter's budget and the organisation's."""
T = TypeVar("T")
OPERATOR = "operator"
TEMPLATE = "bank-frozen"
log = structlog.get_logger()


class ViewBudgetProblem(ForbiddenProblem):
    """The budget is used up or frozen: one answer, whatever is asked and whichever of the two it is."""

    code = "view-budget"
    title = Text(
        "U kunt nu geen profielen inzien: het aantal inzagen is bereikt en uw organisatie is ingelicht",
        "You cannot see profiles now: the number of views is reached and your organisation has been told",
    )


class NotFrozenProblem(ConflictProblem):
    """The freeze was lifted already."""

    code, title = "not-frozen", Text("Deze bevriezing is al opgeheven", "This freeze has been lifted already")


@dataclass(frozen=True)
class Refused:
    """Nobody is shown. `freezes` are those that this very request made; they must be committed before it is answered."""

    freezes: tuple[Freeze, ...] = ()


def answered(result: T | Refused) -> T:
    """Return what a committed look shows, or refuse it.

    Raises:
        ViewBudgetProblem: The budget does not allow it.
    """
    if not isinstance(result, Refused):
        return result
    for freeze in result.freezes:
        BANK_FROZEN.labels(freeze.scope).inc()
        log.warning("bank_frozen", freeze=freeze.id, scope=freeze.scope, owner=freeze.owner, org=freeze.organisation)
    raise ViewBudgetProblem


@dataclass(frozen=True)
class Budgets:
    """The use cases. `views` is what a day allows to each."""

    clock: Clock
    sealer: Sealer
    keyring: Keyring
    views: Mapping[Scope, int]

    async def of(self, reads: Reads, *, recruiter: str, organisation: str) -> Both:
        """Return both budgets as they stand today."""
        owners = [(Scope.RECRUITER, recruiter), (Scope.ORGANISATION, organisation)]
        return await store.find_budgets(reads, owners, self.views, day=self.clock.today(), at=self.clock.machine())

    async def take(self, uow: UnitOfWork, both: Both, looks: Looks, organisation: Organisation) -> Refused | None:
        """Count these looks, or freeze whichever budget they would go over. None: they may be shown.

        No looks at all are refused too while one of both is frozen, so that a frozen caller does not even learn what there is.
        """
        if any(budget.frozen for budget in both):
            return Refused()
        over = [budget for budget in both if not budget.covers(looks)]
        if over:
            return Refused(tuple([await self._freeze(uow, budget, organisation) for budget in over]))
        if looks != Looks():
            for budget in both:
                store.keep_budget(uow, budget.after(looks))
            await uow.flush()  # now, so that of two at once one begins again before anything was opened
        return None

    async def list_freezes(self, reads: Reads, caller: Caller, *, before: str | None, limit: int) -> list[Freeze]:
        """Return the freezes that somebody may see: an operator all, an administrator those of the own organisation."""
        organisation = None if caller.role == OPERATOR else (await acting_for(reads, caller)).id
        return await store.find_freezes(reads, organisation=organisation, before=before, limit=limit)

    async def seen(
        self, reads: Reads, caller: Caller, freeze_id: str, *, after: tuple[str, str] | None, limit: int
    ) -> list[Look]:
        """Return what was seen on the frozen day until the freeze; an administrator reads what was seen for the organisation."""
        freeze = await self._find(reads, caller, freeze_id)
        everywhere = freeze.scope is Scope.RECRUITER and caller.role == OPERATOR
        return await views.looks_of(
            reads,
            self.keyring,
            account=freeze.owner if freeze.scope is Scope.RECRUITER else None,
            organisation=None if everywhere else freeze.organisation,
            between=(freeze.began, freeze.since),
            after=after,
            limit=limit,
        )

    async def lift(self, uow: UnitOfWork, caller: Caller, freeze_id: str, *, reason: str) -> Freeze:
        """End a freeze for a reason, and give the frozen day one more budget while it lasts."""
        freeze = await self._find(uow, caller, freeze_id)
        administrators = await organisations.administrators(uow, freeze.organisation)
        if not model.may_lift(freeze, by=caller.subject, role=caller.role, administrators=administrators):
            raise ForbiddenProblem
        if freeze.lifted:
            raise NotFrozenProblem
        now = self.clock.machine()
        owners = [(freeze.scope, freeze.owner)]
        (budget,) = await store.find_budgets(uow, owners, self.views, day=self.clock.today(), at=now)
        kept, budget = model.lift(freeze, budget, Lifting(by=caller.subject, role=caller.role, at=now, reason=reason))
        store.keep_freeze(uow, kept)
        store.keep_budget(uow, budget)
        return kept

    async def _find(self, reads: Reads, caller: Caller, freeze_id: str) -> Freeze:
        """Return a freeze that the caller may see; others do not exist for them."""
        own = None if caller.role == OPERATOR else (await acting_for(reads, caller)).id
        freeze = await store.find_freeze(reads, freeze_id)
        if freeze is None or (own is not None and freeze.organisation != own):
            raise NotFoundProblem
        return freeze

    async def _freeze(self, uow: UnitOfWork, budget: Budget, organisation: Organisation) -> Freeze:
        freeze = Freeze(
            id=new_id(),
            scope=budget.scope,
            owner=budget.owner,
            organisation=organisation.id,
            day=budget.day,
            began=budget.began,
            since=self.clock.machine(),
            looks=budget.looks,
            views=budget.allowed // model.ROWS_IN_A_VIEW,
        )
        store.keep_freeze(uow, freeze)
        store.keep_budget(uow, replace(budget, frozen=freeze.id))
        for account in sorted({*organisation.administrators, *await store.find_operators(uow)}):
            await self._tell(uow, freeze, account)
        return freeze

    async def _tell(self, uow: UnitOfWork, freeze: Freeze, account: str) -> None:
        await self.sealer.request_mail(
            uow,
            ProfilesMailRequestEvent,
            cause=f"profiles:{TEMPLATE}:{freeze.id}:{account}",
            subject=account,
            template=TEMPLATE,
            language=FIRST_LANGUAGE,
            facts={
                "scope": freeze.scope,
                "who": freeze.owner,
                "organisation": freeze.organisation,
                "since": freeze.day.isoformat(),
                "opened": str(freeze.looks.opened),
                "rows": str(freeze.looks.rows),
                "budget": str(freeze.views),
            },
        )
