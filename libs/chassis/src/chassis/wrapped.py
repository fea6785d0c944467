"""The rows of a keyring database that lie wrapped under a master key: where they are, how they are wrapped and opened.

A secret that does not open fails the one request or event that needs it, and is counted: nobody else is held up. A key service
that does not answer is trouble around us (`KeyServiceError`), and everybody waits.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from pymongo import ASCENDING, IndexModel

from chassis.http.language import Text
from chassis.http.problems import UnexpectedProblem
from chassis.keyservice import KeyService, KeyServiceError, Secret, Trouble, Unopened, Wrapped, week_of
from chassis.metrics import UNUSABLE_KEYS
from chassis.mongo import Indexes, Mongo
from chassis.uow import Document

DATA_KEYS: Final = "data_keys"
SEALING_KEYS: Final = "sealing_keys"
OWNERS: Final[Mapping[str, Callable[[Document], str]]] = {
    DATA_KEYS: lambda row: str(row["_id"]),
    SEALING_KEYS: lambda row: f"sealing:{row['key_id']}",
}
"""All collections with wrapped rows, and to whom a row belongs."""
UNDER: Final = IndexModel([("epoch", ASCENDING)], partialFilterExpression={"epoch": {"$gt": ""}})
INDEXES: Final[Indexes] = {DATA_KEYS: [UNDER], SEALING_KEYS: [UNDER]}
log = structlog.get_logger()


class UnusableKeyError(UnexpectedProblem):
    """A key is there and does not open: its master key is lost, or its row damaged. What it encrypts cannot be shown."""

    code = "key-unusable"
    title = Text("Deze gegevens zijn nu niet leesbaar; wij zijn gewaarschuwd", "These details cannot be read now; we were told")

    def __init__(self, owner: str, why: Unopened) -> None:
        super().__init__()
        self.owner, self.why = owner, why


async def wrap(mongo: Mongo, keys: KeyService, secrets: Sequence[Secret]) -> list[dict[str, Any]]:
    """Return for each secret the fields of its row. The very first row of a keyring makes the first epoch."""
    try:
        wrapped = await keys.wrap(secrets)
    except KeyServiceError as error:
        if error.trouble is not Trouble.EMPTY or await needed(mongo):
            raise
        await keys.make(week_of(mongo.clock.today()))
        wrapped = await keys.wrap(secrets)
    return [{"wrapped": one.box, "epoch": one.epoch} for one in wrapped]


async def unwrap(keys: KeyService, collection: str, rows: Sequence[Document]) -> list[bytes | UnusableKeyError]:
    """Open the secrets of rows, in this order."""
    boxes = [Wrapped(OWNERS[collection](row), row["wrapped"], row["epoch"]) for row in rows]
    opened = await keys.unwrap(boxes) if boxes else []
    return [one if isinstance(one, bytes) else _unusable(box, one) for box, one in zip(boxes, opened, strict=True)]


async def needed(mongo: Mongo) -> set[str]:
    """Return the epochs under which rows of a keyring lie."""
    found = [await mongo.database[collection].distinct("epoch", {"epoch": {"$gt": ""}}) for collection in OWNERS]
    return {epoch for epochs in found for epoch in epochs}


async def missing(mongo: Mongo, keys: KeyService) -> list[str]:
    """Return the epochs that rows need and the key service does not hold."""
    for _ in range(2):  # an epoch that was left and destroyed between the two questions is not needed when asked again
        lacking = await needed(mongo) - {epoch.name for epoch in await keys.held()}
        if not lacking:
            break
    return sorted(lacking)


def _unusable(box: Wrapped, why: Unopened) -> UnusableKeyError:
    UNUSABLE_KEYS.labels(why.value).inc()
    log.error("key_unusable", owner=box.owner, epoch=box.epoch, why=why.value)
    return UnusableKeyError(box.owner, why)
