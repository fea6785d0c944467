"""The profile as one document, which the slices profile, lifecycle and disclosure share: read, opened, kept, told to others.

What a candidate told lies encrypted field by field, under the data key of its class (`catalogue`). What is derived from other
services' streams (consent, account) stands in the same document, so that every change sees all of it and two changes at once
conflict instead of passing each other by.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from chassis.clock import Clock
from chassis.crypto import DataKey, decrypt_fields, encrypt_fields
from chassis.destruction import schedule_destruction
from chassis.erasure import is_erased
from chassis.http.language import Text
from chassis.http.problems import ForbiddenProblem
from chassis.ids import new_handle
from chassis.keyring import KeyDestroyedError, Keyring
from chassis.mongo import BusyError
from chassis.uow import Document, Reads, UnitOfWork
from contracts.profiles.profile import ProfileEvent
from pymongo import ASCENDING, IndexModel

from profiles.catalogue import DataClass
from profiles.disclosure.model import MOST_PRIVATE, Anonymity, Choice, Visibility, anonymised, disclosed
from profiles.lifecycle import model as lifecycle
from profiles.lifecycle.model import Lifecycle, Proof, Reason, State, Step, Terms

COLLECTION = "profiles"
INDEXES = {
    COLLECTION: [
        IndexModel([("handle", ASCENDING)], unique=True),
        IndexModel([("due_on", ASCENDING)], partialFilterExpression={"due_on": {"$type": "string"}}),
    ]
}
Told = Mapping[str, Mapping[str, Any]]
BLOCKING = ("locked", "closed")
"""States of an account whose profile nobody finds."""
FIRST_LANGUAGE = "nl"
"""Before the account says another one, and after it is gone."""


@dataclass
class Record:
    """One profile. `consent` is None while nothing is known; `held` names streams whose last word could not be applied."""

    subject: str
    handle: str
    sequence: int = 0
    life: Lifecycle = field(default_factory=Lifecycle)
    visibility: Visibility = MOST_PRIVATE
    anonymity: Anonymity = Anonymity.OPEN
    consent: bool | None = None
    account: str | None = None
    language: str = FIRST_LANGUAGE
    restricted: bool = False
    held: frozenset[str] = frozenset()
    declared_16: bool = False
    content_version: int = 0
    visibility_version: int = 0
    boxes: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def in_bank(self) -> bool:
        """Tell whether recruiters may find it now, from whatever streams said, in whichever order."""
        blocked = self.account in BLOCKING or bool(self.held)
        return self.life.running and self.consent is True and not self.restricted and not blocked

    @property
    def waiting_for(self) -> list[str]:
        """Return what a running profile still needs before it is in the bank."""
        return ["consent"] if self.life.running and self.consent is not True else []


class ErasedProblem(ForbiddenProblem):
    """The caller's account was closed a moment ago; the token lives a little longer."""

    code, title = "account-closed", Text("Uw account is verwijderd", "Your account has been deleted")


class Project(Protocol):
    """The bank's port: it is told, in the same transaction, what recruiters may see of a profile from now on."""

    async def __call__(self, uow: UnitOfWork, *, subject: str, handle: str, seen: Told | None) -> None:
        """Show `seen` under `handle` and nothing else of this subject; None: not in the bank."""
        ...


async def find(reads: Reads, subject: str) -> Record | None:
    """Return a candidate's profile."""
    found = await reads.find_one(COLLECTION, {"_id": subject})
    return _from_document(found) if found else None


async def find_by_handle(reads: Reads, handle: str) -> Record | None:
    """Return the profile that the outside knows by this handle now; an earlier handle leads nowhere."""
    found = await reads.find_one(COLLECTION, {"handle": handle})
    return _from_document(found) if found else None


async def find_many(reads: Reads, subjects: Collection[str]) -> list[Record]:
    """Return the profiles of these candidates, in no order."""
    return [_from_document(row) for row in await reads.find(COLLECTION, {"_id": {"$in": list(subjects)}})]


