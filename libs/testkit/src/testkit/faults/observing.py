"""Waits until nothing moves any more, and then looks at everything: APIs, databases, topics, mails, logs, processes."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from aiokafka.errors import KafkaError
from contracts.topics import TOPICS
from pymongo.errors import PyMongoError

from testkit.faults import stored, tail
from testkit.faults.candidates import PROFILE, STATES, VISIBILITY, CandidateAtWork, choice_of, word_of
from testkit.faults.client import Client
from testkit.faults.companies import VACANCIES
from testkit.faults.followers import Follower
from testkit.faults.gone import left_of
from testkit.faults.ledger import Ledger, now
from testkit.faults.load import Load
from testkit.faults.site import Site
from testkit.faults.stored import Stored
from testkit.faults.tail import Tail
from testkit.faults.world import Copy, Life, Seen, World
from testkit.logbook import Logbook

A_TURN = 6.0
"""Seconds: longer than the pause of the jobs that others give work to."""
FOLLOWERS = {topic.name: topic.followed_by for topic in TOPICS}


@dataclass
class Observer:
    """Looks at one site, round by round."""

    site: Site
    followers: Sequence[Follower] = ()
    tail: Tail = field(init=False)
    stored: Stored = field(init=False)
    logbook: Logbook = field(init=False)
    highest: int = 0
    _posted: int = 0

    def __post_init__(self) -> None:
        """Take the site's addresses."""
        self.tail = Tail(self.site.stack.kafka, [one.topic for one in self.followers])
        self.stored = Stored(self.site.stack.mongo_url(), self.site.stack.clock)
        self.logbook = Logbook(self.site.instance)

    def close(self) -> None:
        """End the connection to the databases."""
        self.stored.close()

    async def begin(self, ledger: Ledger) -> None:
        """Note where everything is before a round."""
        self.highest = 0
        for follower in self.followers:
            follower.begin(ledger)
        await self.tail.begin()
        await asyncio.to_thread(self.stored.begin)
        self._posted = len(self.site.posted())  # after the queue: what had ended there had been posted
        self.logbook.new_lines()

    async def watch_outboxes(self) -> None:
        """Note how high the outboxes grow, until cancelled."""
        while True:
            with suppress(PyMongoError):  # while the database is away nothing grows
                self.highest = max(self.highest, *(await asyncio.to_thread(self.stored.outbox)).values())
            await asyncio.sleep(1)

    async def quiet(self, patience: float) -> bool:
        """Wait until all that was set in motion has come to its end; tell whether it has."""
        deadline = now() + patience
        while now() < deadline:
            with suppress(KafkaError, PyMongoError, OSError):  # a part may still be on its way back
                if not await self._moving():
                    return True
            await asyncio.sleep(0.3)
        return False

    async def _moving(self) -> bool:
        """Whether anything still has to happen, the cheap questions first."""
        if await self.unready():
            return True
        if any((await asyncio.to_thread(self.stored.outbox)).values()) or await asyncio.to_thread(self._waiting):
            return True
        await self.tail.read()
        at = await tail.committed(self.tail.kafka, stored.SERVICES)
        if self.tail.behind(FOLLOWERS, at) or not all(one.at_rest(self.tail.ends) for one in self.followers):
            return True
        return await asyncio.to_thread(self._waiting) or any((await asyncio.to_thread(self.stored.outbox)).values())

    def _waiting(self) -> bool:
        return any(self.stored.due().values()) or any(mail.state == "queued" for mail in self.stored.queue())

    async def unready(self) -> dict[str, str]:
        """Which processes do not run, or are not ready."""
        states = {name: str(state["statename"]) for name, state in (await self.site.states()).items()}
        found = {name: state for name, state in states.items() if state != "RUNNING"}
        own = [name for name in self.site.processes if name not in found]
        ready = await asyncio.gather(*(self.site.ready(name) for name in own))
        return found | {name: "not ready" for name, is_ready in zip(own, ready, strict=True) if not is_ready}

    async def look(self, load: Load) -> World:
        """Look at everything."""
        world = World(load.cast.today, highest_outbox=self.highest, followers=FOLLOWERS)
        world.gapless = stored.GAPLESS | {one.topic for one in self.followers}
        await asyncio.gather(*(_ask(one, world) for one in load.candidates), _ask_company(load, world))
        world.leavers = {leaver.who: leaver.handle for leaver in load.leavers if leaver.who in load.ledger.gone}
        for who, handle in world.leavers.items():
            if (await load.company.look(handle)).status != httpx.codes.NOT_FOUND:
                world.opened.add(who)
        for newcomer in load.newcomers:
            world.answers[newcomer.email, "account"] = Seen("confirmed" if await newcomer.has_account() else None)
        await self.tail.read()
        world.away = list(self.site.away)
        world.poisoned, world.ends = frozenset(self.site.poisoned), dict(self.tail.ends)
        world.facts = [fact for fact in self.tail.facts if fact.position not in world.poisoned]
        world.committed = await tail.committed(self.tail.kafka, stored.SERVICES)
        world.unready = await self.unready()
        await asyncio.to_thread(self._look_inside, world)
        world.requests = await asyncio.to_thread(self.stored.requests, load.ledger.gone)
        world.left = {who: await asyncio.to_thread(left_of, self.stored.client, who) for who in load.ledger.gone}
        posted = self.site.posted()
        world.copies = [
            Copy(one.message_id, one.to, one.heard, number < self._posted) for number, one in enumerate(posted) if one.taken
        ]
        world.personal = [line for line in self.logbook.new_lines() if _personal(line, load)]
        await self._look_outside(load, world)
        return world

    async def _look_outside(self, load: Load, world: World) -> None:
        """Look at what systems outside were told; whose a handle is, no record says."""
        world.outside = list(await asyncio.gather(*(one.look(self.stored) for one in self.followers)))
        people = {one.who for one in load.candidates} | {one.who for one in load.leavers}
        said = {word.raw for one in world.outside for word in one.words}
        world.too_much = [raw for raw in said if _personal(raw, load) or any(who in raw for who in people)]

    def _look_inside(self, world: World) -> None:
        keys: dict[str, set[str]] = defaultdict(set)
        for fact in world.facts:
            keys[fact.topic].add(fact.key)
        keys["profiles.profile.v1"] |= world.lives.keys()
        world.outbox, world.set_aside = self.stored.outbox(), self.stored.set_aside()
        world.inbox, world.aggregates = self.stored.inbox(keys), self.stored.sequences(keys)
        world.due, world.queue = self._left_undone(), self.stored.queue()
        world.in_bank = self.stored.in_bank()
        found = set(world.in_bank.values())
        world.lives = {who: _with(life, who in found) for who, life in world.lives.items()}

    def _left_undone(self) -> dict[str, int]:
        """What jobs have to do and do not: a job may just have given work to another one, which has its turn within seconds."""
        deadline = now() + A_TURN
        while any((due := self.stored.due()).values()) and now() < deadline:
            time.sleep(0.3)
        return due


