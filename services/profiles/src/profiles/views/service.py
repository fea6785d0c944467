"""The access log's use cases: note an access in the transaction that reads, and let the subject read who looked.

What of a row tells about a person (handle, fields) lies under that person's data key of a class of its own: erasing the person
darkens it, and the stored bytes, over which the blocks of `profiles.blocks` are signed, stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.clock import Clock
from chassis.crypto import DataKey, decrypt, encrypt
from chassis.ids import new_id
from chassis.keyring import KeyDestroyedError, Keyring
from chassis.mongo import BusyError, Mongo
from chassis.tokens import Caller
from chassis.uow import Document, Reads, UnitOfWork
from pydantic_core import from_json, to_json

from profiles.organisations.service import Organisation
from profiles.views import store
from profiles.views.model import Kind
from profiles.views.store import Access, Part

__all__ = [
    "CLASS",
    "Access",
    "Exposure",
    "Kind",
    "Look",
    "Seen",
    "Shown",
    "Window",
    "count_unsealed",
    "exposures",
    "looked_at",
    "looks_of",
    "name_block",
    "note",
    "people_in",
    "remove",
    "sealed",
    "strays",
    "unsealed",
]

CLASS: Final = "access-log"
"""The retention class of what a row says of a person."""
_ROWS: Final = 200
"""Rows of the access log that are read at once."""


@dataclass(frozen=True)
class Shown:
    """A person of whom something is shown: under which handle, and the paths of the fields, never their values."""

    subject: str
    handle: str
    fields: Sequence[str]


@dataclass(frozen=True)
class Seen:
    """One access as its subject sees it: which organisation, not which of its people.

    Handle and fields are None when their key was destroyed.
    """

    id: str
    at: datetime
    kind: Kind
    purpose: str
    organisation: str
    organisation_id: str
    handle: str | None
    fields: list[str] | None


@dataclass(frozen=True)
class Look:
    """One access as those see it who watch over the bank: who saw which handles, for whom; None where a key was destroyed."""

    id: str
    at: datetime
    kind: Kind
    purpose: str
    account: str
    organisation: str
    handles: list[str | None]


@dataclass(frozen=True)
class Window:
    """The looks of an account, an organisation, or an account for an organisation, between two moments."""

    account: str | None
    organisation: str | None
    began: datetime
    ended: datetime

    @property
    def who(self) -> dict[str, str]:
        """Return whose looks they are."""
        named = {"account": self.account, "organisation": self.organisation}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class Exposure:
    """What others saw of one person in a window: for which organisations, whether it was more than a card, of which groups."""

    subject: str
    organisations: list[str]
    opened: bool
    groups: list[str]
    """Empty when the key is gone under which that lies."""


async def note(
    uow: UnitOfWork,
    *,
    keyring: Keyring,
    clock: Clock,
    caller: Caller,
    organisation: Organisation,
    kind: Kind,
    purpose: str,
    shown: Iterable[Shown],
) -> None:
    """Add the row of one access. Who commits it before answering keeps the rule: no row, no answer.

    The organisation's name is kept as it is now: who looked stays told when the organisation is gone.
    """
    row_id, people = new_id(), tuple(shown)
    store.add(
        uow,
        Access(
            id=row_id,
            at=clock.machine(),
            kind=kind,
            purpose=purpose,
            account=caller.subject,
            organisation=organisation.id,
            organisation_name=organisation.name,
            shown=await _parts(keyring, row_id, people),
        ),
    )


async def looked_at(reads: Reads, keyring: Keyring, subject: str, *, before: str | None, limit: int) -> list[Seen]:
    """Return who looked at this person, the newest first; of a page of results only what concerns this person."""
    rows = await store.find_of(reads, subject, before=before, limit=limit)
    key = (await keyring.many([(subject, CLASS)])).get((subject, CLASS))
    return [_seen(row, subject, key) for row in rows]


async def looks_of(
    reads: Reads,
    keyring: Keyring,
    window: Window,
    *,
    after: tuple[str, str] | None,
    limit: int,
) -> list[Look]:
    """Return the looks in a window, the oldest first."""
    start = (datetime.fromisoformat(after[0]), after[1]) if after else None
    rows = await store.find_between(reads, window.who, between=(window.began, window.ended), after=start, limit=limit)
    keys = await keyring.many({(part.subject, CLASS) for row in rows for part in row.shown})
    return [_look(row, keys) for row in rows]


async def people_in(reads: Reads, window: Window) -> dict[str, list[Access]]:
    """Return who was shown in a window, and in which rows. There are no more of them than its budget allows."""
    found: dict[str, list[Access]] = {}
    after: tuple[datetime, str] | None = None
    while rows := await store.find_between(reads, window.who, between=(window.began, window.ended), after=after, limit=_ROWS):
        for row in rows:
            for part in row.shown:
                found.setdefault(part.subject, []).append(row)
        after = (rows[-1].at, rows[-1].id)
    return found


async def exposures(keyring: Keyring, people: Mapping[str, Sequence[Access]]) -> list[Exposure]:
    """Return what each of these people was shown of, in the order of their ids."""
    keys = await keyring.many({(subject, CLASS) for subject in people})
    return [_exposure(subject, people[subject], keys.get((subject, CLASS))) for subject in sorted(people)]


async def unsealed(reads: Reads, *, limit: int) -> list[Document]:
    """Return rows as they are stored that no block holds yet."""
    return await store.find_unsealed(reads, limit=limit)


async def count_unsealed(mongo: Mongo, *, limit: int = 1_000_000) -> int:
    """Return how many rows no block holds yet, counted no further than `limit`."""
    return await store.count_unsealed(mongo, limit=limit)


async def sealed(reads: Reads, first: int, last: int) -> list[Document]:
    """Return rows as they are stored that name a block between these two."""
    return await store.find_sealed(reads, first, last)


async def strays(reads: Reads, *, last: int, limit: int) -> list[Document]:
    """Return rows that nobody wrote as `note` does: they name no block that there can be."""
    return await store.find_strays(reads, last=last, limit=limit)


def name_block(uow: UnitOfWork, ids: Iterable[str], block: int) -> None:
    """Let rows name the block that holds them."""
    store.name_block(uow, ids, block)


def remove(uow: UnitOfWork, ids: Iterable[str]) -> None:
    """Remove rows whose term is over."""
    store.remove(uow, ids)


async def _parts(keyring: Keyring, row_id: str, people: Sequence[Shown]) -> tuple[Part, ...]:
    try:
        keys = await keyring.keys((one.subject, CLASS) for one in people)
    except KeyDestroyedError as error:  # somebody is being erased in this moment: the next try does not see them any more
        raise BusyError("the keys of somebody who is shown are being destroyed") from error
    return tuple(Part(one.subject, _closed(keys[one.subject, CLASS], row_id, one)) for one in people)


def _closed(key: DataKey, row_id: str, one: Shown) -> bytes:
    return encrypt(key, to_json([one.handle, one.fields]), subject=one.subject, path=row_id)  # opens in this row only


def _look(row: Access, keys: Mapping[tuple[str, str], DataKey]) -> Look:
    handles = [_opened(keys.get((part.subject, CLASS)), part, row.id)[0] for part in row.shown]
    return Look(row.id, row.at, row.kind, row.purpose, row.account, row.organisation, handles)


def _opened(key: DataKey | None, part: Part, row_id: str) -> tuple[str | None, list[str] | None]:
    """Return handle and fields; None for both when the key is gone."""
    if key is None:
        return None, None
    handle, fields = from_json(decrypt(key, part.box, subject=part.subject, path=row_id))
    return handle, fields


def _exposure(subject: str, rows: Sequence[Access], key: DataKey | None) -> Exposure:
    parts = [(row, part) for row in rows for part in row.shown if part.subject == subject]
    fields = [path for row, part in parts for path in _opened(key, part, row.id)[1] or ()]
    return Exposure(
        subject=subject,
        organisations=sorted({row.organisation_name for row in rows}),
        opened=any(row.kind == "view" for row in rows),
        groups=sorted({path.partition(".")[0] for path in fields}),
    )


def _seen(row: Access, subject: str, key: DataKey | None) -> Seen:
    mine = next(part for part in row.shown if part.subject == subject)
    handle, fields = _opened(key, mine, row.id)
    return Seen(
        id=row.id,
        at=row.at,
        kind=row.kind,
        purpose=row.purpose,
        organisation=row.organisation_name,
        organisation_id=row.organisation,
        handle=handle,
        fields=fields,
    )