async def find_subjects(reads: Reads, *, after: str, limit: int) -> list[str]:
    """Return who has a profile, in the order of ids."""
    return [row["_id"] for row in await reads.find(COLLECTION, {"_id": {"$gt": after}}, sort=[("_id", ASCENDING)], limit=limit)]


async def find_due(reads: Reads, *, today: date, limit: int) -> list[Record]:
    """Return profiles of which time has something to do, those that wait longest first."""
    due = {"$type": "string", "$lte": today.isoformat()}  # the type makes it fit the partial index
    rows = await reads.find(COLLECTION, {"due_on": due}, sort=[("due_on", 1)], limit=limit)
    return [_from_document(row) for row in rows]


def remove(uow: UnitOfWork, subject: str) -> None:
    """Drop a profile. Its id is never used again."""
    uow.delete(COLLECTION, {"_id": subject})


@dataclass(frozen=True)
class Records:
    """Opens profiles and keeps their changes."""

    keyring: Keyring
    clock: Clock
    terms: Terms
    project: Project

    async def find_or_new(self, reads: Reads, subject: str) -> Record:
        """Return a candidate's profile, an empty draft where there is none yet.

        Raises:
            ErasedProblem: There is none any more: the person was erased.
        """
        found = await find(reads, subject)
        if found is None and await is_erased(reads, subject):
            raise ErasedProblem
        return found or Record(subject=subject, handle=new_handle())

    async def told(self, record: Record) -> dict[str, dict[str, Any]]:
        """Return what the candidate told, opened. What lies under a destroyed key is gone."""
        keys = await self.keyring.many([(record.subject, klass) for klass in record.boxes])
        opened: dict[str, dict[str, Any]] = {}
        for klass in (DataClass.CAREER, DataClass.IDENTIFYING):  # the whole field takes the place of what anonymity leaves of it
            if (record.subject, klass) in keys:
                fields = decrypt_fields(keys[record.subject, klass], record.subject, record.boxes[klass])
                for path, value in fields.items():
                    group, name = path.split(".")
                    opened.setdefault(group, {})[name] = value
        return _without_derived_provinces(opened)

    async def tell(self, record: Record, told: Told) -> None:
        """Take over what the candidate tells now, encrypted."""
        whole, left = _by_class(told)
        record.boxes = {DataClass.CAREER: encrypt_fields(await self._key(record, DataClass.CAREER), record.subject, left)}
        if whole and record.anonymity is not Anonymity.PERMANENT:
            key = await self._key(record, DataClass.IDENTIFYING)
            record.boxes[DataClass.IDENTIFYING] = encrypt_fields(key, record.subject, whole)
        record.content_version += 1

    def destroy_identifying(self, uow: UnitOfWork, record: Record) -> None:
        """Remove what points to the person; its key goes after the commit, so that no older copy can be opened either."""
        record.boxes.pop(DataClass.IDENTIFYING, None)
        record.content_version += 1
        schedule_destruction(uow, record.subject, DataClass.IDENTIFYING)

    async def seen(self, record: Record) -> dict[str, dict[str, Any]]:
        """Return what a recruiter would see of it."""
        return disclosed(await self.told(record), record.visibility, record.anonymity, today=self.clock.today())

    async def keep(self, uow: UnitOfWork, record: Record) -> None:
        """Write the profile, tell the other services, and show the bank what it may show from now on."""
        document = _to_document(record, self.terms)
        if record.sequence:
            record.sequence = uow.save(COLLECTION, document)
        else:
            record.sequence = document["sequence"] = 1
            uow.insert(COLLECTION, document)
        uow.emit(_event(record, self.terms), sequence=record.sequence)
        await self._show(uow, record)

    async def show_again(self, uow: UnitOfWork, record: Record) -> None:
        """Show the bank what it may show of a profile that does not change.

        The document is touched all the same, so that somebody who leaves the bank in this moment is not put back into it.
        """
        uow.update(COLLECTION, {"_id": record.subject, "sequence": record.sequence}, {"$inc": {"shown_again": 1}})
        await self._show(uow, record)

    def reschedule(self, uow: UnitOfWork, record: Record) -> None:
        """Correct the day on which time has something to do: the terms were changed since it was written."""
        coming = lifecycle.due(record.life, self.terms)
        day = _plain(coming[1]) if coming else None
        uow.update(COLLECTION, {"_id": record.subject, "sequence": record.sequence}, {"$set": {"due_on": day}})

    async def _show(self, uow: UnitOfWork, record: Record) -> None:
        seen = await self.seen(record) if record.in_bank else None
        await self.project(uow, subject=record.subject, handle=record.handle, seen=seen)

    async def _key(self, record: Record, klass: DataClass) -> DataKey:
        try:
            return await self.keyring.key(record.subject, klass)
        except KeyDestroyedError as error:  # made permanent or erased while this change was on its way: the next try sees it
            raise BusyError("the profile's keys are being destroyed") from error


