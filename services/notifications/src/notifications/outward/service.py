"""The use cases of systems outside: tell them who is in the bank, ask them to forget, and see that they do."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any

import structlog
from chassis.clock import Clock, day_of
from chassis.http.problems import NotFoundProblem
from chassis.mongo import Mongo, transact
from chassis.uow import Document, Reads, UnitOfWork
from contracts.identity.organisation import OrganisationEvent
from contracts.notifications.bank import BankEvent
from contracts.notifications.organisation import EVERY_HANDLE, ForOrganisationEvent
from contracts.profiles.profile import ProfileEvent

from notifications.mail import service as mail
from notifications.mail.service import NewMail
from notifications.outward import store
from notifications.outward.model import PRESENT, STEPS, ForgetState, HandleState, next_step

log = structlog.get_logger()
TEMPLATE = "forgets-late"
BATCH = 100


@dataclass(frozen=True)
class Outward:
    """Tells systems of organisations that somebody came, changed or went, and asks them to forget who went."""

    clock: Clock
    within: timedelta
    """Domain time in which an organisation has to acknowledge that it forgot a handle."""

    async def take(self, uow: UnitOfWork, event: ProfileEvent) -> None:
        """Tell of a profile as it is now: a handle that is not its own any more, or not to be found any more, is gone."""
        known = await store.handle_of(uow, event.subject)
        if known is not None and (known != event.handle or not event.in_bank):
            await self.forget(uow, event.subject)
        if event.in_bank:
            store.put_person(uow, event.subject, event.handle)
            await self._present(uow, event.handle, event.visible_groups)

    async def forget(self, uow: UnitOfWork, subject: str) -> int:
        """Say that a person's handle is gone, forget that it was theirs, and return how many there were."""
        known = await store.handle_of(uow, subject)
        if known is None:
            return 0
        await self._gone(uow, known)
        store.remove_person(uow, subject)
        return 1

    async def take_organisation(self, uow: UnitOfWork, event: OrganisationEvent) -> None:
        """Keep whether an organisation may see the bank; one that may no longer has to forget everybody."""
        access = event.state == "active" and event.bank_access
        known = await store.organisation(uow, event.organisation)
        administrators = sorted(one.account for one in event.members if "administrator" in one.roles)
        fields = {"display": event.name, "access": access, "administrators": administrators}
        store.put_organisation(uow, event.organisation, fields)
        if not access and (known is None or known["access"]):
            await self._lost_access(uow, event.organisation)

    async def forget_organisation(self, uow: UnitOfWork, name: str) -> None:
        """Forget an organisation that is no more; its systems have to forget everybody."""
        store.remove_organisation(uow, name)
        await self._lost_access(uow, name)

    async def acknowledge(self, uow: UnitOfWork, organisation: str, handle: str) -> None:
        """Take an organisation's word that it forgot a handle; said twice, it is taken once.

        Raises:
            NotFoundProblem: It was never asked to.
        """
        row = await store.forget(uow, organisation, handle)
        if row is None:
            raise NotFoundProblem
        if row["state"] == ForgetState.OPEN:
            self._end(uow, row, ForgetState.ACKNOWLEDGED)

    async def waiting(self, reads: Reads, organisation: str, *, after: str, limit: int) -> list[Document]:
        """Return what an organisation has to forget and did not acknowledge, by handle."""
        return await store.open_forgets(reads, {"organisation": organisation, "handle": {"$gt": after}}, limit=limit)

    async def dismiss(self, mongo: Mongo, organisation: str) -> int:
        """Ask an organisation nothing any more, and return how much it had not acknowledged."""
        rows = await store.open_forgets(mongo, {"organisation": organisation})
        for row in rows:
            await transact(mongo, partial(self._dismiss, found=row))
        return len(rows)

    async def tend(self, mongo: Mongo) -> int:
        """Remind and report of what was not acknowledged, end what nobody has to be told any more; return how much that was."""
        now = self.clock.now()
        due = await store.due_forgets(mongo, now=now, limit=BATCH)
        over = await store.gone_handles(mongo, before=now - self.within, limit=BATCH)
        for row in due:
            await transact(mongo, partial(self._step, found=row))
        for row in over:
            await transact(mongo, partial(self._over, name=row["_id"]))
        return len(due) + len(over)

    async def _present(self, uow: UnitOfWork, name: str, groups: Collection[str]) -> None:
        row = await store.handle(uow, name)
        back = row["state"] in {HandleState.GONE, HandleState.FORGOTTEN}
        state = HandleState.CHANGED if row["state"] in PRESENT else HandleState.APPEARED
        self._tell(uow, {**row, "state": state, "gone_at": None}, groups)
        if back:
            for asked in await store.open_forgets(uow, {"handle": name}):
                self._end(uow, asked, ForgetState.WITHDRAWN)

    async def _gone(self, uow: UnitOfWork, name: str) -> None:
        row = await store.handle(uow, name)
        sequence = self._tell(uow, {**row, "state": HandleState.GONE, "gone_at": self.clock.now()}, ())
        for one in await store.followers(uow):
            if one["access"]:
                await self._ask(uow, one["_id"], name, up_to=sequence)

    def _tell(self, uow: UnitOfWork, row: Document, groups: Collection[str]) -> int:
        sequence = store.save(uow, store.HANDLES, row)
        link = f"/api/profiles/v1/bank/profiles/{row['_id']}"
        uow.emit(BankEvent(handle=row["_id"], state=row["state"], visible_groups=tuple(groups), link=link), sequence=sequence)
        return sequence

    async def _over(self, uow: UnitOfWork, name: str) -> None:
        row = await store.handle(uow, name)
        if row["state"] == HandleState.GONE:
            sequence = store.save(uow, store.HANDLES, {**row, "state": HandleState.FORGOTTEN})
            uow.emit_tombstone(BankEvent.topic, key=name, sequence=sequence)

    async def _lost_access(self, uow: UnitOfWork, organisation: str) -> None:
        if await store.follower(uow, organisation) is not None:
            await self._ask(uow, organisation, EVERY_HANDLE, up_to=0)

    async def _ask(self, uow: UnitOfWork, organisation: str, name: str, *, up_to: int) -> None:
        row = await store.forget(uow, organisation, name) or {
            "_id": f"{organisation}:{name}",
            "organisation": organisation,
            "handle": name,
            "sequence": 0,
            "state": None,
        }
        if row["state"] == ForgetState.OPEN:
            return
        now = self.clock.now()
        _, next_at = next_step(now, self.within, now)
        asked = {"asked_at": now, "next_at": next_at, "up_to": up_to, "reminders": 0, "late": False}
        self._say(uow, {**row, **asked, "state": ForgetState.OPEN})

    def _say(self, uow: UnitOfWork, row: Document) -> None:
        sequence = store.save(uow, store.FORGETS, row)
        event = ForOrganisationEvent(
            handle=row["handle"],
            says="forget",
            up_to=row["up_to"],
            acknowledge_before=row["asked_at"] + self.within,
            reminder=row["reminders"],
        )
        uow.emit(event, sequence=sequence, topic=ForOrganisationEvent.topic.of(row["organisation"]))

    def _end(self, uow: UnitOfWork, row: Document, state: ForgetState) -> None:
        sequence = store.save(uow, store.FORGETS, {**row, "state": state, "late": False, "next_at": None})
        uow.emit_tombstone(ForOrganisationEvent.topic.of(row["organisation"]), key=row["handle"], sequence=sequence)

    async def _step(self, uow: UnitOfWork, found: Document) -> None:
        row = await store.forget(uow, found["organisation"], found["handle"])
        if row is None or row["state"] != ForgetState.OPEN or row["next_at"] != found["next_at"]:
            return
        over, next_at = next_step(row["asked_at"], self.within, self.clock.now())
        self._say(uow, {**row, "reminders": over, "next_at": next_at, "late": over == STEPS})
        if over == STEPS:
            await self._report(uow, row)

    async def _dismiss(self, uow: UnitOfWork, found: Document) -> None:
        row = await store.forget(uow, found["organisation"], found["handle"])
        if row is not None and row["state"] == ForgetState.OPEN:
            self._end(uow, row, ForgetState.WITHDRAWN)

    async def _report(self, uow: UnitOfWork, row: Document) -> None:
        """Mail the organisation's administrators, once a day, whatever the number of handles."""
        known = await store.organisation(uow, row["organisation"])
        log.warning("forget_late", org=row["organisation"], handle=row["handle"])
        today = self.clock.today().isoformat()
        facts = {"organisation": known["display"], "asked-on": day_of(row["asked_at"]).isoformat()} if known else {}
        for account in known["administrators"] if known else ():
            new = NewMail(
                cause=f"notifications:forgets-late:{row['organisation']}:{account}:{today}",
                asker="notifications",
                subject=account,
                template=TEMPLATE,
                language="nl",
                facts=facts,
            )
            mail.queue(uow, new, now=self.clock.machine())


async def late(reads: Reads) -> list[dict[str, Any]]:
    """Return the organisations that are late: for how many handles, and when they were asked for the oldest."""
    rows = await store.open_forgets(reads, {"late": True})
    grouped = [(name, list(some)) for name, some in groupby(rows, key=lambda row: row["organisation"])]
    return [
        {"organisation": name, "forgets": len(some), "asked_at": min(row["asked_at"] for row in some)} for name, some in grouped
    ]


async def without_access(reads: Reads) -> int:
    """Return how many organisations Kafka lets read the bank's topic that may not see the bank."""
    return sum(one["reads_bank"] and not one["access"] for one in await store.followers(reads))
