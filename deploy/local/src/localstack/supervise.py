"""supervisord, one per instance: starts the processes, brings a killed one back, stops them in order.

It listens on a socket file inside the instance's folder. Every process carries a mark in its environment, so that those
that outlive a killed supervisord are found and ended too.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from localstack.layout import ROOT, Instance
from localstack.programs import Program, programs, script

MARK = "KANDIDATENBANK_INSTANCE"
ALREADY_STARTED = 60
NOT_RUNNING = 70
STOP_PATIENCE = 20  # seconds until a process that does not end is killed

PROGRAM = """
[program:{name}]
command=/bin/sh "{script}"
autostart=false
autorestart=true
startsecs=2
startretries=5
priority={priority}
stopwaitsecs={patience}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
"""

CONFIGURATION = """; made by localstack on each start
[supervisord]
logfile={folder}/logs/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}/logs
directory={root}
[unix_http_server]
file={socket}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


def running(instance: Instance) -> bool:
    """Whether this instance's supervisord answers."""
    try:
        _ask(instance, "getPID")
    except (OSError, Fault):
        return False
    return True


def launch(instance: Instance) -> None:
    """Start supervisord (without any process yet) when it is not there."""
    if running(instance):
        if set(states(instance)) == {program.name for program in programs(instance)}:
            return
        shutdown(instance)  # there are other processes than when it started
    end_orphans(instance)
    _socket(instance).unlink(missing_ok=True)
    instance.logs.mkdir(parents=True, exist_ok=True)
    configuration = instance.folder / "supervisord.conf"
    configuration.write_text(_configuration(instance))
    command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(configuration)]
    environment = {**os.environ, MARK: str(instance.folder), "PYTHONUNBUFFERED": "1"}
    subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - our own interpreter
    deadline = time.monotonic() + 10
    while not running(instance):
        if time.monotonic() > deadline:
            raise TimeoutError(f"supervisord did not start; see {instance.logs}/supervisord.log")
        time.sleep(0.05)


def start(instance: Instance, name: str) -> None:
    """Start one process; one that runs goes on."""
    try:
        _ask(instance, "startProcess", name, False)
    except Fault as fault:
        if fault.faultCode != ALREADY_STARTED:
            raise


def stop(instance: Instance, *names: str) -> None:
    """Stop processes, all at once, and keep them stopped; returns when they have ended."""
    for name in names:
        try:
            _ask(instance, "stopProcess", name, False)
        except Fault as fault:
            if fault.faultCode != NOT_RUNNING:
                raise
    deadline = time.monotonic() + STOP_PATIENCE + 5
    while any(alive(int(states(instance)[name]["pid"])) for name in names):
        if time.monotonic() > deadline:
            raise TimeoutError(f"did not stop: {', '.join(names)}")
        time.sleep(0.05)


def states(instance: Instance) -> dict[str, dict[str, Any]]:
    """What supervisord knows of each process: `statename`, `pid`, `start`, `now`, …"""
    known = cast("list[dict[str, Any]]", _ask(instance, "getAllProcessInfo"))
    return {process["name"]: process for process in known}


def shutdown(instance: Instance, patience: float = 60) -> None:
    """Stop every process in the reverse order of their start, then supervisord, then whatever was left behind."""
    if running(instance):
        pid = int(cast("int", _ask(instance, "getPID")))
        _ask(instance, "shutdown")
        deadline = time.monotonic() + patience
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
    end_orphans(instance)


def end_orphans(instance: Instance) -> list[int]:
    """End the processes that carry this instance's mark; those that do not listen are killed after ten seconds."""
    orphans = marked(instance)
    for pid in orphans:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while (left := [pid for pid in orphans if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in left:
        _signal(pid, signal.SIGKILL)
    return orphans


def marked(instance: Instance) -> list[int]:
    """The processes of this machine that an instance started, whoever is their parent now."""
    mark = f"{MARK}={instance.folder}\0".encode()
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid != os.getpid() and mark in _environment(pid)]  # noqa: PTH208 - names only


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
    except OSError:
        return b""


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _ask(instance: Instance, method: str, *arguments: Any) -> Any:
    transport = SupervisorTransport(None, None, f"unix://{_socket(instance)}")
    try:
        return getattr(ServerProxy("http://localhost", transport=transport).supervisor, method)(*arguments)
    finally:
        transport.close()


def _socket(instance: Instance) -> Path:
    return instance.folder / "supervisor.sock"


def _configuration(instance: Instance) -> str:
    head = CONFIGURATION.format(folder=instance.folder, root=ROOT, socket=_socket(instance))
    return head + "".join(
        PROGRAM.format(
            name=program.name,
            script=_script(instance, program),
            priority=10 * number,
            patience=STOP_PATIENCE,
            log=instance.logs / f"{program.name}.log",
        )
        for number, program in enumerate(programs(instance), start=1)
    )


def _script(instance: Instance, program: Program) -> Path:
    path = instance.folder / "run" / program.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(program))
    return path
