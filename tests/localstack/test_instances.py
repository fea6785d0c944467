"""What an instance keeps to itself: ports, secrets, its time, its processes."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from contracts.topics import SERVICES
from localstack import between, layout, mongo, services, supervise, turning
from localstack import instance as local_instance
from localstack.downloads import DownloadError, verify
from localstack.layout import Instance, instances
from localstack.programs import Program, programs, script
from localstack.secretfiles import key_file, note, secret, secret_file
from localstack.table import table


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """The main instance's ports with a state of this test's own."""
    monkeypatch.setattr(layout, "STATE", tmp_path)
    return Instance("main")


def test_no_two_processes_of_any_instances_share_a_port() -> None:
    parts = [port for one in instances() for port in map(one.port, layout.stack()["ports"])]
    parts += [port for one in instances() for port in {one.dial(part) for part in layout.stack()["ports"]} - set(parts)]
    own = [one.service_port(service, process) for one in instances() for service in SERVICES for process in ("api", "worker")]
    assert [port for port, times in Counter(parts + own).items() if times > 1] == []


def test_every_service_has_both_of_its_processes() -> None:
    names = {program.name for program in programs(Instance("main"))}
    assert {f"{service}-{process}" for service in SERVICES for process in ("api", "worker")} < names


def test_who_is_reached_through_what_stands_between_is_reached_so_by_everybody() -> None:
    faults, main = Instance("faults"), Instance("main")
    assert (faults.dial("kafka"), main.dial("kafka")) == (faults.port("kafka") + 50, main.port("kafka"))
    assert faults.dial("gateway") == faults.port("gateway")
    told = between.command(faults)[3:]
    assert told[:2] == ["faults", f"kafka={faults.dial('kafka')}:{faults.port('kafka')}"]
    assert [word.partition("=")[0] for word in told[1:]] == ["kafka", "mongod", "mongod-2", "mongod-3", "mail_smtp"]


def test_a_set_of_three_nodes_is_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "STATE", tmp_path)
    hosts = [f"127.0.0.1:{Instance('faults').dial(node)}" for node in mongo.NODES]
    assert f"@{','.join(hosts)}/?" in mongo.url(Instance("faults"))
    assert mongo.url(Instance("main")).count("127.0.0.1") == 1
    assert mongo.url(Instance("faults"), "profiles", "profiles").endswith("&appName=profiles")


def test_failures_can_be_injected_only_where_an_instance_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "STATE", tmp_path)
    allowed = [one.name for one in instances() if "--setParameter=enableTestCommands=1" in mongo.command(one)]
    assert allowed == ["test", "mutations", "faults"]


def test_an_instance_may_start_our_processes_by_a_launcher_of_its_own() -> None:
    assert services.command(Instance("main"), "consent", "api")[1:] == ["-m", "consent", "api"]
    assert services.command(Instance("faults"), "consent", "api")[1:] == ["-m", "testkit.faults.process", "consent", "api"]


def test_an_instance_that_nobody_described_is_refused() -> None:
    with pytest.raises(LookupError, match="names no instance 'mian'"):
        Instance("mian")


def test_a_secret_is_made_once_and_only_its_owner_reads_it(instance: Instance) -> None:
    first = secret(instance, "a")
    assert secret(instance, "a") == first != secret(instance, "b")
    assert secret_file(instance, "a").stat().st_mode & 0o777 == 0o600
    assert key_file(instance, "key").read_text() == key_file(instance, "key").read_text()
    assert [path.name for path in secret_file(instance, "a").parent.iterdir() if "." in path.name] == []


def test_a_note_follows_what_it_is_made_of(instance: Instance) -> None:
    note(instance, "url", "one")
    assert note(instance, "url", "another").read_text() == "another"


def test_no_secret_stands_in_a_process_environment(instance: Instance) -> None:
    environment = services.environment(instance, "identity")
    values = [path.read_text() for path in (instance.folder / "secrets").rglob("*") if path.is_file()]
    assert len(values) >= 4
    assert not [value for value in values if any(value in given for given in environment.values())]


def test_time_does_not_go_back(instance: Instance) -> None:
    with pytest.raises(turning.TurnError, match="forward"):
        turning.turn(instance, timedelta(days=-1))
    assert not services.clock_file(instance).exists()


def test_turns_add_up_and_a_process_that_does_not_answer_is_named(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "PATIENCE", 0.0)
    monkeypatch.setattr(turning, "_reached", lambda url, _moment: "8410" in url)
    for _ in range(2):
        with pytest.raises(turning.TurnError, match="do not answer with it: identity-worker"):
            turning.turn(instance, timedelta(days=2))
    assert services.clock_file(instance).read_text() == str(4 * 24 * 3600)


def test_what_outlived_its_supervisor_is_found_and_ended(instance: Instance) -> None:
    orphan = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(signal.SIGTERM, lambda *_: exit()); print(flush=True); signal.pause()",
        ],
        env={**os.environ, supervise.MARK: str(instance.folder)},
        stdout=subprocess.PIPE,
    )
    with orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        assert supervise.end_orphans(instance) == [orphan.pid]
        assert not supervise.alive(orphan.pid)


def test_a_script_hands_values_on_as_they_are() -> None:
    value = "a b'c\"d $HOME %s"
    show = [sys.executable, "-c", "import os, sys; sys.stdout.write(os.environ['VALUE'] + sys.argv[1])", value]
    one = Program("one", 1, lambda: show, lambda: True, lambda: {"VALUE": value})
    assert subprocess.run(["/bin/sh", "-c", script(one)], capture_output=True, text=True, check=True).stdout == value + value  # noqa: S603 - our own script


@pytest.mark.parametrize("states", [["FATAL"], ["STARTING", "BACKOFF", "RUNNING"] * 20])
def test_a_process_that_keeps_ending_is_named_with_its_log(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, states: list[str]
) -> None:
    told = iter([{"one": {"statename": state, "pid": pid}} for pid, state in enumerate(states)])
    monkeypatch.setattr(supervise, "launch", lambda _: None)
    monkeypatch.setattr(supervise, "start", lambda *_: None)
    monkeypatch.setattr(supervise, "states", lambda _: next(told))
    monkeypatch.setattr(local_instance, "programs", lambda _: [Program("one", 1, list, lambda: False)])
    monkeypatch.setattr(local_instance, "BACKING", ("one",))
    monkeypatch.setattr(local_instance, "STATE", instance.folder)
    with pytest.raises(local_instance.NotReadyError, match=r"main/logs/one\.log"):
        local_instance.ensure(instance)


def test_the_table_tells_what_does_not_run(instance: Instance) -> None:
    head, first, *_ = table(instance)
    assert head.split() == ["part", "state", "ready", "port", "pid", "since", "memory"]
    assert first.split()[:4] == ["kafka", "stopped", "-", "8405"]


@pytest.mark.parametrize("change", ["missing", "changed", "added"])
def test_a_jar_that_is_not_what_was_recorded_is_named(tmp_path: Path, change: str) -> None:
    sums = tmp_path / "sums"
    sums.write_text("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  a.jar\n")  # the hash of hello
    if change != "missing":
        (tmp_path / "a.jar").write_text("hello" if change == "added" else "hallo")
    if change == "added":
        verify(tmp_path, sums)
        (tmp_path / "b.jar").write_text("")
    with pytest.raises(DownloadError, match="b.jar" if change == "added" else "a.jar"):
        verify(tmp_path, sums)
