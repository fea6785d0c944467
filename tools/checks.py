"""Rules of this tree that no linter knows, checked on the syntax tree. `make lint` runs them; each has a test in tests/tools.

Usage: python tools/checks.py [--root FOLDER]
"""

import argparse
import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

FOLDERS = ("libs", "services", "deploy", "tests", "tools")
SERVICES = ("identity", "profiles", "consent", "notifications")
SLICE_FILES = ("__init__", "model", "service", "store", "routes", "handlers", "jobs")
MECHANISMS = {("notifications", "matching", "index")}
"""Folders that are no slice: the pure inside of one, too large for its model."""

CLOCK = "libs/chassis/src/chassis/clock.py"
IDS = "libs/chassis/src/chassis/ids.py"
MONGO = "libs/chassis/src/chassis/mongo.py"

TIMES = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}
SEEDED = ("random.Random", ("libs/testkit/src/testkit/faults/", "tests/faults/"))
"""A generator that a printed seed repeats, and where it is what one wants."""
CHANCE = {"random", "secrets", "os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4", "uuid_utils"}
SLEEPS = {"time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep"}
CHECKING_CALLS = re.compile(r"^_?(assert|check|expect|verify|must|eventually|fail|raises|warns)")

# What a model may take from the chassis: functions of their arguments, without a connection, a file or a clock.
PURE_CHASSIS = {
    "chassis.places",
    "chassis.hashing",
    "chassis.texts",
    "chassis.clock.AMSTERDAM",
    "chassis.clock.day_of",
    "chassis.clock.year_later",
}

# What reaches outside the process, or waits.
OUTSIDE = {
    "aiokafka", "aiosmtplib", "asyncio", "confluent_kafka", "faststream", "granian", "http", "httpx", "litestar", "logging",
    "motor", "obstore", "os", "pathlib", "pymongo", "requests", "shutil", "smtplib", "socket", "ssl", "structlog",
    "subprocess", "tempfile", "threading", "urllib.request",
}  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: str
    """From the root of the tree, with forward slashes."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.path)

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """What it imports: line and full name."""
        return [(line, full) for line, full, _ in self._bindings]

    @cached_property
    def _bindings(self) -> list[tuple[int, str, tuple[str, str]]]:
        """Each import with the name that it binds here and what that name means."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for name in node.names:
                    first = name.name.partition(".")[0]
                    found.append((node.lineno, name.name, (name.asname, name.name) if name.asname else (first, first)))
            elif isinstance(node, ast.ImportFrom):
                source = self._absolute(node)
                for name in node.names:
                    full = f"{source}.{name.name}"
                    found.append((node.lineno, full, (name.asname or name.name, full)))
        return found

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        above = self.package[: len(self.package) - node.level + 1]
        return ".".join([*above, *([node.module] if node.module else [])])

    @cached_property
    def package(self) -> tuple[str, ...]:
        """The package that it lies in, when it lies under a `src` folder."""
        parts = PurePosixPath(self.path).parent.parts
        return parts[parts.index("src") + 1 :] if "src" in parts else ()

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(binding for _, _, binding in self._bindings)

    def full_name(self, node: ast.expr) -> str:
        """The dotted name behind an expression, as `datetime.datetime.now`; empty when it is none."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self.full_name(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def uses(self) -> Iterator[tuple[int, str]]:
        """Every imported name that it uses, called or handed on, and every import itself."""
        yield from self.imports
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and (full := self.full_name(node)):
                yield node.lineno, full

    @property
    def is_test(self) -> bool:
        """Whether it lies under tests/."""
        return self.path.startswith("tests/")

    @property
    def slice_file(self) -> bool:
        """Whether it lies in a folder of a service's package."""
        return self.path.startswith("services/") and len(self.package) > 1


@dataclass(frozen=True, order=True)
class Finding:
    """A broken rule and where."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        """As editors and CI understand it."""
        return f"{self.path}:{self.line}: {self.what}"


Found = Iterator[tuple[int, str]]


def time_comes_from_the_clock(module: Module) -> Found:
    """Terms are computed in domain time, which only works when nobody asks the machine."""
    if module.path not in (CLOCK, IDS):
        for line, name in module.uses():
            if name in TIMES:
                yield line, f"{name}: time comes from chassis.clock"


def chance_comes_from_ids(module: Module) -> Found:
    """One place makes ids, secrets and jitter, so that one place can be looked at."""
    if module.path not in (CLOCK, IDS):
        for line, name in module.uses():
            if name == SEEDED[0] and module.path.startswith(SEEDED[1]):
                continue
            if any(name == source or name.startswith(f"{source}.") for source in CHANCE):
                yield line, f"{name}: ids, secrets and chance come from chassis.ids"


def motor_has_one_importer(module: Module) -> Found:
    """Motor is deprecated: its replacement must touch one module."""
    if module.path != MONGO:
        for line, name in module.imports:
            if name.partition(".")[0] == "motor":
                yield line, "motor is imported in chassis/mongo.py only"


def nobody_prints(module: Module) -> Found:
    """Commands write through chassis.terminal.say (contracts through its own), services log."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "print":
            yield node.lineno, "print: commands write through chassis.terminal.say"


