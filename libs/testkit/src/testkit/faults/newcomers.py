"""What somebody does who comes to the portal while it is failing: register, wait for the mail, confirm, sign in."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import httpx

from testkit.cast import Cast
from testkit.faults.client import Client
from testkit.faults.ledger import Fate, Ledger
from testkit.portal import PASSWORD

PATIENCE = 45.0
"""How long a newcomer waits for the mail: a must-arrive mail is tried until it is there."""
LINK_WORKS = timedelta(hours=48)
"""So long a link works at least, in domain time: a fault may turn that on by weeks."""


@dataclass
class Newcomer:
    """One of them."""

    cast: Cast
    ledger: Ledger
    http: httpx.AsyncClient
    email: str = ""

    async def arrive(self) -> None:
        """Come in, as far as the portal lets them."""
        self.email = self.email or self.cast.email("nieuw")
        client, asked_on = Client(self.http, self.ledger), self.cast.today
        body = {"email": self.email, "password": PASSWORD, "language": "nl"}
        reply = await client.send("POST", "identity/v1/registrations", json=body)
        self.ledger.write((self.email, "registration"), "mailed", reply.fate, most=reply.tries)
        if reply.fate is not Fate.ACKNOWLEDGED:
            return
        link = await self._link()
        if link is None:
            return  # the checker misses the mail
        confirmed = await client.send("POST", link)
        self.ledger.write((self.email, "account"), "confirmed", confirmed.fate)
        if confirmed.status == httpx.codes.NOT_FOUND and self.cast.today - asked_on < LINK_WORKS:
            self.ledger.blame("the link of a mail did not work")

    async def _link(self) -> str | None:
        mailbox, deadline = self.cast.portal.mailbox, asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            for mail in await mailbox.all(self.email):
                if mail.has_link("/pages/confirm/"):
                    return mail.link("/pages/confirm/")
            await asyncio.sleep(0.3)
        return None

    async def has_account(self) -> bool:
        """Try to sign in, as whoever has an account can."""
        return await Client(self.http, self.ledger, email=self.email).sign_in() is not None
