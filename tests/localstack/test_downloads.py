"""promtool: from the machine, from the cache, or out of Debian's package, also where apt knows no packages yet."""

from pathlib import Path

import pytest
from localstack import downloads
from localstack.downloads import DownloadError, promtool


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine with apt and without promtool; what was run."""
    ran: list[list[str]] = []

    def run(command: list[str], cwd: Path | None = None) -> None:
        ran.append(command)
        if command[0] == "dpkg-deb":
            made = Path(command[3]) / "usr" / "bin" / "promtool"
            made.parent.mkdir(parents=True)
            made.write_text("tool")
        elif "download" in command and cwd is not None:
            (cwd / "prometheus.deb").touch()

    monkeypatch.setattr(downloads, "CACHE", tmp_path)
    monkeypatch.setattr(downloads, "run", run)
    monkeypatch.setattr(downloads.shutil, "which", lambda name: None if name == "promtool" else f"/usr/bin/{name}")
    return ran


def test_it_is_fetched_once_and_nothing_is_installed(commands: list[list[str]]) -> None:
    assert promtool().read_text() == "tool"
    assert promtool().read_text() == "tool"
    assert [command[0] for command in commands] == ["apt-get", "dpkg-deb"]
    assert "install" not in {word for command in commands for word in command}


def test_a_slim_image_gets_its_lists_first(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = downloads.run

    def run(command: list[str], cwd: Path | None = None) -> None:
        if "download" in command and ["apt-get", "update"] not in commands:
            raise DownloadError("no such package")
        fetch(command, cwd)

    monkeypatch.setattr(downloads, "run", run)
    monkeypatch.setattr(downloads.os, "geteuid", lambda: 0)
    assert promtool().read_text() == "tool"
    assert ["apt-get", "update"] in commands


def test_who_may_not_renew_the_lists_hears_the_reason(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_command: list[str], cwd: Path | None = None) -> None:
        raise DownloadError("no such package")

    monkeypatch.setattr(downloads, "run", run)
    monkeypatch.setattr(downloads.os, "geteuid", lambda: 1000)
    with pytest.raises(DownloadError, match="no such package"):
        promtool()
    assert commands == []


def test_a_machine_without_apt_is_told_what_to_do(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads.shutil, "which", lambda _name: None)
    with pytest.raises(DownloadError, match="put it on the PATH"):
        promtool()
    monkeypatch.setattr(downloads.shutil, "which", lambda name: f"/opt/{name}")
    assert promtool() == Path("/opt/promtool")
    assert commands == []