def tests_do_not_sleep(module: Module) -> Found:
    """A sleep is too short on a busy machine and too long on every other: poll with testkit's `eventually`."""
    for node in ast.walk(module.tree) if module.is_test else ():
        if isinstance(node, ast.Call) and (name := module.full_name(node.func)) in SLEEPS and not _is_zero(node):
            yield node.lineno, f"{name}: tests poll with testkit's eventually"


def _is_zero(call: ast.Call) -> bool:
    """`sleep(0)` hands over to other tasks and waits for nothing."""
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def tests_can_fail(module: Module) -> Found:
    """A test without an assertion passes whatever the code does."""
    if not module.is_test:
        return
    functions = {node.name: node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for name, function in functions.items():
        if name.startswith("test_") and not _asserts(function, functions, set()):
            yield function.lineno, f"{name} asserts nothing"


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _asserts(function: Function, functions: dict[str, Function], seen: set[str]) -> bool:
    seen.add(function.name)
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            called = _last_name(node.func)
            if CHECKING_CALLS.match(called):
                return True
            if called in functions and called not in seen and _asserts(functions[called], functions, seen):
                return True
    return False


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def models_are_pure(module: Module) -> Found:
    """A model decides from what it is given: no I/O, no clock of its own, nothing of the layers above."""
    if not (module.slice_file and module.path.endswith("/model.py")):
        return
    for line, name in module.imports:
        if any(_lies_in(name, outside) for outside in OUTSIDE):
            yield line, f"{name}: a model does no I/O"
        elif _lies_in(name, "chassis") and not any(_lies_in(name, pure) for pure in PURE_CHASSIS):
            yield line, f"{name}: a model takes only pure functions from the chassis"
        elif _layer(name) in {"service", "store", "routes", "handlers", "jobs", "app", "settings"}:
            yield line, f"{name}: a model imports nothing of the layers above"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in {"open", "input"}:
            yield node.lineno, f"{node.id}: a model does no I/O"


def _lies_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _layer(name: str) -> str:
    """Which file of which of our services a dotted name means: `identity.accounts.store.Store` lies in `store`."""
    parts = name.split(".")
    return next((part for part in parts[1:3] if part in _LAYERS), "") if parts[0] in SERVICES else ""


_LAYERS = {*SLICE_FILES, "app", "settings"} - {"__init__"}


def slices_have_the_same_files(module: Module) -> Found:
    """Who knows one slice knows all."""
    if module.slice_file and module.package not in MECHANISMS and PurePosixPath(module.path).stem not in SLICE_FILES:
        yield 1, f"a slice consists of {', '.join(name for name in SLICE_FILES if name != '__init__')}"


def slices_meet_in_services(module: Module) -> Found:
    """A slice asks another's use cases and takes its pure values; it never reaches into its store or edges."""
    if not module.slice_file:
        return
    own = module.package[:2]
    for line, name in module.imports:
        parts = tuple(name.split("."))
        if parts[0] == own[0] and parts[:2] != own and len(parts) > 2 and parts[2] in {"store", "routes", "handlers", "jobs"}:
            yield line, f"{name}: slices meet only through each other's service"


DIRECTIVE = re.compile(
    r"(ruff:\s*)?noqa(:\s*[A-Z]+[0-9]+([,\s]+[A-Z]+[0-9]+\b)*)?"
    r"|(type|pyright):\s*ignore(\[[^\]]*\])?"
    r"|mypy:\s*[\w-]+"
    r"|pragma: no cover"
)


def exceptions_have_reasons(module: Module) -> Found:
    """An exception from a rule says why, and from which rule."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type != tokenize.COMMENT or not re.match(rf"#\s*({DIRECTIVE.pattern})", token.string):
            continue
        directives = [match.group() for match in DIRECTIVE.finditer(token.string)]
        if any(re.fullmatch(r"(ruff:\s*)?noqa|(type|pyright):\s*ignore", directive) for directive in directives):
            yield token.start[0], f"{token.string}: names no rule"
        if len(re.findall(r"[A-Za-z]{2,}", DIRECTIVE.sub("", token.string))) < 2:
            yield token.start[0], f"{token.string}: gives no reason"


CHECKS: tuple[Callable[[Module], Found], ...] = (
    time_comes_from_the_clock,
    chance_comes_from_ids,
    motor_has_one_importer,
    nobody_prints,
    tests_do_not_sleep,
    tests_can_fail,
    models_are_pure,
    slices_have_the_same_files,
    slices_meet_in_services,
    exceptions_have_reasons,
)


def modules(root: Path) -> Iterator[Module]:
    """Every source file of the tree."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if not {".venv", "node_modules", ".local"} & set(path.parts):
                yield Module(path.relative_to(root).as_posix(), path.read_text("utf-8"))


def findings(module: Module) -> list[Finding]:
    """Every rule that this file breaks."""
    return sorted({Finding(module.path, line, what) for check in CHECKS for line, what in check(module)})


def main() -> int:
    """Check the tree; the answer is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1], help="the tree to check")
    found = [finding for module in modules(parser.parse_args().root) for finding in findings(module)]
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
