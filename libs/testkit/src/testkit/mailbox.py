"""Reads the mails that were really delivered, from the mail catcher, and finds the links in them."""

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from typing import Any

import httpx

from testkit.waiting import eventually

_LINK = re.compile(r"https?://[^\s\"'<>]+")


@dataclass(frozen=True)
class Mail:
    """One delivered mail."""

    id: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    headers: dict[str, str]

    def link(self, part: str) -> str:
        """Return the first link of the plain text that contains `part`."""
        links: list[str] = _LINK.findall(self.text)
        return next(link.rstrip(").,") for link in links if part in link)

    def has_link(self, part: str) -> bool:
        """Tell whether a link of the plain text contains `part`."""
        return any(part in link for link in _LINK.findall(self.text))


class Mailbox:
    """All mails of one catcher. `wait` gives each mail once, so that a story reads them in order."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=10)
        self._read: set[str] = set()

    async def all(self, to: str) -> list[Mail]:
        """Return every mail to an address, the oldest first."""
        found = (await self._client.get("/email")).json()
        return [_mail(one) for one in found if any(each["address"].lower() == to.lower() for each in one["to"])]

    async def wait(self, to: str, *, link: str = "", subject: str = "", timeout: float = 30) -> Mail:  # noqa: ASYNC109 - passed on to eventually
        """Return the next unread mail to an address that has such a link or subject."""

        async def unread() -> Mail | None:
            for mail in await self.all(to):
                if mail.id not in self._read and (not link or mail.has_link(link)) and subject in mail.subject:
                    return mail
            return None

        mail = await eventually(unread, timeout=timeout, every=0.1)
        self._read.add(mail.id)
        return mail

    async def source(self, mail: Mail) -> Message:
        """Return a mail as it went over the wire."""
        answer = await self._client.get(f"/email/{mail.id}/source")
        return BytesParser(policy=default).parsebytes(answer.content)

    async def clear(self) -> None:
        """Throw all mails away."""
        (await self._client.delete("/email/all")).raise_for_status()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _mail(one: dict[str, Any]) -> Mail:
    headers = {name.lower(): value if isinstance(value, str) else str(value) for name, value in one["headers"].items()}
    to = tuple(each["address"] for each in one["to"])
    return Mail(one["id"], to, one["subject"], one.get("text") or "", one.get("html") or "", headers)
