"""A candidate's own profile: shown and changed at any time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.http.problems import FieldError, InvalidProblem
from chassis.uow import Reads, UnitOfWork

from profiles import records
from profiles.catalogue import GROUPS
from profiles.disclosure.model import Anonymity, anonymised
from profiles.freetext.service import unwanted
from profiles.profile.model import LEAST_AGE, Profile, ProfileChange, as_document, missing, old_enough
from profiles.records import Record, Records

Told = Mapping[str, Mapping[str, Any]]
Check = Callable[[int], None]
"""Raises unless the version is the one that the caller saw."""


@dataclass(frozen=True)
class Shown:
    """What the candidate told, and which version of it this is."""

    told: dict[str, dict[str, Any]]
    version: int


@dataclass(frozen=True)
class Profiles:
    """The use cases."""

    records: Records

    async def show(self, reads: Reads, subject: str) -> Shown:
        """Return everything that the candidate told; who told nothing yet has version 0."""
        record = await records.find(reads, subject)
        told = await self.records.told(record) if record else {}
        return Shown({group: told.get(group, {}) for group in GROUPS}, record.content_version if record else 0)

    async def replace(self, uow: UnitOfWork, *, subject: str, profile: Profile, check: Check) -> Shown:
        """Let the candidate tell everything anew."""
        sent = as_document(profile)
        return await self._change(uow, subject, check, sent, lambda _: sent)

    async def change(self, uow: UnitOfWork, *, subject: str, change: ProfileChange, check: Check) -> Shown:
        """Let the candidate tell some groups anew."""
        return await self._change(uow, subject, check, as_document(change), change.applied_to)

    async def _change(
        self,
        uow: UnitOfWork,
        subject: str,
        check: Check,
        sent: Told,
        new: Callable[[Told], dict[str, dict[str, Any]]],
    ) -> Shown:
        record = await self.records.find_or_new(uow, subject)
        check(record.content_version)
        told = new(await self.records.told(record))
        broken = [*unwanted(sent), *_broken(record, told, today=self.records.clock.today())]
        if broken:
            raise InvalidProblem(errors=broken)
        await self.records.tell(record, told)
        await self.records.keep(uow, record)
        return Shown(told, record.content_version)


def _broken(record: Record, told: Told, *, today: date) -> list[FieldError]:
    """Return the rules that only the whole profile can break."""
    permanent = record.anonymity is Anonymity.PERMANENT
    errors = [FieldError(path, "anonymous-for-good", "would point to the person again") for path in _pointing(told) if permanent]
    born = told.get("identity", {}).get("birth_date")
    if born is not None and date.fromisoformat(born) > today:
        errors.append(FieldError("identity.birth_date", "future"))
    if record.life.running:
        errors += [FieldError(path, "required", "an active profile needs it") for path in missing(told, permanent=permanent)]
        if not old_enough(told, today=today, declared=record.declared_16):
            errors.append(FieldError("identity.birth_date", "under-age", f"below {LEAST_AGE} a profile cannot be active"))
    return errors


def _pointing(told: Told) -> list[str]:
    left = anonymised(told)
    return [f"{group}.{name}" for group in told for name, value in told[group].items() if left.get(group, {}).get(name) != value]
