"""Declares a freeze an abuse, and tells those who were seen: by a mail each, in transactions of a hundred.

How far it has come stands in the freeze and moves on in the transaction that asks for the mails. So a worker that is killed has
told somebody or not, the next one goes on after the last, and of two at once one finds the other's work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog
from chassis.clock import Clock
from chassis.erasure import is_erased
from chassis.http.language import Text
from chassis.http.problems import ConflictProblem
from chassis.keyring import Keyring
from chassis.mongo import Mongo, transact
from chassis.sealed_events import Sealer
from chassis.tokens import Caller
from chassis.uow import UnitOfWork
from contracts.profiles.mail_request import ProfilesMailRequestEvent

from profiles.budgets import model
from profiles.budgets import service as budgets
from profiles.budgets.model import Abuse, Freeze
from profiles.budgets.service import Budgets
from profiles.records import FIRST_LANGUAGE
from profiles.views import service as views
from profiles.views.service import Exposure

TEMPLATE: Final = "bank-abuse"
BATCH: Final = 100
"""How many people one transaction tells."""
_LONGEST: Final = 300
"""How long a fact of a mail may be."""
log = structlog.get_logger()


class DeclaredProblem(ConflictProblem):
    """It is an abuse already, and those who were seen are being told or have been."""

    code, title = "abuse-declared", Text("Dit is al als misbruik aangemerkt", "This has been declared an abuse already")


@dataclass(frozen=True)
class Abuses:
    """The use cases."""

    clock: Clock
    sealer: Sealer
    keyring: Keyring
    budgets: Budgets

    async def declare(self, uow: UnitOfWork, caller: Caller, freeze_id: str, *, reason: str) -> Freeze:
        """Say of a freeze that it was an abuse; whether it was lifted does not matter. A job tells who was seen."""
        freeze = await self.budgets.find(uow, caller, freeze_id)
        if freeze.abuse:
            raise DeclaredProblem
        abuse = Abuse(by=caller.subject, at=self.clock.machine(), reason=reason)
        declared = model.declare(freeze, abuse, on=self.clock.today())
        budgets.keep(uow, declared)
        return declared

    async def tell(self, mongo: Mongo) -> int:
        """Tell all whom nobody has told yet, and return how many."""
        return sum([await self._tell_of(mongo, freeze) for freeze in await budgets.untold(mongo, limit=BATCH)])

    async def _tell_of(self, mongo: Mongo, freeze: Freeze) -> int:
        people = await views.people_in(mongo, budgets.window(freeze))
        begun = freeze.abuse.told_until if freeze.abuse else ""
        left, told = sorted(subject for subject in people if subject > begun), 0
        while True:
            batch, left = left[:BATCH], left[BATCH:]
            shown = await views.exposures(self.keyring, {subject: people[subject] for subject in batch})
            told += await transact(mongo, partial(self._tell_some, freeze.id, shown, not left))
            if not left:
                log.info("bank_abuse_told", freeze=freeze.id, people=told)
                return told

    async def _tell_some(self, freeze_id: str, shown: Sequence[Exposure], last: bool, uow: UnitOfWork) -> int:
        freeze = await budgets.get(uow, freeze_id)
        if freeze is None or freeze.abuse is None or freeze.abuse.told_on:
            return 0
        abuse = freeze.abuse
        new = [one for one in shown if one.subject > abuse.told_until]
        there = [one for one in new if not await is_erased(uow, one.subject)]
        for one in there:
            await self._mail(uow, freeze, one)
        abuse = replace(
            abuse,
            told=abuse.told + len(there),
            told_until=new[-1].subject if new else abuse.told_until,
            told_on=self.clock.today() if last else None,
        )
        budgets.keep(uow, replace(freeze, abuse=abuse))
        return len(there)

    async def _mail(self, uow: UnitOfWork, freeze: Freeze, one: Exposure) -> None:
        """Ask for the mail: for whom, when and what kind of details, and nothing of who the recruiter is."""
        await self.sealer.request_mail(
            uow,
            ProfilesMailRequestEvent,
            cause=f"profiles:{TEMPLATE}:{freeze.id}:{one.subject}",
            subject=one.subject,
            template=TEMPLATE,
            language=FIRST_LANGUAGE,
            facts={
                "organisation": ", ".join(one.organisations).replace("@", "(at)")[:_LONGEST],
                "seen-on": freeze.day.isoformat(),
                "seen-as": "profile" if one.opened else "card",
                "groups": " ".join(one.groups),
            },
        )
