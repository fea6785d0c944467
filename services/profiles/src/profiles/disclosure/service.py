"""What others see: the candidate's choices, the preview, and anonymity."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.http.language import Text
from chassis.http.problems import ConflictProblem, invalid
from chassis.ids import new_handle
from chassis.uow import Reads, UnitOfWork

from profiles.disclosure.model import Anonymity, Choice, InvalidChoiceError, Visibility, chosen
from profiles.profile.model import old_enough
from profiles.records import Record, Records


class PermanentProblem(ConflictProblem):
    """Permanent anonymity was to be undone."""

    code = "anonymous-for-good"
    title = Text(
        "Dit profiel blijft anoniem: de gegevens bestaan niet meer", "This profile stays anonymous: the details are gone"
    )


@dataclass(frozen=True)
class Choices:
    """The choices about all fields, and which version of them this is."""

    fields: dict[str, Choice]
    version: int


@dataclass(frozen=True)
class Preview:
    """A profile as a recruiter sees it."""

    handle: str | None
    """None while there is nothing to look at."""
    anonymity: Anonymity
    in_bank: bool
    profile: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Disclosures:
    """The use cases."""

    records: Records

    async def show(self, reads: Reads, subject: str) -> Choices:
        """Return the choices; who chose nothing yet hides everything."""
        return _choices(await self.records.find_or_new(reads, subject))

    async def choose(
        self, uow: UnitOfWork, *, subject: str, fields: Mapping[str, Choice], check: Callable[[int], None]
    ) -> Choices:
        """Take over the candidate's choices; a field that is not named is hidden."""
        record = await self.records.find_or_new(uow, subject)
        check(record.visibility_version)
        record.visibility = _chosen(fields)
        record.visibility_version += 1
        await self.records.keep(uow, record)
        return _choices(record)

    async def preview(self, reads: Reads, subject: str) -> Preview:
        """Return the profile as a recruiter sees it, or would see it when it were in the bank."""
        record = await self.records.find_or_new(reads, subject)
        return Preview(
            record.handle if record.sequence else None, record.anonymity, record.in_bank, await self.records.seen(record)
        )

    async def anonymise(self, uow: UnitOfWork, *, subject: str) -> Record:
        """Hide from everybody who it is, at once. Again: nothing new."""
        record = await self.records.find_or_new(uow, subject)
        if record.anonymity is Anonymity.OPEN:
            record.anonymity, record.handle = Anonymity.ANONYMOUS, new_handle()
            await self.records.keep(uow, record)
        return record

    async def undo(self, uow: UnitOfWork, *, subject: str) -> Record:
        """Show again what the candidate chose to show, under a new handle: what was seen anonymously gets no name."""
        record = await self.records.find_or_new(uow, subject)
        if record.anonymity is Anonymity.PERMANENT:
            raise PermanentProblem
        if record.anonymity is Anonymity.ANONYMOUS:
            record.anonymity, record.handle = Anonymity.OPEN, new_handle()
            await self.records.keep(uow, record)
        return record

    async def make_permanent(self, uow: UnitOfWork, *, subject: str) -> Record:
        """Destroy all that points to the person; what is left stays in the bank, and nothing brings the rest back."""
        record = await self.records.find_or_new(uow, subject)
        if record.anonymity is Anonymity.PERMANENT:
            return record
        if record.anonymity is Anonymity.OPEN:
            record.handle = new_handle()
        today = self.records.clock.today()
        record.declared_16 = old_enough(await self.records.told(record), today=today, declared=record.declared_16)
        record.anonymity = Anonymity.PERMANENT
        self.records.destroy_identifying(uow, record)
        await self.records.keep(uow, record)
        return record


def _choices(record: Record) -> Choices:
    return Choices(record.visibility.all(), record.visibility_version)


def _chosen(fields: Mapping[str, Choice]) -> Visibility:
    try:
        return chosen(fields)
    except InvalidChoiceError as refused:
        raise invalid(f"fields.{refused.path[:60]}", refused.rule) from None