def _by_class(told: Told) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what lies under the key of `identifying`, and what is left for that of `career`."""
    left = {f"{group}.{name}": value for group, fields in anonymised(told).items() for name, value in fields.items()}
    flat = {f"{group}.{name}": value for group, fields in told.items() for name, value in fields.items()}
    return {path: value for path, value in flat.items() if path not in left or left[path] != value}, left


def _without_derived_provinces(told: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for fields in told.values():
        if "place" in fields:
            fields.pop("province", None)
    return told


def _event(record: Record, terms: Terms) -> ProfileEvent:
    life = record.life
    return ProfileEvent(
        subject=record.subject,
        state=life.state.value,
        reason=life.reason.value if life.reason else None,
        cycle=life.cycle,
        visible_until=life.visible_until,
        answer_before=lifecycle.answer_before(life, terms),
        anonymity=record.anonymity.value,
        visible_groups=tuple(record.visibility.groups()),
        handle=record.handle,
        in_bank=record.in_bank,
    )


def _to_document(record: Record, terms: Terms) -> Document:
    coming = lifecycle.due(record.life, terms)
    return {
        "_id": record.subject,
        "sequence": record.sequence,
        "handle": record.handle,
        "lifecycle": {name: _plain(value) for name, value in asdict(record.life).items()},
        "due_on": _plain(coming[1]) if coming else None,
        "visibility": [{"path": path, "choice": choice.value} for path, choice in sorted(record.visibility.choices.items())],
        "anonymity": record.anonymity.value,
        "consent": record.consent,
        "account": record.account,
        "language": record.language,
        "restricted": record.restricted,
        "held": sorted(record.held),
        "declared_16": record.declared_16,
        "content_version": record.content_version,
        "visibility_version": record.visibility_version,
        "boxes": [
            {"class": klass, "path": path, "box": box} for klass, fields in record.boxes.items() for path, box in fields.items()
        ],
    }


def _from_document(document: Document) -> Record:
    boxes: dict[str, dict[str, bytes]] = {}
    for row in document["boxes"]:
        boxes.setdefault(row["class"], {})[row["path"]] = row["box"]
    same = ("sequence", "handle", "consent", "account", "language", "restricted", "declared_16")
    return Record(
        subject=document["_id"],
        life=_life(document["lifecycle"]),
        visibility=Visibility({row["path"]: Choice(row["choice"]) for row in document["visibility"]}),
        anonymity=Anonymity(document["anonymity"]),
        held=frozenset(document["held"]),
        content_version=document["content_version"],
        visibility_version=document["visibility_version"],
        boxes=boxes,
        **{name: document[name] for name in same},
    )


def _life(stored: Mapping[str, Any]) -> Lifecycle:
    kinds: dict[str, Any] = {"state": State, "step": Step, "proof": Proof, "reason": Reason, "cycle": int}
    values: dict[str, Any] = {
        name: None if value is None else kinds.get(name, date.fromisoformat)(value) for name, value in stored.items()
    }
    return Lifecycle(**values)


def _plain(value: Any) -> Any:
    """Return a value as BSON keeps it; days are text, because BSON knows only instants."""
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value
