"""Destroying a data key together with a change of state, although the keyring is another database.

The transaction that makes the state final (permanent anonymity, the end of a term) also writes down which key has to go. A
job destroys it after the commit and then strikes the line. A crash between any two of these steps leaves the line standing,
and the next run repeats what is harmless to repeat; a transaction that is given up leaves no line and destroys nothing.
"""

from typing import Final

import structlog

from chassis.keyring import Keyring, row_id
from chassis.mongo import Indexes, Mongo
from chassis.uow import UnitOfWork

PENDING: Final = "pending_destruction"
INDEXES: Final[Indexes] = {PENDING: []}
BATCH: Final = 500
log = structlog.get_logger()


def schedule_destruction(uow: UnitOfWork, subject: str, klass: str) -> None:
    """Let the key of this subject and class be destroyed once this unit of work is committed."""
    uow.offer(PENDING, {"_id": row_id(subject, klass), "subject": subject, "class": klass})


async def destroy_due(mongo: Mongo, keyring: Keyring) -> int:
    """Destroy the keys that committed changes asked for and return how many. For a job that runs each second or two."""
    rows = await mongo.find(PENDING, {}, limit=BATCH)
    for row in rows:
        await keyring.destroy(row["subject"], row["class"])
        await mongo.database[PENDING].delete_one({"_id": row["_id"]})
        log.info("data_key_destroyed", subject=row["subject"], retention_class=row["class"])
    return len(rows)
