"""The mail server that fails does what it is told, with so many mails, and its record tells what nobody else can know."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiosmtpd import smtp
from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from testkit.faults.postoffice import Mood, PostOffice, read
from testkit.waiting import eventually

pytestmark = pytest.mark.integration
MAIL = b"Message-ID: <one@bank.example>\r\nSubject: x\r\n\r\nHello\r\n"


class Catcher:
    """Keeps what it is sent."""

    def __init__(self):
        self.kept = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd names its hooks so
        self.kept.append(envelope.content)
        return "250 kept"


@pytest.fixture
async def catcher():
    return Catcher()


@pytest.fixture
async def office(catcher, tmp_path):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: smtp.SMTP(catcher, hostname="catcher", loop=loop), "127.0.0.1", 0)
    async with server:
        yield PostOffice(tmp_path / "post.jsonl", server.sockets[0].getsockname()[1])


@asynccontextmanager
async def sending(office, patience=1.0):
    async with await office.serve() as server:
        port = server.sockets[0].getsockname()[1]
        async with SMTP(hostname="127.0.0.1", port=port, timeout=patience, start_tls=False) as client:
            yield client


async def send(client):
    await client.mail("bank@bank.example")
    await client.rcpt("sanne@kandidaat.example")
    return (await client.data(MAIL)).code


async def test_a_mail_is_taken_once_and_the_record_tells_when_its_sender_has_heard(office, catcher):
    async with sending(office) as client:
        assert await send(client) == 250
        assert [(one.taken, one.heard) for one in read(office.record)] == [(True, False)]
        await client.rset()
        assert [(one.taken, one.heard) for one in read(office.record)] == [(True, False), (True, True)]
    assert len(catcher.kept) == 1
    assert {(one.message_id, one.to) for one in read(office.record)} == {("<one@bank.example>", "sanne@kandidaat.example")}


@pytest.mark.parametrize(("kind", "code"), [("defer-recipient", 450), ("defer", 451), ("reject-recipient", 550), ("reject", 554)])
async def test_it_refuses_as_many_mails_as_it_is_told(office, catcher, kind, code):
    async with sending(office) as client:
        with office.in_mood(Mood(kind, times=1)):
            with pytest.raises(SMTPResponseException) as refused:
                await send(client)
            await client.rset()
            assert await send(client) == 250
    assert refused.value.code == code
    assert len(catcher.kept) == 1


@pytest.mark.parametrize("kind", ["hang", "hang-untaken", "late", "close", "close-untaken"])
async def test_when_it_keeps_silent_only_its_record_tells_whether_it_took_the_mail(office, catcher, kind):
    taken = not kind.endswith("untaken")
    async with sending(office, patience=0.3) as client:
        with office.in_mood(Mood(kind, seconds=0.6)):
            with pytest.raises((SMTPException, OSError)):
                await send(client)
            client.close()
    assert [(one.taken, one.said, one.heard) for one in read(office.record)] == [
        (taken, "250 2.0.0 taken" if taken else "", False)
    ]
    assert len(catcher.kept) == taken


async def test_what_the_catcher_did_not_take_is_not_taken(office, catcher):
    office.catcher = 1  # nobody listens there
    async with sending(office) as client:
        with pytest.raises(SMTPResponseException) as deferred:
            await send(client)
    assert deferred.value.code == 451
    await eventually(lambda: [one.taken for one in read(office.record)] == [False])
