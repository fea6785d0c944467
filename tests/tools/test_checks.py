"""Each rule of tools/checks.py: what breaks it and what does not."""

import importlib.util
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _load():
    spec = importlib.util.spec_from_file_location("checks", ROOT / "tools" / "checks.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["checks"] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


checks = _load()

SERVICE = "services/identity/src/identity/accounts/service.py"
MODEL = "services/identity/src/identity/accounts/model.py"
TEST = "tests/identity/test_accounts.py"


def broken(path: str, code: str) -> list[str]:
    """The rules that a file with this code breaks, in words."""
    return [finding.what for finding in checks.findings(checks.Module(path, dedent(code)))]


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.utcnow()",
        "import datetime as d\nx = d.datetime.now(d.UTC)",
        "from datetime import datetime as when\nx = when.today()",
        "from datetime import date\nx = date.today()",
        "import time\nx = time.time()",
        "from time import time as clock\nx = 1",
        "from datetime import datetime\nmake = field(default_factory=datetime.now)",
        "def f():\n    import time\n    return time.time_ns()",
    ],
)
def test_time_comes_from_the_clock(code: str) -> None:
    assert any("chassis.clock" in what for what in broken(SERVICE, code))
    assert broken("libs/chassis/src/chassis/clock.py", code) == []


@pytest.mark.parametrize(
    "code",
    [
        "import random",
        "import secrets\nx = secrets.token_urlsafe()",
        "from uuid import uuid4",
        "import uuid\nx = uuid.uuid1()",
        "import os\nx = os.urandom(8)",
        "from random import choice as pick",
        "import uuid_utils",
    ],
)
def test_chance_comes_from_ids(code: str) -> None:
    assert any("chassis.ids" in what for what in broken(SERVICE, code))
    assert broken("libs/chassis/src/chassis/ids.py", code) == []


def test_the_fault_suite_draws_from_a_seed() -> None:
    code = "from random import Random"
    assert broken("libs/testkit/src/testkit/faults/fault.py", code) == broken("tests/faults/test_rounds.py", code) == []
    assert broken("libs/testkit/src/testkit/faults/fault.py", "from random import choice") != []
    assert broken("libs/testkit/src/testkit/portal.py", code) != []


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\nx = datetime.fromisoformat('2026-03-02T00:00:00+01:00')",
        "import time\nx = time.monotonic()",
        "import uuid\nx = uuid.UUID(int=1)",
        "class Clock:\n    def now(self): ...\nx = Clock().now()",
        "def f(clock):\n    return clock.now(), clock.today()",
        "random = 4\nx = random",
    ],
)
def test_names_that_only_look_like_the_clock_or_chance_pass(code: str) -> None:
    assert broken(SERVICE, code) == []


@pytest.mark.parametrize("code", ["import motor.motor_asyncio", "from motor import motor_asyncio", "import motor as m"])
def test_motor_has_one_importer(code: str) -> None:
    assert broken(SERVICE, code) == ["motor is imported in chassis/mongo.py only"]
    assert broken("libs/chassis/src/chassis/mongo.py", code) == []


def test_nobody_prints() -> None:
    assert broken(SERVICE, "print('hello')") == ["print: commands write through chassis.terminal.say"]
    assert broken(SERVICE, "say = print") == ["print: commands write through chassis.terminal.say"]
    assert broken(SERVICE, "from chassis.terminal import say\nsay('print')") == []


@pytest.mark.parametrize(
    "code",
    [
        "import time\ndef f(): time.sleep(1)",
        "import asyncio\nasync def f(): await asyncio.sleep(0.1)",
        "from asyncio import sleep as rest\nasync def f(): await rest(2)",
    ],
)
def test_tests_do_not_sleep(code: str) -> None:
    assert any("eventually" in what for what in broken(TEST, code))
    assert broken(SERVICE, code) == []


def test_handing_over_is_no_sleep() -> None:
    assert broken(TEST, "import asyncio\nasync def f(): await asyncio.sleep(0)") == []


@pytest.mark.parametrize(
    "body",
    [
        "assert x == 1",
        "with pytest.raises(ValueError): x()",
        "assert_same(x, y)",
        "mock.assert_called_once()",
        "eventually(lambda: x)",
        "_helper(x)",
        "_outer(x)",
    ],
)
def test_a_test_with_an_assertion_passes(body: str) -> None:
    helpers = "def _helper(x):\n    assert x\ndef _outer(x):\n    _helper(x)\n"
    assert broken(TEST, f"{helpers}def test_it():\n    {body}\n") == []


@pytest.mark.parametrize("body", ["x()", "assert True", "pass", "_idle(x)", "_loop(x)"])
def test_a_test_without_an_assertion_is_found(body: str) -> None:
    helpers = "def _idle(x):\n    return x\ndef _loop(x):\n    _loop(x)\n"
    assert broken(TEST, f"{helpers}async def test_it():\n    {body}\n") == ["test_it asserts nothing"]


