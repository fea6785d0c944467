"""The unit of work: everything that one request or one batch of events changes, in one transaction.

It collects writes and sends them as one bulk per collection; a read sends what is pending first, so it sees it. Nothing is
on the disk before `chassis.mongo.transact` commits, and everything is after it: state, outbox and inbox together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne

from chassis import outbox, trace
from chassis.clock import Clock
from chassis.ids import new_id

Document = dict[str, Any]
Filter = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]
Fields = Sequence[str] | None
"""The names of the fields that are wanted; None: all."""
Operation = InsertOne[Document] | ReplaceOne[Document] | UpdateOne | UpdateMany | DeleteOne


class StaleWriteError(Exception):
    """A guarded write did not find the sequence that was read: an assertion, because snapshot isolation answers first."""


class Reads(Protocol):
    """What a store function needs in order to read: a unit of work, or the database outside any transaction."""

    async def find_one(self, collection: str, where: Filter) -> Document | None:
        """Return one document, or None."""
        ...

    async def find(
        self, collection: str, where: Filter, *, sort: Sort | None = None, limit: int = 0, fields: Fields = None
    ) -> list[Document]:
        """Return the documents; a limit of 0 is none. With `fields`, only these of each, which is not for writing back."""
        ...


class Connection(Protocol):
    """The database inside a transaction; `chassis.mongo` makes it."""

    async def find(
        self, collection: str, where: Filter, *, sort: Sort | None = None, limit: int = 0, fields: Fields = None
    ) -> list[Document]:
        """Return the documents that the transaction sees."""
        ...

    async def write(self, collection: str, operations: list[Operation], *, ordered: bool) -> int:
        """Send one bulk write and return how many documents its filters matched."""
        ...


@dataclass
class _Whole:
    """One whole-state write to one document; a later one to the same document takes its place."""

    document: Document
    read_sequence: int | None = None
    upsert: bool = False
    new: bool = False

    @property
    def guarded(self) -> bool:
        return self.read_sequence is not None and not self.new

    def operation(self) -> Operation:
        if self.new:
            return InsertOne(self.document)
        filter_ = {"_id": self.document["_id"]}
        if self.read_sequence is not None:
            filter_["sequence"] = self.read_sequence
        return ReplaceOne(filter_, self.document, upsert=self.upsert)


@dataclass
class _Pending:
    """The writes to one collection since the last flush.

    To one document they are sent in the order in which they were made: a whole write goes among the `first`, which any order
    suits, unless another operation may have touched its document before.
    """

    first: list[_Whole] = field(default_factory=list)
    then: list[_Whole | Operation] = field(default_factory=list)
    replaceable: dict[Any, _Whole] = field(default_factory=dict)
    """The last whole write to each document, while nothing came after it."""
    touched: set[Any] = field(default_factory=set)
    all_touched: bool = False

    def write(self, whole: _Whole) -> None:
        """Add a whole write; it takes the place of an earlier one."""
        name = whole.document["_id"]
        earlier = self.replaceable.get(name)
        if earlier is not None:
            earlier.document, earlier.read_sequence = whole.document, whole.read_sequence
            earlier.upsert, earlier.new = whole.upsert, whole.new
            return
        self.replaceable[name] = whole
        if self.all_touched or name in self.touched:
            self.then.append(whole)
        else:
            self.first.append(whole)

    def change(self, operation: Operation, where: Filter) -> None:
        """Add another operation; it touches the document that its filter names, or any."""
        self.then.append(operation)
        name = where.get("_id")
        if name is None or isinstance(name, Mapping):
            self.all_touched = True
            self.replaceable.clear()
        else:
            self.touched.add(name)
            self.replaceable.pop(name, None)

    def operations(self) -> tuple[list[Operation], int]:
        """Return the operations and how many of them must match a document."""
        steps = [*self.first, *self.then]
        whole = [step for step in steps if isinstance(step, _Whole)]
        return [step.operation() if isinstance(step, _Whole) else step for step in steps], sum(one.guarded for one in whole)


class UnitOfWork:
    """Reads and collected writes of one transaction. Made by `chassis.mongo.transact`, never by hand."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self.clock = clock
        self._pending: dict[str, _Pending] = {}

    async def find_one(self, collection: str, where: Filter) -> Document | None:
        """Return one document as the transaction sees it, pending writes included, or None."""
        found = await self.find(collection, where, limit=1)
        return found[0] if found else None

    async def find(
        self, collection: str, where: Filter, *, sort: Sort | None = None, limit: int = 0, fields: Fields = None
    ) -> list[Document]:
        """Return documents as the transaction sees them, pending writes included; a limit of 0 is none."""
        if collection in self._pending:
            await self._flush(collection)
        return await self._connection.find(collection, where, sort=sort, limit=limit, fields=fields)

    def insert(self, collection: str, document: Document) -> None:
        """Add a new document. Look first: a duplicate key aborts the whole transaction."""
        self._of(collection).write(_Whole(document, new=True))

    def save(self, collection: str, document: Document) -> int:
        """Write an aggregate that was read in this unit of work and return its new `sequence`, one higher."""
        earlier = self._of(collection).replaceable.get(document["_id"])
        read_sequence = document["sequence"] if earlier is None else earlier.read_sequence
        document["sequence"] += 1
        new = earlier is not None and earlier.new
        self._of(collection).write(_Whole(dict(document), read_sequence=read_sequence, new=new))
        return int(document["sequence"])

    def replace(self, collection: str, document: Document, *, upsert: bool = False) -> None:
        """Write a whole document by its `_id`, unguarded; of several to one document the last one stays."""
        earlier = self._of(collection).replaceable.get(document["_id"])
        new = earlier is not None and earlier.new
        self._of(collection).write(_Whole(document, upsert=upsert, new=new))

    def update(self, collection: str, where: Filter, update: Mapping[str, Any], *, upsert: bool = False) -> None:
        """Change one document by operators."""
        self._of(collection).change(UpdateOne(dict(where), dict(update), upsert=upsert), where)

    def update_many(self, collection: str, where: Filter, update: Mapping[str, Any]) -> None:
        """Change every document that fits by operators."""
        self._of(collection).change(UpdateMany(dict(where), dict(update)), where)

    def offer(self, collection: str, document: Document) -> None:
        """Write an effect under its cause (the document's `_id`), unless it is there: once, however often it is offered."""
        self.update(collection, {"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True)

    def delete(self, collection: str, where: Filter) -> None:
        """Remove one document."""
        self._of(collection).change(DeleteOne(dict(where)), where)

    def emit(self, event: outbox.OutEvent, *, sequence: int, topic: outbox.EventTopic | None = None) -> str:
        """Write an event into the outbox and return its id. `sequence` is its aggregate's, after the change.

        `topic` is the receiver's own, where each receiver has one.
        """
        return self._emit(topic or event.topic, event.key, event.model_dump_json().encode(), sequence)

    def emit_tombstone(self, topic: outbox.EventTopic, *, key: str, sequence: int) -> str:
        """Write a tombstone: the aggregate is gone, its followers forget it, and compaction removes what was said of it."""
        return self._emit(topic, key, None, sequence)

    def _emit(self, topic: outbox.EventTopic, key: str, body: bytes | None, sequence: int) -> str:
        event_id = new_id()
        self.insert(
            outbox.COLLECTION,
            outbox.row(
                event_id=event_id,
                topic=topic,
                key=key,
                sequence=sequence,
                body=body,
                at=self.clock.machine(),
                traceparent=trace.current(),
            ),
        )
        return event_id

    async def flush(self) -> None:
        """Send all pending writes; `chassis.mongo.transact` calls it before the commit."""
        for collection in list(self._pending):
            await self._flush(collection)

    async def _flush(self, collection: str) -> None:
        pending = self._pending.pop(collection, None)
        if pending is None:
            return
        operations, guarded = pending.operations()
        matched = await self._connection.write(collection, operations, ordered=bool(pending.then))
        if matched < guarded:
            raise StaleWriteError(f"{collection}: {guarded - matched} guarded writes found another sequence")

    def _of(self, collection: str) -> _Pending:
        return self._pending.setdefault(collection, _Pending())
