"""A mail server that takes everything and keeps nothing: `python -m testkit.bench.sink <port> <health port> <certificate>`.

It is what a relay is in production: it wants TLS (STARTTLS) and a login before it takes a mail.
"""

import asyncio
import ssl
import sys
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from testkit.bench.bare import empty, serve


class Takes:
    """Takes every mail."""

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Say that it was taken."""
        return "250 OK"


def _lets_in(*_: object) -> AuthResult:
    return AuthResult(success=True)


async def _serve(port: int, health_port: int, certificate: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def session() -> SMTP:
        return SMTP(
            Takes(),
            enable_SMTPUTF8=True,
            hostname="sink.example",
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=_lets_in,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    async with server:
        await serve(empty(), health_port)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
