"""The access log's use cases: note an access in the transaction that reads, and let the subject read who looked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chassis.clock import Clock
from chassis.ids import new_id
from chassis.tokens import Caller
from chassis.uow import Reads, UnitOfWork

from profiles.organisations.service import Organisation
from profiles.views import store
from profiles.views.store import Access, Kind, Shown

__all__ = ["Kind", "Seen", "Shown", "looked_at", "note"]


@dataclass(frozen=True)
class Seen:
    """One access as its subject sees it: which organisation, not which of its people."""

    id: str
    at: datetime
    kind: Kind
    purpose: str
    organisation: str
    organisation_id: str
    handle: str
    fields: list[str]


def note(
    uow: UnitOfWork,
    *,
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
    store.add(
        uow,
        Access(
            id=new_id(),
            at=clock.machine(),
            kind=kind,
            purpose=purpose,
            account=caller.subject,
            organisation=organisation.id,
            organisation_name=organisation.name,
            shown=tuple(shown),
        ),
    )


async def looked_at(reads: Reads, subject: str, *, before: str | None, limit: int) -> list[Seen]:
    """Return who looked at this person, the newest first; of a page of results only what concerns this person."""
    return [_seen(row, subject) for row in await store.find_of(reads, subject, before=before, limit=limit)]


def _seen(row: Access, subject: str) -> Seen:
    mine = next(one for one in row.shown if one.subject == subject)
    return Seen(
        id=row.id,
        at=row.at,
        kind=row.kind,
        purpose=row.purpose,
        organisation=row.organisation_name,
        organisation_id=row.organisation,
        handle=mine.handle,
        fields=list(mine.fields),
    )
