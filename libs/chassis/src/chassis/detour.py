"""The relay's way round topics that the broker refuses (it may not write there, a record is too large for it): others go on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from chassis.uow import Document

REST = 5.0
"""Seconds after which a topic that was refused is tried again."""


@dataclass
class Detour:
    """One slot's way round. After a failure one topic at a time goes, and one that failed alone rests.

    A broker that is away fails before anything is tried, so no topic rests because of that.
    """

    narrow: bool = False
    _trying: set[str] = field(default_factory=set)
    _until: dict[str, float] = field(default_factory=dict)

    def around(self) -> list[str]:
        """Return the topics that rest now."""
        now = asyncio.get_running_loop().time()
        return [topic for topic, until in self._until.items() if until > now]

    def choose(self, rows: Sequence[Document]) -> Sequence[Document]:
        """Return the rows to try: all of them, or after a failure those of the first topic."""
        chosen = [row for row in rows if row["topic"] == rows[0]["topic"]] if self.narrow else rows
        self._trying = {row["topic"] for row in chosen}
        return chosen

    def published(self) -> None:
        """What was tried went well; a failure after it is not the topic's."""
        self._trying = set()

    def failed(self) -> None:
        """Look closer; what was tried alone and failed rests."""
        self.narrow = True
        if len(self._trying) == 1:
            self._until[self._trying.pop()] = asyncio.get_running_loop().time() + REST
        self._trying = set()

    def passed(self) -> None:
        """Everything that waited went well: when nothing rests any more, all topics go together again."""
        self._until = {topic: self._until[topic] for topic in self.around()}
        self.narrow = bool(self._until)
