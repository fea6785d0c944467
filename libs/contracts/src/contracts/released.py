"""The released schemas: what is in the log or may be. The folder only grows.

`released/<topic>/<n>.json` is the n-th shape that this topic had; `released/SHA256SUMS` names every file with its digest (check
it by hand with `sha256sum --check`), so that a change or a removal shows.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from contracts.compatibility import Break, breaks
from contracts.schemas import Schema, as_text

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Released:
    """The folder of released schemas."""

    folder: Path

    def revisions(self, topic: str) -> list[Path]:
        """Every released shape of this topic, oldest first."""
        return sorted((self.folder / topic).glob("*.json"), key=lambda path: int(path.stem))

    def topics(self) -> list[str]:
        """Every topic that was ever released."""
        return sorted(path.name for path in self.folder.glob("*") if path.is_dir())

    def append(self, topic: str, schema: Schema) -> Path | None:
        """Add today's shape, unless it is the last one."""
        revisions, text = self.revisions(topic), as_text(schema)
        if revisions and revisions[-1].read_text("utf-8") == text:
            return None
        path = self.folder / topic / f"{len(revisions) + 1}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        with (self.folder / SUMS).open("a", encoding="utf-8") as sums:
            sums.write(f"{_digest(path)}  {path.relative_to(self.folder)}\n")
        return path

    def tampered(self) -> list[str]:
        """What is no longer as it was released."""
        recorded = self._recorded()
        there = {str(path.relative_to(self.folder)) for path in self.folder.glob("*/*.json")}
        return [
            *(f"{name} was released and is gone" for name in sorted(set(recorded) - there)),
            *(
                f"{name} was put there by hand; `python -m contracts release` adds files"
                for name in sorted(there - set(recorded))
            ),
            *(f"{name} was changed after its release" for name in sorted(there & set(recorded)) if self._changed(name, recorded)),
        ]

    def _recorded(self) -> dict[str, str]:
        sums = self.folder / SUMS
        lines = sums.read_text("utf-8").splitlines() if sums.exists() else []
        return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}

    def _changed(self, name: str, recorded: dict[str, str]) -> bool:
        return _digest(self.folder / name) != recorded[name]

    def broken_by(self, current: dict[str, Schema]) -> dict[str, list[Break]]:
        """For each released topic, what today's schemas break in any of its shapes."""
        found: dict[str, list[Break]] = {}
        for topic in self.topics():
            if topic in current:
                shapes = [json.loads(path.read_text("utf-8")) for path in self.revisions(topic)]
                found[topic] = sorted({one for shape in shapes for one in breaks(shape, current[topic])})
            elif not _has_successor(topic, current):
                found[topic] = [Break("topic", "removed without a newer version", "everybody")]
        return {topic: several for topic, several in found.items() if several}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _has_successor(topic: str, current: dict[str, Schema]) -> bool:
    stream, _, version = topic.rpartition(".v")
    return any(name.rpartition(".v")[0] == stream and int(name.rpartition(".v")[2]) > int(version) for name in current)
