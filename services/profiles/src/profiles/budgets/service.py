"""The use cases of budgets: count what is shown in the transaction that shows it, freeze, tell, list, lift, forget."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from chassis.clock import Clock
from chassis.erasure import is_erased
from chassis.http.language import Text
from chassis.http.problems import ConflictProblem, ForbiddenProblem, NotFoundProblem
from chassis.ids import new_id
from chassis.keyring import Keyring
from chassis.mongo import Mongo, Work, transact
from chassis.sealed_events import Sealer
from chassis.tokens import Caller
from chassis.turns import Turns
from chassis.uow import Reads, UnitOfWork
from contracts.profiles.mail_request import ProfilesMailRequestEvent

from profiles.budgets import model, store
from profiles.budgets.model import Budget, Freeze, Lifting, Looks, Scope
from profiles.metrics import BANK_FROZEN
from profiles.organisations import service as organisations
from profiles.organisations.service import Organisation, acting_for
from profiles.records import FIRST_LANGUAGE
from profiles.views import service as views
from profiles.views.service import Look, Window

Both = tuple[Budget, ...]
"""A recruiter's budget and the organisation's."""
T = TypeVar("T")
OPERATOR = "operator"
TEMPLATE = "bank-frozen"
BATCH: Final = 200
"""How many budgets and how many freezes one run removes at most."""
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
    turns: Turns = field(default_factory=Turns)

    async def look(self, mongo: Mongo, caller: Caller, work: Work[T | Refused]) -> T:
        """Look in one transaction. The looks of an organisation are counted one after another, so here they line up for it.

        Raises:
            ViewBudgetProblem: The budget does not allow it.
        """
        async with self.turns.of(caller.org or "", patience=mongo.patience):
            return answered(await transact(mongo, work))

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
        freeze = await self.find(reads, caller, freeze_id)
        where = window(freeze) if caller.role == OPERATOR else replace(window(freeze), organisation=freeze.organisation)
        return await views.looks_of(reads, self.keyring, where, after=after, limit=limit)

    async def lift(self, uow: UnitOfWork, caller: Caller, freeze_id: str, *, reason: str) -> Freeze:
        """End a freeze for a reason, and give the frozen day one more budget while it lasts."""
        freeze = await self.find(uow, caller, freeze_id)
        administrators = await organisations.administrators(uow, freeze.organisation)
        if not model.may_lift(freeze, by=caller.subject, role=caller.role, administrators=administrators):
            raise ForbiddenProblem
        if freeze.lifted or await is_erased(uow, freeze.owner):
            raise NotFrozenProblem
        now = self.clock.machine()
        owners = [(freeze.scope, freeze.owner)]
        (budget,) = await store.find_budgets(uow, owners, self.views, day=self.clock.today(), at=now)
        lifting = Lifting(by=caller.subject, role=caller.role, at=now, reason=reason)
        kept, budget = model.lift(freeze, budget, lifting)
        store.keep_freeze(uow, kept)
        store.keep_budget(uow, budget)
        return kept

    async def find(self, reads: Reads, caller: Caller, freeze_id: str) -> Freeze:
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


def shown(freeze: Freeze, caller: Caller) -> dict[str, Any]:
    """Return a freeze as it is shown to those who watch over the bank."""
    document = asdict(freeze)
    document["counted"] = document.pop("looks")
    del document["began"], document["over_on"]
    if freeze.abuse:
        del document["abuse"]["told_until"]
    if freeze.lifted and caller.role == OPERATOR and freeze.lifted.role != OPERATOR:
        del document["lifted"]["reason"]  # an organisation's own words
    return document


def window(freeze: Freeze) -> Window:
    """Return which looks were counted until a freeze: those of its day, whatever organisation a recruiter acted for."""
    recruiter = freeze.scope is Scope.RECRUITER
    return Window(
        account=freeze.owner if recruiter else None,
        organisation=None if recruiter else freeze.organisation,
        began=freeze.began,
        ended=freeze.since,
    )


async def untold(reads: Reads, *, limit: int) -> list[Freeze]:
    """Return abuses of which not everybody has been told."""
    return await store.find_untold(reads, limit=limit)


async def get(reads: Reads, freeze: str) -> Freeze | None:
    """Return a freeze for the system itself."""
    return await store.find_freeze(reads, freeze)


def keep(uow: UnitOfWork, freeze: Freeze) -> None:
    """Keep a changed freeze that was read in this unit of work."""
    store.keep_freeze(uow, freeze)


async def forget(uow: UnitOfWork, account: str) -> dict[str, int]:
    """Remove what was counted of an erased recruiter, and what stands of them in freezes."""
    gone = 0
    for freeze in await store.find_freezes_about(uow, account):
        left = model.without(freeze, account, on=uow.clock.today())
        if left is None:
            store.remove_freeze(uow, freeze.id)
            gone += 1
        elif left != freeze:
            store.keep_freeze(uow, left)
    return {"view-budgets": await store.remove_budget(uow, Scope.RECRUITER, account), "view-freezes": gone}


async def stays(reads: Reads, account: str) -> bool:
    """Tell whether a freeze of an erased recruiter stays for its term."""
    return any(freeze.owner == account for freeze in await store.find_freezes_about(reads, account))


async def remove_ended(mongo: Mongo, budgets_kept: timedelta, freezes_kept: timedelta) -> int:
    """Remove budgets of past days and freezes that are over for so long (domain time), and return how many."""
    today = mongo.clock.today()
    return await transact(mongo, partial(_remove_budgets, today - budgets_kept)) + await transact(
        mongo, partial(_remove_freezes, today - freezes_kept)
    )


async def _remove_budgets(until: date, uow: UnitOfWork) -> int:
    due = await store.find_unused(uow, until, limit=BATCH)
    for budget in due:
        store.remove_unused(uow, budget, until)
    return len(due)


async def _remove_freezes(until: date, uow: UnitOfWork) -> int:
    due = await store.find_over(uow, until, limit=BATCH)
    for freeze in due:
        store.remove_freeze(uow, freeze)
    return len(due)
