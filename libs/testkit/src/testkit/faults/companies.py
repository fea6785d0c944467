"""What an organisation of the load does: its recruiter searches the bank, its system publishes vacancies and closes them."""

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

import httpx

from testkit.cast import Organisation
from testkit.faults.client import Client, Reply
from testkit.faults.ledger import Fate, Ledger, Offer, now
from testkit.portal import SEARCHING
from testkit.samples import vacancies

_ANY_DAY = date(2026, 1, 1)
VACANCIES = "profiles/v1/vacancies"


@dataclass
class CompanyAtWork:
    """One organisation with the clients of its recruiter and its system."""

    organisation: Organisation
    recruiter: Client
    system: Client
    ledger: Ledger
    groups: tuple[str, ...]
    mark: str
    """In every title of this round."""
    titles: dict[str, str] = field(default_factory=dict)
    """The title of each vacancy that was acknowledged."""
    done: int = 0

    async def publish(self) -> None:
        """Publish a vacancy; sent again under its key, it is there once."""
        self.done += 1
        group, began = self.groups[self.done % len(self.groups)], now()
        title = f"Analist {group} {self.mark}v{self.done}"
        reply = await self.system.create(VACANCIES, self.posting(title))
        self.ledger.write((self.organisation.id, f"vacancy {title}"), "open", reply.fate)
        if reply.fate is Fate.ACKNOWLEDGED:
            self.titles[reply.json["id"]] = title
            self.ledger.vacancies[reply.json["id"]] = Offer(group, began)

    async def close(self, random: Random) -> None:
        """Close one of those that are open."""
        if not self.titles:
            return
        vacancy = random.choice(sorted(self.titles))
        title = self.titles.pop(vacancy)
        self.ledger.closed.add(vacancy)
        reply = await self.system.send("POST", f"{VACANCIES}/{vacancy}/closure")
        self.ledger.write((self.organisation.id, f"vacancy {title}"), "closed", reply.fate, most=0)

    async def search(self) -> None:
        """Search the bank: nobody is found who an acknowledged write had hidden before."""
        hidden = set(self.ledger.hidden)
        reply = await self.recruiter.get("profiles/v1/bank/search", params={"limit": "100"}, headers=SEARCHING)
        if reply.status == httpx.codes.OK:
            for item in reply.json["items"]:
                if item["handle"] in hidden & self.ledger.hidden:
                    self.ledger.blame("a search found somebody whom an acknowledged write had hidden")

    async def look(self, handle: str) -> Reply:
        """Open a profile."""
        return await self.recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING)

    def posting(self, title: str) -> dict[str, Any]:
        """Return a posting as an organisation's system sends it."""
        posting = dict(vacancies(_ANY_DAY)[0].posting)
        del posting["datePosted"], posting["validThrough"]  # a turned clock would make them old
        return posting | {"title": title, "hiringOrganization": {"@type": "Organization", "name": self.organisation.name}}
