"""Reads what all processes of an instance wrote to their logs since the last look."""

from dataclasses import dataclass, field
from pathlib import Path

from localstack.layout import Instance


@dataclass
class Logbook:
    """The logs of one instance. What was written before it was made is not looked at."""

    instance: Instance
    _read: dict[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin at the present ends."""
        self.new_lines()

    def new_lines(self) -> list[str]:
        """Return the lines that were written since the last look, of all processes."""
        found: list[str] = []
        for path in sorted(self.instance.logs.glob("*.log")):
            begin = self._read.get(path, 0)
            with path.open("rb") as log:
                log.seek(begin if begin <= path.stat().st_size else 0)  # a rotated log begins anew
                text = log.read()
                self._read[path] = log.tell()
            found += [f"{path.stem}: {line}" for line in text.decode(errors="replace").splitlines()]
        return found
