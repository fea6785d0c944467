"""Shows that the suite fails without what it proves: each mechanism is taken away, and a short directed play must be found out.

A play drives the processes to the one moment that the mechanism is for. With the mechanism in place nothing may be found.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from chassis.ids import new_id
from pymongo import MongoClient

from testkit.faults.between import asked
from testkit.faults.candidates import CandidateAtWork
from testkit.faults.checker import Finding, Kind
from testkit.faults.companies import VACANCIES
from testkit.faults.database import alone, primary
from testkit.faults.fault import seeded
from testkit.faults.leavers import Leaver
from testkit.faults.ledger import Fate, Ledger, now
from testkit.faults.load import TIME_OUT, Load
from testkit.faults.postoffice import Mood
from testkit.faults.process import Reins
from testkit.faults.rounds import Rounds, patiently
from testkit.faults.second import second_worker
from testkit.faults.site import Site
from testkit.probe import read_topic, send_raw
from testkit.waiting import eventually

Play = Callable[[Site, Load], Awaitable[None]]
DECISIONS, REQUESTS = "consent.decision.v1", "identity.mail-request.v1"


@dataclass(frozen=True)
class Mutation:
    """A mechanism, the process from which it is taken, the play that needs it, and what must be found without it."""

    mechanism: str
    process: str
    play: Play
    kind: Kind


class Directed(Rounds):
    """Plays without chance."""

    async def directed(self, *plays: Play) -> list[Finding]:
        """Let plays take place one after another, and return what the checker finds."""
        ledger = Ledger()
        await self.observer.begin(ledger)
        async with httpx.AsyncClient(base_url=self.site.stack.gateway, trust_env=False, timeout=TIME_OUT) as http:
            load = await patiently(lambda: self._load(http, ledger, seeded("directed")))
            for play in plays:
                await play(self.site, load)
            found = await self._judge(load, [])
            await load.end()
            return found

    @asynccontextmanager
    async def without(self, mutation: Mutation) -> AsyncIterator[None]:
        """Take a mechanism from a process for a while."""
        reins = Reins(self.site.instance, mutation.process)
        reins.tell("without", mutation.mechanism)
        try:
            await self.site.restart(mutation.process)
            yield
        finally:
            reins.tell("without")
            await self.site.restart(mutation.process)


async def old_news_wakes_up(site: Site, load: Load) -> None:
    """A worker sleeps with an event in its hands; meanwhile another one applies it and the next; then the first one wakes."""
    one = load.candidates[0]
    await one.withdraw()
    await eventually(lambda: _applied(site, one), timeout=30)
    async with _asleep(site, "before-apply", f"{one.who}:", one.consent):
        await eventually(lambda: _applied(site, one), timeout=30)
        await one.withdraw()
        await eventually(lambda: _applied(site, one), timeout=30)


async def an_old_row_is_published(site: Site, load: Load) -> None:
    """A relay sleeps with a row in its hands; meanwhile another one publishes it and the next; then the first one wakes."""
    one = load.candidates[0]
    await eventually(lambda: _published(site, one), timeout=30)
    async with _asleep(site, "before-publish", one.who, one.change_profile):
        await eventually(lambda: _published(site, one), timeout=30)
        await one.change_profile()
        await eventually(lambda: _published(site, one), timeout=30)


@asynccontextmanager
async def _asleep(site: Site, point: str, key: str, act: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Let the worker of profiles sleep at a point, where an act brings it, beside a second one; wake it in the end."""
    reins = Reins(site.instance, "profiles-worker")
    reins.hold(point, key)
    await act()
    await eventually(lambda: reins.holds(point), timeout=30)
    pid = await site.signal("profiles-worker", signal.SIGSTOP)
    try:
        async with second_worker(site, "profiles"):
            yield
            reins.release(point)
            site.send(pid, signal.SIGCONT)
            await eventually(lambda: not reins.holds(point), timeout=30)
            await asyncio.sleep(1)  # what it holds is done or refused before the second one leaves
    finally:
        reins.release(point)
        site.send(pid, signal.SIGCONT)


async def the_relay_dies(site: Site, load: Load) -> None:
    """A worker dies between the two steps of its relay."""
    reins = Reins(site.instance, "profiles-worker")
    reins.arm("before-publish")
    await load.candidates[1].change_profile()
    await eventually(lambda: not reins.armed("before-publish"), timeout=30)


async def the_primary_is_alone(site: Site, load: Load) -> None:
    """A primary that sees nobody any more still answers, until it notices."""
    one = load.candidates[2]
    async with alone(site, await primary(site)):
        end = now() + 2.5
        while now() < end:
            await one.change_profile()


async def a_mail_is_asked_for_again(site: Site, load: Load) -> None:
    """A service asks once more, by an event of its own, for a mail that went: as one does whose database was put back."""
    asked = (await read_topic(site.stack.kafka, REQUESTS))[-1]
    await eventually(lambda: _sent(site, (asked.key or b"").decode()), timeout=30)
    another = {"ce_id": new_id().encode(), "ce_sequence": b"2"}
    headers = [(name, another.get(name, value)) for name, value in asked.headers]
    await send_raw(site.stack.kafka, REQUESTS, asked.key, asked.value, headers)


