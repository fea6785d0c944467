"""What `make status` shows: every process with its state, port, age, memory, whether it is ready; then each service's figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localstack import figures, supervise
from localstack.layout import Instance
from localstack.programs import programs

HEAD = ("part", "state", "ready", "port", "pid", "since", "memory")
UNKNOWN: dict[str, Any] = {"statename": "STOPPED", "pid": 0, "start": 0, "now": 0}


def table(instance: Instance) -> list[str]:
    """The lines of both tables; between them the memory is added up."""
    known = supervise.states(instance) if supervise.running(instance) else {}
    total = sum(memory(int(one["pid"])) for one in known.values())
    lines = [*_aligned([HEAD, *_rows(instance, known)]), f"{instance.name}: {total} MB in {instance.folder}"]
    if known and instance.parts is None:
        lines += ["", *_aligned([figures.HEAD, *figures.rows(instance)])]
    return lines


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows with every column as wide as its widest cell; a row's last cell with words takes what it needs."""
    widths = [max(len(row[column]) for row in rows if any(row[column + 1 :])) for column in range(len(rows[0]) - 1)] + [0]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def memory(pid: int) -> int:
    """The megabytes that a process alone takes (proportional set size), 0 when it does not run."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("Pss:")), 0)


def _rows(instance: Instance, known: dict[str, dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for program in programs(instance):
        state = known.get(program.name, UNKNOWN)
        runs = state["statename"] == "RUNNING"
        yield (
            program.name,
            str(state["statename"]).lower(),
            ("yes" if program.ready() else "no") if runs else "-",
            str(program.port),
            str(state["pid"]) if runs else "-",
            _age(int(state["now"]) - int(state["start"])) if runs else "-",
            f"{memory(int(state['pid']))} MB" if runs else "-",
        )


def _age(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
