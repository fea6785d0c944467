"""The connection to a mail server as production has it: TLS to a certificate that is trusted, and a login."""

import asyncio
import ssl

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from notifications.sending.model import Answer
from notifications.smtp import Envelope, SmtpMailer, SmtpServer, UnreachableError
from testkit.certificates import write_certificate

pytestmark = pytest.mark.integration
ENVELOPE = Envelope("portaal@kandidatenbank.example", "an@x.example", b"Subject: Hoi\r\n\r\nHoi\r\n")


class Relay:
    """A real server that wants TLS and the right password before it takes a mail."""

    def __init__(self, certificate) -> None:
        self.mails, self.context = [], ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate)

    def session(self) -> SMTP:
        options = {"tls_context": self.context, "require_starttls": True, "auth_required": True}
        return SMTP(self, hostname="relay.example", authenticator=self.knows, **options)

    def knows(self, _server, _session, _envelope, _mechanism, login) -> AuthResult:
        fits = (login.login, login.password) == (b"portaal", b"right")
        return AuthResult(success=fits, handled=False)  # not handled: the server says so itself

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.mails.append((session.ssl is not None, envelope.content))
        return "250 OK"


@pytest.fixture
async def relay(tmp_path):
    made = Relay(write_certificate(tmp_path / "relay.pem"))
    async with await asyncio.get_running_loop().create_server(made.session, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@pytest.fixture
def trusted(relay, tmp_path, monkeypatch):
    """OpenSSL looks there for the machine's authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "relay.pem"))


def mailer(relay, **other):
    told = {"tls": "starttls", "username": "portaal", "password": "right"} | other
    server = SmtpServer("127.0.0.1", relay.port, **told)
    return SmtpMailer(server, local_hostname="kandidatenbank.example")


async def handed_over():
    """Whoever is to know that a message is about to go need not know here."""


async def test_a_mail_goes_over_tls_after_a_login(relay, trusted):
    mine = mailer(relay)
    await mine.connect()
    reply = await mine.send(ENVELOPE, before_data=handed_over)
    await mine.close()
    assert reply.answer is Answer.ACCEPTED
    assert relay.mails == [(True, ENVELOPE.message)]


async def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_mail_nor_password(relay):
    with pytest.raises(UnreachableError):
        await mailer(relay).connect()


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"tls": "none"}])
async def test_a_server_that_does_not_let_us_in_counts_as_away(relay, trusted, wrong):
    with pytest.raises(UnreachableError):
        await mailer(relay, **wrong).connect()
