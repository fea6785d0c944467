"""A connection is known by the process that made it."""

import asyncio
import os
import sys

import pytest
from localstack.layout import ROOT, Instance
from testkit.faults.peers import Peers, name
from testkit.waiting import eventually

FAULTS = Instance("faults")
CONNECT = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[3]))); sys.stdin.read()"


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["python", "-m", "testkit.faults.process", "profiles", "worker"], "profiles-worker"),
        (["python", "-m", "identity", "api"], "identity-api"),
        (["/x/mongod", "--dbpath=/y", f"--port={FAULTS.port('mongod-2')}"], "mongod-2"),
        (["/x/mongod", f"--port={Instance('main').port('mongod')}"], "other"),
        (["python", "-m", "pytest"], "other"),
    ],
)
def test_a_process_is_called_by_its_command_line(words, called):
    assert name(FAULTS, words) == called


@pytest.mark.integration
async def test_the_owner_of_a_connection_is_found_by_its_port():
    theirs = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: theirs.put_nowait(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CONNECT, "consent", "worker", str(port), stdin=asyncio.subprocess.PIPE, cwd=ROOT, env=os.environ
    )
    writer = await asyncio.wait_for(theirs.get(), 10)
    peers = Peers(FAULTS)
    assert peers.owner(port, writer.get_extra_info("peername")[1]) == "consent-worker"
    assert peers.owner(port, 1) == "other"
    child.stdin.close()
    await child.wait()
    await eventually(lambda: child.returncode == 0)
    writer.close()
    server.close()
