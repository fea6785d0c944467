"""Makes the projection `bank` anew from the profiles, while the service runs: after a restore, or when its form changes."""

from collections.abc import Awaitable, Callable, Sequence

from chassis.mongo import Mongo, transact
from chassis.uow import Reads, UnitOfWork

from profiles import records
from profiles.bank import store
from profiles.records import Records

BATCH = 50
Find = Callable[[Reads, str], Awaitable[list[str]]]


async def rebuild(mongo: Mongo, kept: Records, *, tell: Callable[[str], None]) -> int:
    """Show the bank every profile again, remove entries that no profile stands behind, and return how many there were.

    Harmless when repeated or broken off.
    """

    async def show(uow: UnitOfWork, subjects: Sequence[str]) -> None:
        for record in await records.find_many(uow, subjects):
            await kept.show_again(uow, record)

    async def remove(uow: UnitOfWork, subjects: Sequence[str]) -> None:
        known = {record.subject for record in await records.find_many(uow, subjects)}
        for subject in set(subjects) - known:
            store.remove(uow, subject)

    shown = await _each(
        mongo, lambda reads, after: records.find_subjects(reads, after=after, limit=BATCH), show, "profiles", tell
    )
    await _each(mongo, lambda reads, after: store.find_subjects(reads, after=after, limit=BATCH), remove, "entries", tell)
    return shown


async def _each(
    mongo: Mongo,
    find: Find,
    do: Callable[[UnitOfWork, Sequence[str]], Awaitable[None]],
    what: str,
    tell: Callable[[str], None],
) -> int:
    """Go through all subjects in the order of their ids, a transaction per batch."""
    done, after = 0, ""
    while subjects := await find(mongo, after):
        batch = tuple(subjects)
        await transact(mongo, lambda uow, batch=batch: do(uow, batch))  # type: ignore[misc]  # mypy cannot infer a default's type
        done, after = done + len(batch), batch[-1]
        tell(f"{done} {what} looked at")
    return done