def _with(life: Life, found: bool) -> Life:
    return Life(life.state, life.reason, life.answer_before, life.in_bank, life.opened, found)


def _personal(line: str, load: Load) -> bool:
    cast = load.cast
    return cast.mark in line.lower() or cast.phones in line or cast.postal_code in line


async def _ask(one: CandidateAtWork, world: World) -> None:
    """Ask the APIs for everything about a candidate."""
    who, client = one.who, one.client
    profile, visibility, life, seen = [
        await client.get(path) for path in (PROFILE, VISIBILITY, "profiles/v1/me/lifecycle", f"{PROFILE}/as-recruiter")
    ]
    answers = world.answers
    answers[who, "profile"] = Seen(word_of(profile.json), _version(profile.answer))
    answers[who, "visibility"] = Seen(choice_of(visibility.json), _version(visibility.answer))
    answers[who, "anonymity"] = Seen(life.json["anonymity"])
    answers[who, "lifecycle"] = Seen(STATES[life.json["state"]])
    opened = await one.look(seen.json["handle"]) if seen.json["handle"] else None
    world.lives[who] = Life(
        life.json["state"],
        life.json["reason"],
        life.json["answer_before"],
        life.json["in_bank"],
        opened is not None and opened.status == httpx.codes.OK,
    )
    if opened is not None and opened.status == httpx.codes.OK:
        one.note("views", "seen", opened, most=opened.tries)
    views = (await client.get("profiles/v1/me/views", params={"limit": "100"})).json["items"]
    answers[who, "views"] = Seen("seen" if views else None, sum(view["kind"] == "view" for view in views))
    await _ask_others(one, answers)
    world.ended[who] = sum([await _works(client, token) for token in one.ended])


async def _ask_others(one: CandidateAtWork, answers: dict[tuple[str, str], Seen]) -> None:
    who, client = one.who, one.client
    steps = (await client.get("consent/v1/decisions/history")).json["items"]
    bank = [step["state"] for step in steps if step["purpose"] == "candidate-search" and step["state"] != "shown"]
    answers[who, "consent"] = Seen(bank[-1] if bank else None, len(bank), exact=False)
    answers[who, "language"] = Seen((await client.get("identity/v1/me/account")).json["language"])
    searches = (await client.get("notifications/v1/searches", params={"limit": "100"})).json["items"]
    for group in one.groups:
        count = sum(search["criteria"]["words"] == group for search in searches)
        answers[who, f"searches {group}"] = Seen("there" if count else None, count)


async def _ask_company(load: Load, world: World) -> None:
    company = load.company
    listed = (await company.system.get(VACANCIES, params={"limit": "100"})).json["items"]
    claimed = [thing for thing in load.ledger.claims() if thing[0] == company.organisation.id]
    for who, what in claimed:
        same = [one["state"] for one in listed if f"vacancy {one['title']}" == what]
        world.answers[who, what] = Seen(same[0] if same else None, len(same))


async def _works(client: Client, refresh_token: str) -> bool:
    stranger = Client(client.http, client.ledger)
    reply = await stranger.send("POST", "identity/v1/sessions/refresh", json={"refresh_token": refresh_token})
    return reply.status == httpx.codes.OK


def _version(answer: httpx.Response | None) -> int | None:
    return int(answer.headers["etag"].strip('"')) if answer is not None and "etag" in answer.headers else None