def test_only_tests_need_assertions() -> None:
    assert broken(SERVICE, "def test_connection():\n    connect()\n") == []


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import pymongo", "no I/O"),
        ("from litestar import get", "no I/O"),
        ("from pathlib import Path", "no I/O"),
        ("import urllib.request", "no I/O"),
        ("x = open('a')", "no I/O"),
        ("from chassis.mongo import Database", "pure functions"),
        ("from chassis.clock import Clock", "pure functions"),
        ("import chassis.clock", "pure functions"),
        ("from chassis import clock", "pure functions"),
        ("from chassis.ids import new_id", "pure functions"),
        ("from identity.accounts.service import confirm", "layers above"),
        ("from identity.accounts import store", "layers above"),
        ("from . import routes", "layers above"),
        ("from .handlers import on_account", "layers above"),
        ("from identity.settings import Settings", "layers above"),
        ("from identity import app", "layers above"),
    ],
)
def test_models_are_pure(code: str, why: str) -> None:
    assert any(why in what for what in broken(MODEL, code))


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import date, timedelta",
        "from pydantic import BaseModel",
        "from chassis import places",
        "from chassis.places import find",
        "from chassis.clock import year_later",
        "from identity.organisations.model import Role",
        "from contracts.identity.account import AccountEvent",
        "import urllib.parse",
    ],
)
def test_a_model_may_take_pure_values(code: str) -> None:
    assert broken(MODEL, code) == []


def test_only_models_have_to_be_pure() -> None:
    assert broken(SERVICE, "from chassis.clock import Clock") == []


def test_slices_have_the_same_files() -> None:
    assert any("a slice consists of" in what for what in broken("services/identity/src/identity/accounts/utils.py", ""))
    assert any("a slice consists of" in what for what in broken("services/identity/src/identity/accounts/more/helper.py", ""))
    assert broken("services/identity/src/identity/app.py", "") == []
    assert broken("services/identity/src/identity/accounts/jobs.py", "") == []
    assert broken("libs/chassis/src/chassis/http/guards.py", "") == []
    assert broken("services/notifications/src/notifications/matching/index/tables.py", "") == []


def test_slices_meet_only_in_services() -> None:
    assert any("meet only" in what for what in broken(SERVICE, "from identity.sessions.store import find"))
    assert any("meet only" in what for what in broken(SERVICE, "from identity.sessions import store"))
    assert any("meet only" in what for what in broken(SERVICE, "from ..sessions import routes"))
    assert broken(SERVICE, "from identity.sessions.service import end") == []
    assert broken(SERVICE, "from identity.accounts.store import find\nfrom . import store") == []
    assert broken("services/identity/src/identity/app.py", "from identity.sessions import routes, jobs") == []


@pytest.mark.parametrize(
    ("comment", "complaint"),
    [
        ("# noqa: S603", "gives no reason"),
        ("# noqa", "names no rule"),
        ("# noqa - our own command", "names no rule"),
        ("# type: ignore[misc]", "gives no reason"),
        ("# type: ignore  # no types there", "names no rule"),
        ("# type: ignore[misc]  # noqa: S603", "gives no reason"),
        ("# noqa: S603, S607 - ok", "gives no reason"),
        ("# pragma: no cover", "gives no reason"),
        ("# ruff: noqa: F401", "gives no reason"),
    ],
)
def test_exceptions_have_reasons(comment: str, complaint: str) -> None:
    assert any(complaint in what for what in broken(SERVICE, f"x = 1  {comment}\n"))


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: S603 - our own constant command",
        "# noqa: S603, S607  # our own constant command",
        "# type: ignore[misc]  # aiokafka carries no types",
        "# type: ignore[misc]  # noqa: S603 - no types there, our own command",
        "# why noqa needs a reason",
    ],
)
def test_an_exception_with_its_reason_passes(comment: str) -> None:
    assert broken(SERVICE, f"x = 1  {comment}\n") == []


def test_the_command_names_file_line_and_rule(tmp_path: Path, capsys, monkeypatch) -> None:
    source = tmp_path / "services" / "identity" / "src" / "identity" / "app.py"
    source.parent.mkdir(parents=True)
    source.write_text('"""Wires."""\n\nprint(1)\n')
    monkeypatch.setattr(sys, "argv", ["checks.py", "--root", str(tmp_path)])
    assert checks.main() == 1
    assert (
        capsys.readouterr().out == "services/identity/src/identity/app.py:3: print: commands write through chassis.terminal.say\n"
    )
    source.write_text('"""Wires."""\n')
    assert checks.main() == 0
