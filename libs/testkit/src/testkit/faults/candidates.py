"""What a candidate of the load does, each step with its line in the ledger."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import httpx

from testkit.cast import SHOWN, Candidate
from testkit.faults.client import Client, Reply
from testkit.faults.ledger import Fate, Ledger, Offer, now
from testkit.portal import SEARCHING
from testkit.waiting import eventually

PROFILE, VISIBILITY = "profiles/v1/me/profile", "profiles/v1/me/visibility"
TOGGLED = "career.summary"
TRIES = 4
STATES = {"active": "running", "asked": "running", "inactive": "stopped", "draft": None}


@dataclass
class CandidateAtWork:
    """One candidate with their client; `look` lets a recruiter open a handle."""

    candidate: Candidate
    client: Client
    ledger: Ledger
    look: Callable[[str], Awaitable[Reply]]
    groups: tuple[str, ...]
    """Words of this round: a vacancy carries one of them, a saved search looks for one."""
    done: int = 0
    handle: str = ""
    ended: list[str] = field(default_factory=list)
    """Refresh tokens of sessions that an acknowledged sign-out ended."""

    @property
    def who(self) -> str:
        """The subject."""
        return self.candidate.actor.subject

    def note(self, what: str, value: Any, reply: Reply, *, most: int = 1) -> Reply:
        """Write into the ledger what became of a write."""
        self.ledger.write((self.who, what), value, reply.fate, most=most, late=reply.late)
        return reply

    async def begin(self) -> None:
        """Come into the bank, so that there is something to hide; `change` and the others go on from there."""
        self.ledger.write((self.who, "language"), self.candidate.person.language, Fate.ACKNOWLEDGED)
        self.ledger.write((self.who, "anonymity"), "open", Fate.ACKNOWLEDGED)
        await eventually(self.known)
        await self.change_profile()
        await self.choose(shown=True)
        await self.consent()
        await self.start()

    async def known(self) -> bool:
        """Whether the news of the account has arrived where profiles are kept."""
        return (await self.client.get(PROFILE)).status == httpx.codes.OK

    async def change_profile(self) -> None:
        """Tell everything anew, with a word in the headline that says which version this is."""
        self.done += 1
        word = f"w{self.done}"
        document = deepcopy(self.candidate.person.profile)
        document["career"]["headline"] += f" {word}"
        await self._replace("profile", word, PROFILE, document, lambda found: word_of(found) == word)

    async def choose(self, *, shown: bool) -> None:
        """Show or hide one field more."""
        fields = {path: "shown" for path in SHOWN if shown or path != TOGGLED} | {"identity.place": "shown"}
        value = "shown" if shown else "hidden"
        await self._replace("visibility", value, VISIBILITY, {"fields": fields}, lambda found: choice_of(found) == value)

    async def _replace(self, what: str, value: str, path: str, document: Any, is_mine: Callable[[Any], bool]) -> None:
        """Replace what was read, as one does with ETags: what is stale is read again, and may turn out to be done."""
        reply, tries = Reply(), 0
        for _ in range(TRIES):
            seen = await self.client.get(path)
            if seen.status != httpx.codes.OK or seen.answer is None:
                break
            if tries and is_mine(seen.json):
                reply = Reply(seen.answer, tries)
                break
            sent = await self.client.send("PUT", path, json=document, headers={"If-Match": seen.answer.headers["etag"]})
            tries += sent.tries
            reply = Reply(sent.answer, tries)  # a late try finds its ETag stale: it can do nothing any more
            if sent.status != httpx.codes.PRECONDITION_FAILED:
                break
        if reply.status == httpx.codes.PRECONDITION_FAILED:
            reply = Reply(None, tries)
        self.note(what, value, reply)

    async def consent(self) -> None:
        """Be shown the statement, and consent to the bank."""
        shown = await self.client.create("consent/v1/presentations", {"purposes": ["candidate-search"]})
        if shown.fate is Fate.ACKNOWLEDGED:
            body = {"presentation": shown.json["id"], "purpose": "candidate-search", "decision": "consented"}
            self.note("consent", "consented", await self.client.send("POST", "consent/v1/decisions", json=body))

    async def withdraw(self) -> None:
        """Take the consent back."""
        reply = await self.client.send("POST", "consent/v1/decisions/candidate-search/withdrawal")
        self.note("consent", "withdrawn", reply)

    async def start(self) -> None:
        """Be active for a year, for the first time or again."""
        self.ledger.hidden.discard(self.handle)
        reply = await self.client.send("POST", "profiles/v1/me/activation", json={"sixteen_or_older": True})
        if reply.status == httpx.codes.CONFLICT:
            reply = await self.client.send("POST", "profiles/v1/me/reactivation")
        self.note("lifecycle", "running", reply)
        if reply.fate is Fate.ACKNOWLEDGED:
            self.ledger.years[self.who] = reply.json["visible_until"]
            await self.know_handle()

    async def stop(self) -> None:
        """Leave the bank: nobody may see the profile from the answer on."""
        reply = self.note("lifecycle", "stopped", await self.client.send("POST", "profiles/v1/me/deactivation"))
        await self._out_of_sight(reply, self.handle)

    async def anonymise(self) -> None:
        """Be nobody: the handle of before leads nowhere from the answer on."""
        before = self.handle
        reply = self.note("anonymity", "anonymous", await self.client.send("POST", "profiles/v1/me/anonymity"))
        await self._new_handle(reply, before)

    async def undo(self) -> None:
        """Be somebody again, under another handle."""
        before = self.handle
        reply = self.note("anonymity", "open", await self.client.send("DELETE", "profiles/v1/me/anonymity"))
        await self._new_handle(reply, before)

    async def _new_handle(self, reply: Reply, before: str) -> None:
        if reply.fate is not Fate.ACKNOWLEDGED:
            await self.know_handle()
        elif reply.json["handle"] != before:
            self.handle = reply.json["handle"]
            await self._out_of_sight(reply, before)

    async def _out_of_sight(self, reply: Reply, handle: str) -> None:
        if reply.fate is Fate.ACKNOWLEDGED and not reply.late and handle:
            self.ledger.hidden.add(handle)
            if (await self.look(handle)).status == httpx.codes.OK:
                self.ledger.blame(f"{self.who} was seen after an acknowledged write had hidden them")

    async def know_handle(self) -> None:
        """Ask by which handle recruiters know the profile now."""
        seen = await self.client.get("profiles/v1/me/profile/as-recruiter")
        if seen.status == httpx.codes.OK:
            self.handle = seen.json["handle"] or ""

    async def be_seen(self) -> None:
        """Be looked at by a recruiter: each look that was answered is noted, once."""
        if self.handle and self.handle not in self.ledger.hidden:
            reply = await self.look(self.handle)
            if reply.status != httpx.codes.NOT_FOUND or reply.tries > 1:
                self.note("views", "seen", reply, most=reply.tries)

    async def save_search(self) -> None:
        """Save a search that some of the vacancies to come meet."""
        self.done += 1
        group = self.groups[self.done % len(self.groups)]
        reply = await self.client.create("notifications/v1/searches", {"criteria": {"words": group}})
        self.note(f"searches {group}", "there", reply)
        if reply.fate is Fate.ACKNOWLEDGED:
            self.ledger.searches[reply.json["id"]] = Offer(group, now(), self.who)

    async def speak(self, language: str) -> None:
        """Ask for mails in another language."""
        for _ in range(TRIES):
            seen = await self.client.get("identity/v1/me/account")
            if seen.answer is None or seen.status != httpx.codes.OK:
                return
            headers = {"If-Match": seen.answer.headers["etag"]}
            reply = await self.client.send("PATCH", "identity/v1/me/account", json={"language": language}, headers=headers)
            if reply.status != httpx.codes.PRECONDITION_FAILED:
                self.note("language", language, reply)
                return
            self.ledger.write((self.who, "language"), language, Fate.UNSURE)

    async def come_and_go(self) -> None:
        """Sign in elsewhere, and out again: that session is over for good."""
        spare = Client(self.client.http, self.ledger, email=self.client.email)
        session = await spare.sign_in()
        if session is None:
            return
        spare.email = ""  # a refused token is an answer here
        reply = await spare.send("DELETE", "identity/v1/sessions/current")
        if reply.fate is Fate.ACKNOWLEDGED:
            self.ended.append(session.refresh_token)


def word_of(profile: dict[str, Any]) -> str | None:
    """Return the word in the headline that says which version of a profile this is."""
    last = str(profile.get("career", {}).get("headline", "")).split(" ")[-1]
    return last if last.startswith("w") and last[1:].isdigit() else None


def choice_of(visibility: dict[str, Any]) -> str:
    """Return the choice about the field that the load shows and hides."""
    return str(visibility["fields"][TOGGLED])


async def look(recruiter: Client, handle: str) -> Reply:
    """Let a recruiter open a profile."""
    return await recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING)
