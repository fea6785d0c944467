"""The use cases of a profile's year: what the candidate does, what time does, what mails prove."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chassis.hashing import keyed_hash
from chassis.http.language import Text
from chassis.http.problems import ConflictProblem, FieldError, InvalidProblem
from chassis.ids import new_secret
from chassis.sealed_events import Sealer
from chassis.uow import Reads, UnitOfWork
from contracts.profiles.mail_request import ProfilesMailRequestEvent
from contracts.shapes.mail_request import MailDetails

from profiles import records
from profiles.disclosure.model import Anonymity
from profiles.lifecycle import model, store
from profiles.lifecycle.model import Lifecycle, Reason, RefusedError, State, Step
from profiles.lifecycle.store import Link
from profiles.profile.model import LEAST_AGE, missing, old_enough
from profiles.records import Record, Records

_TEMPLATES = {
    Step.ASK: "renewal-asked",
    Step.FIRST_REMINDER: "renewal-reminder",
    Step.SECOND_REMINDER: "renewal-reminder",
    Step.END: "profile-expired",
}
_REFUSALS = {
    "activate-first": Text("Activeer het profiel eerst", "Activate the profile first"),
    "reactivate-instead": Text("Dit profiel was al actief: heractiveer het", "This profile has been active: reactivate it"),
}


class IncompleteProblem(InvalidProblem):
    """Activation needs more than was told."""

    code, title = "incomplete", Text("Het profiel is nog niet compleet", "The profile is not complete yet")


class RenewalState(StrEnum):
    """What a renewal link stands for now."""

    OPEN = "open"
    RENEWED = "renewed"
    OVER = "over"


@dataclass(frozen=True)
class Renewal:
    """A renewal link's state, with the last day for the click, or the last day of the year that runs."""

    state: RenewalState
    until: date | None = None


