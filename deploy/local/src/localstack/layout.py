"""Where everything of the local stack lies: reads `stack.toml`, the one file that names ports and folders."""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).resolve().parents[2]  # deploy/local
ROOT = HERE.parents[1]
STATE = ROOT / ".local"
CACHE = STATE / "cache"


@functools.cache
def stack() -> dict[str, Any]:
    """The contents of `stack.toml`."""
    return tomllib.loads((HERE / "stack.toml").read_text())


@dataclass(frozen=True)
class Instance:
    """One copy of the stack: a name, a number that is added to every port, a folder for its state."""

    name: str

    def __post_init__(self) -> None:
        """Refuse a name that `stack.toml` does not know."""
        if self.name not in stack()["instances"]:
            raise LookupError(f"stack.toml names no instance {self.name!r}, only {', '.join(stack()['instances'])}")

    @property
    def folder(self) -> Path:
        """The state of this instance; deleting it is `make clean`."""
        return STATE / self.name

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.folder / "logs"

    @property
    def parts(self) -> list[str] | None:
        """The processes that it has; None when it has all."""
        return cast("list[str] | None", self.told.get("parts"))

    @property
    def told(self) -> dict[str, Any]:
        """What `stack.toml` says of this instance, and of the one that it is like."""
        known = stack()["instances"]
        own: dict[str, Any] = known[self.name]
        return {**known[own["like"]], **own} if "like" in own else own

    def port(self, part: str) -> int:
        """The port of a part that is no service, as `kafka`."""
        return int(stack()["ports"][part]) + self._shift

    def dial(self, part: str) -> int:
        """The port at which others reach a part: that of what stands between, where the instance has it."""
        between = "between" in self.told and part in stack()["between"]["parts"]
        return self.port(part) + (int(stack()["between"]["shift"]) if between else 0)

    def service_port(self, service: str, process: str) -> int:
        """The port of a service's `api`, or of its `worker`'s health."""
        return int(stack()["services"][service][process]) + self._shift

    @property
    def _shift(self) -> int:
        return int(self.told["shift"])


def instances() -> list[Instance]:
    """All instances that `stack.toml` names."""
    return [Instance(name) for name in stack()["instances"]]


def services() -> list[str]:
    """The names of the services, which are also their packages' names."""
    return list(stack()["services"])
