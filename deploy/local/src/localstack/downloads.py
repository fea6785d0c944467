"""Fetches what no wheel brings, verifies it and keeps it under `.local/cache`: Kafka's jars by Maven.

Java, mongod, Traefik and Node come as wheels, so `uv.lock` has verified them before this runs.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from localstack.layout import CACHE, HERE, stack


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