@dataclass(frozen=True)
class Lifecycles:
    """The use cases."""

    records: Records
    sealer: Sealer
    hash_key: bytes

    async def activate(self, uow: UnitOfWork, *, subject: str, declared_16: bool) -> Record:
        """Start the first year. Consent may arrive later: then the profile waits for it, and appears by itself."""
        record = await self.records.find_or_new(uow, subject)
        record.declared_16 = record.declared_16 or declared_16
        return await self._start(uow, record, model.activate)

    async def reactivate(self, uow: UnitOfWork, *, subject: str) -> Record:
        """Start a new year after an interruption."""
        return await self._start(uow, await self.records.find_or_new(uow, subject), model.reactivate)

    async def deactivate(self, uow: UnitOfWork, *, subject: str) -> Record:
        """Stop the year at the candidate's wish."""
        record = await self.records.find_or_new(uow, subject)
        try:
            await self._become(uow, record, model.deactivate(record.life, today=self._today()))
        except RefusedError as refused:
            raise _conflict(refused) from None
        return record

    async def show(self, reads: Reads, subject: str) -> tuple[Record, list[str]]:
        """Return the profile and what activation would still need."""
        record = await self.records.find_or_new(reads, subject)
        return record, await self._missing(record)

    async def take(self, uow: UnitOfWork, *, subject: str, step: Step, cycle: int) -> bool:
        """Let time take a step of a profile's year, once, and ask for its mail in the same transaction. Tell whether it did."""
        record = await records.find(uow, subject)
        if record is None:
            return False
        before = record.life
        after = model.take(before, step, cycle=cycle, today=self._today(), terms=self.records.terms)
        if after == before:
            self.records.reschedule(uow, record)
            return False
        await self._become(uow, record, after)
        if after.reason is not Reason.UNREACHABLE:
            await self._mail(uow, record, step, before)
        return True

    async def prove(self, uow: UnitOfWork, *, cause: str, accepted: bool, on: date) -> None:
        """Note what became of a step's mail."""
        found = _read_cause(cause)
        if found is None:
            return
        step, subject, cycle = found
        record = await records.find(uow, subject)
        if record is not None:
            await self._become(uow, record, model.prove(record.life, step, cycle=cycle, accepted=accepted, on=on))

    async def look_at(self, reads: Reads, secret: str) -> Renewal | None:
        """Return what a link stands for, changing nothing; None: it never was one of ours, or is long over."""
        link = await store.find_link(reads, self._hash(secret))
        record = await records.find(reads, link.subject) if link else None
        if link is None or record is None:
            return None
        life = record.life
        if life.cycle > link.cycle and life.running:
            return Renewal(RenewalState.RENEWED, life.visible_until)
        if life.cycle == link.cycle and life.state is State.ASKED:
            return Renewal(RenewalState.OPEN, model.answer_before(life, self.records.terms))
        return Renewal(RenewalState.OVER)

    async def renew(self, uow: UnitOfWork, secret: str) -> Renewal | None:
        """Renew by a click on a link. Clicking again finds the same new year."""
        link = await store.find_link(uow, self._hash(secret))
        record = await records.find(uow, link.subject) if link else None
        if link is None or record is None:
            return None
        try:
            await self._become(uow, record, model.renew(record.life, cycle=link.cycle, today=self._today()))
        except RefusedError:
            return Renewal(RenewalState.OVER)
        return Renewal(RenewalState.RENEWED, record.life.visible_until)

    async def _start(self, uow: UnitOfWork, record: Record, start: model.Start) -> Record:
        try:
            after = start(record.life, today=self._today())
        except RefusedError as refused:
            raise _conflict(refused) from None
        if after != record.life and (errors := await self._gaps(record)):
            raise IncompleteProblem(errors=errors)
        await self._become(uow, record, after)
        return record

    async def _gaps(self, record: Record) -> list[FieldError]:
        """Return why the profile cannot be active."""
        errors = [FieldError(path, "required") for path in await self._missing(record)]
        told = await self.records.told(record)
        if not old_enough(told, today=self._today(), declared=record.declared_16):
            errors.append(_too_young(born_known="birth_date" in told.get("identity", {})))
        return errors

    async def _become(self, uow: UnitOfWork, record: Record, life: Lifecycle) -> None:
        if life != record.life:
            record.life = life
            await self.records.keep(uow, record)

    async def _missing(self, record: Record) -> list[str]:
        return missing(await self.records.told(record), permanent=record.anonymity is Anonymity.PERMANENT)

    async def _mail(self, uow: UnitOfWork, record: Record, step: Step, before: Lifecycle) -> None:
        details = None
        if step is not Step.END:
            secret = new_secret()
            await store.remember(uow, hashed=self._hash(secret), link=Link(record.subject, record.life.cycle))
            details = MailDetails(secret=secret)
        await self.sealer.request_mail(
            uow,
            ProfilesMailRequestEvent,
            cause=cause_of(step, record.subject, record.life.cycle),
            subject=record.subject,
            template=_TEMPLATES[step],
            language=record.language,
            facts=self._facts(step, record.life, before),
            details=details,
        )

    def _facts(self, step: Step, life: Lifecycle, before: Lifecycle) -> dict[str, str]:
        if step is Step.ASK:
            return {"visible-until": str(life.visible_until), "period-days": str(self.records.terms.period.days)}
        if step is Step.END:
            return {"inactive-since": str(life.inactive_since)}
        return {"answer-before": str(model.answer_before(before, self.records.terms))}

    def _hash(self, secret: str) -> str:
        return keyed_hash(self.hash_key, "renewal", secret)

    def _today(self) -> date:
        return self.records.clock.today()


async def forget_links(uow: UnitOfWork, subject: str) -> int:
    """Drop the links of a person's mails and return how many there were."""
    return await store.forget(uow, subject)


def cause_of(step: Step, subject: str, cycle: int) -> str:
    """Return the name of a step of a year, under which its mail is asked for and answered."""
    return f"profiles:{step}:{subject}:{cycle}"


def _read_cause(cause: str) -> tuple[Step, str, int] | None:
    parts = cause.split(":")
    if len(parts) != 4 or parts[1] not in tuple(Step) or not parts[3].isdigit():
        return None
    return Step(parts[1]), parts[2], int(parts[3])


def _conflict(refused: RefusedError) -> ConflictProblem:
    return ConflictProblem(code=refused.code, title=_REFUSALS[refused.code])


def _too_young(*, born_known: bool) -> FieldError:
    if born_known:
        return FieldError("identity.birth_date", "under-age", f"below {LEAST_AGE} a parent's consent is needed")
    return FieldError("sixteen_or_older", "required", "say that you are 16 or older, or give your birth date")
