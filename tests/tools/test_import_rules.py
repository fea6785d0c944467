"""The import rules of pyproject.toml, each broken once in a small tree with the same packages."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
SERVICES = ("identity", "profiles", "consent", "notifications")
SLICE = ("model", "service", "store", "routes", "handlers", "jobs")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Every package of ours, empty; each service has two slices with all their files."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for package in RULES["root_packages"]:
        _module(tmp_path, package)
    for service in SERVICES:
        for part in ("one", "two"):
            _module(tmp_path, f"{service}.{part}")
            for name in SLICE:
                (tmp_path / service / part / f"{name}.py").touch()
    return tmp_path


def _module(root: Path, package: str) -> None:
    folder = root.joinpath(*package.split("."))
    folder.mkdir()
    (folder / "__init__.py").touch()


def _lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)  # noqa: S603 - the linter of this environment


def test_the_way_of_the_data_is_allowed(tree: Path) -> None:
    one = tree / "identity" / "one"
    (one / "routes.py").write_text("from identity.one import service, model\nimport chassis\nimport contracts\n")
    (one / "service.py").write_text("from identity.one import store, model\nfrom identity.two import service\n")
    (one / "store.py").write_text("from identity.one import model\n")
    done = _lint(tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "code", "rule"),
    [
        ("identity/one/service.py", "import profiles", "services"),
        ("notifications/one/jobs.py", "from consent.one import model", "services"),
        ("chassis/__init__.py", "import contracts", "chassis"),
        ("chassis/__init__.py", "import identity", "chassis"),
        ("contracts/__init__.py", "import chassis", "contracts"),
        ("consent/one/routes.py", "import testkit", "tools"),
        ("identity/one/model.py", "from identity.one import store", "layers"),
        ("identity/one/store.py", "from identity.one import service", "layers"),
        ("identity/one/service.py", "from identity.one import routes", "layers"),
        ("identity/one/routes.py", "from identity.one import jobs", "layers"),
    ],
)
def test_an_import_that_points_the_wrong_way_is_found(tree: Path, file: str, code: str, rule: str) -> None:
    (tree / file).write_text(f"{code}\n")
    done = _lint(tree)
    said = " ".join(done.stdout.split())
    name = next(contract["name"] for contract in RULES["contracts"] if contract["id"] == rule)
    assert done.returncode == 1
    assert f"{name} BROKEN" in said
    assert said.count(" BROKEN") == 1
