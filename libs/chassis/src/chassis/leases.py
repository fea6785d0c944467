"""Leases: who does what among several workers, by the database server's clock.

A lease only saves work: two holders at once (one stopped and woken again) must do no harm. What protects is a compare and
set on the state, or the broker's fencing.
"""

from datetime import timedelta

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Mongo

COLLECTION = "leases"
_RUNNING = {"$gt": ["$until", "$$NOW"]}


class Leases:
    """The leases that one process, named by `owner`, holds or wants in its service's database."""

    def __init__(self, mongo: Mongo, *, owner: str, term: timedelta) -> None:
        self._mongo, self.owner, self.term = mongo, owner, term

    async def take(self, name: str) -> bool:
        """Take a lease that is free or ended, or renew one's own; tell whether it is held now."""
        until = {"$add": ["$$NOW", int(self.term.total_seconds() * 1000)]}
        mine = {"$or": [{"$eq": ["$owner", self.owner]}, {"$not": [_RUNNING]}]}
        change = {"owner": {"$cond": [mine, self.owner, "$owner"]}, "until": {"$cond": [mine, until, "$until"]}}
        try:
            row = await self._mongo.database[COLLECTION].find_one_and_update(
                {"_id": name}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # two made the row at once, and the other was first
            return False
        return bool(row["owner"] == self.owner)

    async def release(self, name: str) -> None:
        """Give a lease back, so that the next one need not wait for its end."""
        await self._mongo.database[COLLECTION].delete_one({"_id": name, "owner": self.owner})

    async def holders(self, prefix: str) -> dict[str, str]:
        """Return the running leases whose name begins with `prefix`: name -> owner."""
        rows = await self._mongo.find(COLLECTION, {"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}, "$expr": _RUNNING})
        return {row["_id"]: row["owner"] for row in rows}