async def a_vacancy_is_changed(site: Site, load: Load) -> None:
    """A vacancy that fits two searches of one person, who was told of it, is changed."""
    for _ in range(2):
        vacancy = await _offer(load)
    await eventually(lambda: _sent(site, f":{vacancy}"), timeout=30)
    seen = await load.company.system.get(f"{VACANCIES}/{vacancy}")
    posting = {**load.company.posting(load.company.titles[vacancy]), "description": "Nu met een fiets van de zaak."}
    headers = {"If-Match": seen.answer.headers["etag"] if seen.answer else "*"}
    reply = await load.company.system.send("PUT", f"{VACANCIES}/{vacancy}", json=posting, headers=headers)
    if reply.fate is not Fate.ACKNOWLEDGED:
        raise AssertionError(f"the play did not come about: {reply.status}")


async def the_sender_dies(site: Site, load: Load) -> None:
    """A worker dies when the mail server has an alert and has not said so yet."""
    await eventually(lambda: _nothing_waits(site), timeout=60)  # or another mail would be the one that hangs
    async with asked(site.instance, Mood("hang")):
        known = len(site.posted())
        await _offer(load)
        await eventually(lambda: any(one.taken and not one.heard for one in site.posted()[known:]), timeout=30)
        await site.signal("notifications-worker", signal.SIGKILL)
    await eventually(lambda: site.ready("notifications-worker"), timeout=60)


async def somebody_leaves(site: Site, load: Load) -> None:
    """Systems outside hear of somebody, who then deletes their account."""
    leaver = Leaver(load.cast, load.ledger, load.http, load.company.look, load.company.groups)
    load.leavers.append(leaver)
    await leaver.begin()
    await eventually(lambda: _told_outside(site, leaver), timeout=30)
    await leaver.leave(seeded("leaver"))


async def _offer(load: Load) -> str:
    """Let somebody save a search that a vacancy then fits; returns the vacancy."""
    one, before = load.candidates[0], set(load.company.titles)
    for _ in load.company.groups:
        await one.save_search()
    await load.company.publish()
    return next(iter(set(load.company.titles) - before))


async def _sent(site: Site, cause: str) -> bool:
    """Whether a mail whose cause ends like this has gone."""
    return await asyncio.to_thread(_mails, site, {"_id": {"$regex": f"{cause}$"}, "state": "accepted"}) > 0


async def _nothing_waits(site: Site) -> bool:
    """Whether no mail waits to be sent."""
    return await asyncio.to_thread(_mails, site, {"state": "queued"}) == 0


def _mails(site: Site, where: dict[str, object]) -> int:
    with MongoClient[dict[str, object]](site.stack.mongo_url()) as client:
        return client["notifications"]["mails"].count_documents(where)


async def _told_outside(site: Site, leaver: Leaver) -> bool:
    """Whether systems outside have been told of somebody."""

    def look() -> bool:
        with MongoClient[dict[str, int]](site.stack.mongo_url(), readConcernLevel="majority") as client:
            return client["notifications"]["outward_handles"].count_documents({"_id": leaver.handle}) > 0

    return await asyncio.to_thread(look)


async def _applied(site: Site, one: CandidateAtWork) -> bool:
    """Whether profiles has applied the last decision of somebody."""

    def look() -> bool:
        with MongoClient[dict[str, int]](site.stack.mongo_url(), readConcernLevel="majority") as client:
            said = client["consent"]["decisions"].find_one({"_id": {"$regex": f"^{one.who}:candidate-search"}}) or {}
            row = client["profiles"]["inbox"].find_one({"_id": f"{DECISIONS}|{said.get('_id')}"}) or {}
            return bool(row) and row["sequence"] == said["sequence"]

    return await asyncio.to_thread(look)


async def _published(site: Site, one: CandidateAtWork) -> bool:
    """Whether nothing of somebody waits in the outbox of profiles."""

    def look() -> bool:
        with MongoClient[dict[str, int]](site.stack.mongo_url(), readConcernLevel="majority") as client:
            return client["profiles"]["outbox"].count_documents({"key": one.who}) == 0

    return await asyncio.to_thread(look)


MUTATIONS = (
    Mutation("sequence-check", "profiles-worker", old_news_wakes_up, Kind.VISIBLE),
    Mutation("fencing", "profiles-worker", an_old_row_is_published, Kind.BACKWARDS),
    Mutation("outbox-order", "profiles-worker", the_relay_dies, Kind.LOST),
    Mutation("majority", "profiles-api", the_primary_is_alone, Kind.LOST),
    Mutation("cause-key", "notifications-worker", a_mail_is_asked_for_again, Kind.MAIL_TWICE),
    Mutation("told-once", "notifications-worker", a_vacancy_is_changed, Kind.MAIL_TWICE),
    Mutation("mark", "notifications-worker", the_sender_dies, Kind.MAIL_TWICE),
    Mutation("gone", "notifications-worker", somebody_leaves, Kind.HELD),
)
