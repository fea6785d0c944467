"""A block and what can be wrong with it: hashes and signatures, without any input or output.

    block 1  ◀── hash ── block 2  ◀── hash ── block 3
      └ lines: id and hash of each row

What is signed is the head; it holds the hash over the lines, so that the lines can go with their rows when their term is over and
the chain stays. The removal is signed too: rows that somebody else took away are missed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

What = Literal[
    "row-changed",
    "row-removed",
    "row-inserted",
    "row-stray",
    "block-missing",
    "block-unreadable",
    "block-changed",
    "chain-broken",
    "signature-wrong",
    "removal-unsigned",
    "head-missing",
    "head-differs",
]
Publics = Mapping[str, Ed25519PublicKey]
NOTHING = bytes(32)
"""What the first block follows."""


@dataclass(frozen=True)
class Line:
    """One row of a block: its id and the hash over its stored form."""

    id: str
    hash: bytes


@dataclass(frozen=True)
class Head:
    """What of a block is signed."""

    number: int
    previous: bytes
    lines: bytes
    """The hash over all lines."""
    count: int
    first: datetime
    last: datetime
    """Times of the earliest and the latest row (machine time)."""
    sealed_on: date
    """The domain's day, from which the term counts."""
    key: str

    @property
    def statement(self) -> bytes:
        """What is signed."""
        times = [moment.isoformat() for moment in (self.first, self.last, self.sealed_on)]
        facts = [str(self.number), self.previous.hex(), self.lines.hex(), str(self.count), *times, self.key]
        return "\n".join(["kandidatenbank access-log block", *facts]).encode()

    @property
    def hash(self) -> bytes:
        """What the next block follows."""
        return sha256(self.statement).digest()

    @property
    def note(self) -> str:
        """What somebody may note elsewhere to find later that the end was cut off: `number:hash`."""
        return f"{self.number}:{self.hash.hex()}"


@dataclass(frozen=True)
class Removal:
    """The word that a block's term was over and its rows went."""

    on: date
    key: str
    signature: bytes


@dataclass(frozen=True)
class Block:
    """A sealed block; without lines once its rows were removed."""

    head: Head
    signature: bytes
    lines: tuple[Line, ...] | None
    removal: Removal | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in which block and with which rows; of missing blocks the last one too."""

    what: What
    block: int
    rows: tuple[str, ...] = ()
    until: int | None = None


def hash_of_lines(lines: Iterable[Line]) -> bytes:
    """Return the hash over the lines of a block."""
    return sha256("\n".join(f"{line.hash.hex()} {line.id}" for line in lines).encode()).digest()


def removal_statement(head: Head, on: date) -> bytes:
    """Return what is signed when a block's rows are removed."""
    return "\n".join(["kandidatenbank access-log removal", head.hash.hex(), on.isoformat()]).encode()


def faults_of(block: Block, previous: bytes | None, stored: Sequence[Line], publics: Publics) -> Iterator[Finding]:
    """Find what is wrong with a block and the rows that name it; `previous` is None where what came before is not known."""
    head = block.head
    if not _signed(publics.get(head.key), block.signature, head.statement):
        yield Finding("signature-wrong", head.number)
    if previous is not None and head.previous != previous:
        yield Finding("chain-broken", head.number)
    if block.removal is not None:
        if not _signed(publics.get(block.removal.key), block.removal.signature, removal_statement(head, block.removal.on)):
            yield Finding("removal-unsigned", head.number)
    elif block.lines is None or hash_of_lines(block.lines) != head.lines or len(block.lines) != head.count:
        yield Finding("block-changed", head.number)
    yield from _faults_of_rows(head.number, block.lines or (), stored)


def _faults_of_rows(number: int, lines: Iterable[Line], stored: Iterable[Line]) -> Iterator[Finding]:
    listed, there = ({line.id: line.hash for line in some} for some in (lines, stored))
    kinds: list[tuple[What, list[str]]] = [
        ("row-changed", [one for one in listed if one in there and there[one] != listed[one]]),
        ("row-removed", [one for one in listed if one not in there]),
        ("row-inserted", [one for one in there if one not in listed]),
    ]
    for what, rows in kinds:
        if rows:
            yield Finding(what, number, tuple(rows))


def _signed(public: Ed25519PublicKey | None, signature: bytes, statement: bytes) -> bool:
    if public is None:
        return False
    try:
        public.verify(signature, statement)
    except InvalidSignature:
        return False
    return True
