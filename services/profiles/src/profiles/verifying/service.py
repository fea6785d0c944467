"""Compares the access log with what its blocks say, block by block, and names what does not fit.

Each batch is read in one snapshot, so that it can run while workers seal and remove. What it cannot see: rows that somebody
slipped in before they were sealed, and an end that was cut off, unless the head of a block was noted elsewhere.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from chassis.mongo import Mongo, transact
from chassis.uow import Document, UnitOfWork

from profiles.blocks import service as blocks
from profiles.blocks.model import NOTHING, Block, Finding, Head, Line, Publics, faults_of
from profiles.views import service as views
from profiles.views.model import BLOCK, hash_of

BATCH: Final = 50
"""Blocks that are read at once, with their rows."""
STRAYS: Final = 1_000
Batch = tuple[list[tuple[int, Block | None]], list[Document]]


@dataclass
class Report:
    """What was looked at and what is wrong with it."""

    blocks: int = 0
    rows: int = 0
    ended_blocks: int = 0
    ended_rows: int = 0
    """Blocks and rows past their term: of them only the signed heads are there."""
    unsealed: int = 0
    head: Head | None = None
    findings: list[Finding] = field(default_factory=list)


@dataclass
class _Walk:
    """Where a walk along the chain is: which block comes next, and what it has to follow; None: that is not known."""

    publics: Publics
    report: Report
    next: int
    previous: bytes | None

    def step(self, number: int, block: Block | None, rows: "_Rows") -> None:
        """Look at the next block that there is."""
        findings, lost = self.report.findings, tuple(line.id for line in rows.lost)
        if number > self.next:
            findings.append(Finding("block-missing", self.next, lost, until=number - 1))
            self.previous = None
        elif lost:
            findings.append(Finding("row-stray", number, lost))
        self.report.blocks += 1
        self.report.rows += len(rows.stored)
        self.next = int(number) + 1
        if block is None:
            findings.append(Finding("block-unreadable", number, tuple(line.id for line in rows.stored)))
            self.previous = None
            return
        findings.extend(faults_of(block, self.previous, rows.stored, self.publics))
        self.previous, self.report.head = block.head.hash, block.head
        if block.removal is not None:
            self.report.ended_blocks += 1
            self.report.ended_rows += block.head.count


@dataclass
class _Rows:
    """The rows that name a block, and those that name one before it that is not there."""

    stored: list[Line] = field(default_factory=list)
    lost: list[Line] = field(default_factory=list)


async def verify(
    mongo: Mongo, publics: Publics, *, start: int = 1, noted: str | None = None, tell: Callable[[str], None] = lambda _: None
) -> Report:
    """Compare all from block `start` on; `noted` is the head of a block as the job logged it, `number:hash`."""
    report = Report()
    walk = _Walk(publics, report, start, await _hash_before(mongo, start))
    while True:
        found, rows = await transact(mongo, partial(_read, walk.next))
        if not found:
            break
        by_block = _grouped(rows, [number for number, _ in found])
        for number, block in found:
            walk.step(number, block, by_block[number])
        tell(f"{report.blocks} blocks with {report.rows} rows looked at")
    await _look_beside(mongo, report)
    if noted is not None:
        report.findings.extend(await _compare_head(mongo, noted))
    return report


async def _hash_before(mongo: Mongo, start: int) -> bytes | None:
    if start == 1:
        return NOTHING
    before = await blocks.numbered(mongo, start - 1)
    return before.head.hash if before else None


async def _read(first: int, uow: UnitOfWork) -> Batch:
    found = await blocks.blocks_from(uow, first, limit=BATCH)
    return found, await views.sealed(uow, first, found[-1][0]) if found else []


def _grouped(rows: Iterable[Document], numbers: list[int]) -> dict[int, _Rows]:
    grouped = {number: _Rows() for number in numbers}
    for row in rows:
        number = numbers[min(bisect_left(numbers, row[BLOCK]), len(numbers) - 1)]
        line = Line(str(row["_id"]), hash_of(row))
        (grouped[number].stored if row[BLOCK] == number else grouped[number].lost).append(line)
    return grouped


async def _look_beside(mongo: Mongo, report: Report) -> None:
    async def work(uow: UnitOfWork) -> tuple[int, list[Document]]:
        last = await blocks.last_number(uow)
        return last, await views.strays(uow, last=last, limit=STRAYS)

    last, strays = await transact(mongo, work)
    if strays:
        report.findings.append(Finding("row-stray", last, tuple(str(row["_id"]) for row in strays)))
    report.unsealed = await views.count_unsealed(mongo)


async def _compare_head(mongo: Mongo, noted: str) -> list[Finding]:
    number, _, told = noted.partition(":")
    block = await blocks.numbered(mongo, int(number))
    if block is None:
        return [Finding("head-missing", int(number))]
    return [] if block.head.hash.hex() == told else [Finding("head-differs", int(number))]
