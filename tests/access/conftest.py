"""The four services as their composition roots build them, each with a caller in every role and things of every owner.

Two organisations, `same` (for which the callers act) and `other`; of each thing one that the caller owns (`own`), one of the
caller's organisation (`same`), one of somebody else (`other`) and one that is not there (`nobody`).
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from chassis.ids import new_id, random_bytes
from chassis.known import store_signing_key
from chassis.mongo import Mongo, transact
from chassis.resources import connect
from consent import app as consent
from consent.settings import ConsentSettings
from contracts.consent.decision import DecisionEvent
from contracts.identity.organisation import OrganisationEvent
from identity import app as identity
from identity.accounts import store as account_store
from identity.accounts.model import Account, AccountRole, AccountState, Language
from identity.organisations import store as organisation_store
from identity.organisations.model import Member, MemberRole, Organisation, PublicFacts
from identity.sessions.model import Acting, RefreshTokens
from identity.sessions.service import start
from identity.settings import IdentitySettings
from litestar import Litestar
from notifications import app as notifications
from notifications.outward import store as outward_store
from notifications.outward.model import ForgetState
from notifications.settings import NotificationsSettings
from profiles import app as profiles
from profiles.budgets import store as budget_store
from profiles.budgets.model import Freeze, Looks, Scope
from profiles.settings import ProfilesSettings
from pymongo import MongoClient
from testkit.deliveries import arrive, saying
from testkit.keys import Signer, folder_of_keys
from testkit.parts import fresh_name
from testkit.running import serving
from testkit.samples import people, vacancies

ROLES = ("visitor", "candidate", "recruiter", "hiring-manager", "administrator", "system", "privacy-officer", "operator")
STAFF = ("recruiter", "hiring-manager", "administrator")
IN_AN_ORGANISATION = (*STAFF, "system")
SAME, OTHER = "0198c0de-0000-7000-8000-00000000000a", "0198c0de-0000-7000-8000-00000000000b"
STALE = {"If-Match": '"987654"'}
"""For changes that shall be let in and change nothing."""
EVERYWHERE = {"POST /dead-letters/{letter:str}/discard": {"json": {"why": "een reden die lang genoeg is"}}}


@dataclass
class System:
    """One service, and what a test needs to try its routes."""

    service: str
    app: Litestar
    client: httpx.AsyncClient
    signer: Signer
    mongo: Mongo
    subjects: dict[str, str]
    things: dict[tuple[str, str], Any] = field(default_factory=dict)
    """(path parameter, case) -> its value, or its value by the caller's role."""
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`METHOD /path` -> what httpx sends beside the address."""
    private: dict[str, Sequence[str]] = field(default_factory=dict)
    """Subject -> texts that only an answer about this person can hold."""
    current: dict[str, str] = field(default_factory=dict)
    """Role -> the session that signing out ends; everything else is asked in a session of its own."""
    changing: Sequence[str] = ()
    """Collections that are put back after a change."""
    _before: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Where its routes lie."""
        return f"/api/{self.service}/v1"

    async def remember(self) -> None:
        """Keep what changes, to put it back."""
        self._before = {name: await self.mongo.find(name, {}) for name in self.changing}

    async def put_back(self) -> None:
        """Let everything be as it was at first."""
        for name, rows in self._before.items():
            await self.mongo.database[name].delete_many({})
            if rows:
                await self.mongo.database[name].insert_many(rows)

    def headers(self, role: str, session: str | None = None) -> dict[str, str]:
        """The headers of a caller, who is signed in for the organisation `same` where the role has one."""
        if role == "visitor":
            return {}
        claims: dict[str, Any] = {}
        if role in IN_AN_ORGANISATION:
            claims = {"org": SAME, "bank": True}
        if role == "system":
            claims["scopes"] = frozenset({"vacancies:write", "bank:follow"})
        return self.signer.headers(self.subjects[role], role, session=session, **claims)

    def address(self, path: str, case: str, role: str) -> str:
        """The path with its parameters filled in for a case; what is before the last one is there also for `nobody`."""
        named = [part.strip("{}").partition(":")[0] for part in path.split("/") if part.startswith("{")]
        for place, name in enumerate(named):
            wanted = "same" if case == "nobody" and place < len(named) - 1 else case
            value = self.things.get((name, wanted), new_id())
            value = value[role] if isinstance(value, dict) else value
            path = path.replace(f"{{{name}:str}}", value)
        return path if path.startswith(("/health", "/metrics")) else f"{self.prefix}{path}".rstrip("/")

    async def ask(self, method: str, path: str, case: str, role: str, purpose: str = "") -> httpx.Response:
        """Send a request as somebody in this role."""
        sent = dict(
            (EVERYWHERE | self.bodies).get(f"{method} {path}", {"json": {}} if method in {"POST", "PUT", "PATCH"} else {})
        )
        session = self.current.get(role) if path == "/sessions/current" else None
        headers = {**self.headers(role, session), **sent.pop("headers", {})} | ({"Purpose": purpose} if purpose else {})
        answer = await self.client.request(method, self.address(path, case, role), headers=headers, **sent)
        if method not in {"GET", "HEAD"} and answer.is_success:
            await self.put_back()
        return answer


Settings = Callable[..., dict[str, Any]]


@pytest.fixture
def told(mongo_url: str, tmp_path: Path) -> Any:
    """Settings of a service in databases of this test's own."""
    names: list[str] = []

    def settings(**more: Any) -> dict[str, Any]:
        names.extend((fresh_name("t-access"), fresh_name("t-access-keys")))
        return {
            "production": False,
            "clock_file": tmp_path / "clock",
            "mongo_url": mongo_url,
            "mongo_database": names[-2],
            "keyring_url": mongo_url,
            "keyring_database": names[-1],
            "master_keys": folder_of_keys(tmp_path),
            "hash_key": b64encode(random_bytes(32)).decode(),
            **more,
        }

    yield settings
    with MongoClient[dict[str, Any]](mongo_url) as client:
        for name in names:
            client.drop_database(name)


@asynccontextmanager
async def running(service: str, app: Litestar, mongo: Mongo, public_url: str) -> AsyncIterator[System]:
    """Serve an application that knows the callers' signing key."""
    signer = Signer(public_url)

    async def known(uow: Any) -> None:
        store_signing_key(uow, **signer.announcement().model_dump())

    await transact(mongo, known)
    async with serving(app) as client:
        yield System(service, app, client, signer, mongo, {role: new_id() for role in (*ROLES, "somebody")})


async def written(mongo: Mongo, *writes: Callable[[Any], Any]) -> None:
    """Write in one transaction."""

    async def work(uow: Any) -> None:
        for write in writes:
            write(uow)

    await transact(mongo, work)


FACTS = PublicFacts(
    "Werkplaats", "Kade 1", "9711 AA", "Groningen", "NL", "Wij zoeken mensen.", "We look for people.", "FG, 085-0000000"
)
FACTS_BODY = {
    "name": "Werkplaats", "street": "Kade 1", "postal_code": "9711 AA", "place": "Groningen", "country": "NL",
    "data_use": {"nl": "Wij zoeken mensen.", "en": "We look for people."}, "privacy_contact": "FG, 085-0000000",
}  # fmt: skip


@asynccontextmanager
async def identity_system(told: Settings) -> AsyncIterator[System]:
    """Accounts and sessions of all callers, two organisations with members and system clients."""
    settings = IdentitySettings(**told(argon2_memory=8192, argon2_passes=1, answer_floor=timedelta(0), trusted_proxies=1))
    made = identity.parts(settings)
    await made.mongo.ensure_indexes(*identity.INDEXES)
    app = identity.build_api(settings, made=made)
    async with running("identity", app, made.mongo, settings.public_url) as system:
        await _people_of_identity(system, made)
        colleague, stranger = new_id(), new_id()
        ours = [Member(system.subjects[role], (MemberRole(role),)) for role in STAFF]
        both = {SAME: (*ours, Member(colleague, (MemberRole.RECRUITER,))), OTHER: (Member(stranger, (MemberRole.RECRUITER,)),)}
        rows = [Organisation(name, 1, FACTS, True, members=members) for name, members in both.items()]
        await written(made.mongo, *(lambda uow, row=row: organisation_store.add(uow, row) for row in rows))
        system.things |= {
            ("organisation", "same"): SAME,
            ("organisation", "other"): OTHER,
            ("account", "same"): colleague,
            ("account", "other"): stranger,
        }
        for name in (SAME, OTHER):
            body = {"name": "Systeem", "scopes": ["vacancies:write"]}
            path = f"{system.prefix}/organisations/{name}/clients"
            answer = await system.client.post(path, json=body, headers=system.headers("operator"))
            system.things["client", "same" if name == SAME else "other"] = answer.json()["id"]
        system.bodies = {
            "PATCH /me/account": {"json": {"language": "en"}, "headers": STALE},
            "POST /organisations": {"json": {**FACTS_BODY, "bank_access": True}},
            "PATCH /organisations/{organisation:str}": {"json": {"facts": FACTS_BODY}, "headers": STALE},
            "POST /organisations/{organisation:str}/members": {
                "json": {"email": "nieuw@voorbeeld.example", "roles": ["recruiter"]}
            },
            "PUT /organisations/{organisation:str}/members/{account:str}": {
                "json": {"roles": ["recruiter"]},
                "headers": {"If-Match": '"1"'},
            },
            "POST /organisations/{organisation:str}/clients": {"json": {"name": "Systeem", "scopes": ["vacancies:write"]}},
        }
        system.changing = ("organisations", "sessions", "accounts", "clients", "ended_sessions", "outbox")
        await system.remember()
        yield system
    await made.close()


async def _people_of_identity(system: System, made: Any) -> None:
    own_roles = {"candidate", "privacy-officer", "operator"}
    tokens, terms, now = RefreshTokens(made.resources.hash_key), made.session_terms, made.clock.machine()
    for role in (*ROLES[1:], "somebody"):
        if role == "system":
            continue
        subject, email = system.subjects[role], f"kanarie-{role}@voorbeeld.example"
        account = Account(
            id=subject,
            sequence=1,
            state=AccountState.CONFIRMED,
            language=Language.NL,
            roles=(AccountRole(role),) if role in own_roles else (),
            confirmed_on=made.clock.today(),
            address_hash=made.addresses.hash(email),
            address=await made.addresses.seal(subject, email),
            password="$argon2id$",  # nobody signs in here
        )
        sessions: list[str] = []

        def write(uow: Any, account: Account = account, role: str = role, sessions: list[str] = sessions) -> None:
            account_store.add_account(uow, account)
            for _ in range(2):
                begun = start(uow, account=account.id, acting=Acting(role), amr=("pwd",), tokens=tokens, terms=terms, now=now)
                sessions.append(begun.session.id)

        await written(made.mongo, write)
        system.things.setdefault(("session", "own"), {})[role], system.current[role] = sessions[-2:]
        system.private[subject] = [email, *sessions[-2:]]
    own = system.things["session", "own"]
    system.things["session", "other"] = own.pop("somebody")
    own |= {"visitor": new_id(), "system": new_id()}


@asynccontextmanager
async def profiles_system(told: Settings) -> AsyncIterator[System]:
    """Somebody in the bank, two organisations with vacancies and freezes, as the events of the others tell them."""
    settings = ProfilesSettings(**told(kafka_session=timedelta(seconds=6)))
    made = profiles.parts(settings)
    await made.mongo.ensure_indexes(*profiles.INDEXES)
    app = profiles.build_api(settings, made=made)
    async with running("profiles", app, made.mongo, settings.public_url) as system:
        consumer = profiles.consumer_of(made)
        for name in (SAME, OTHER):
            subjects = {role: system.subjects[role] if name == SAME else new_id() for role in STAFF}
            listed = [{"account": account, "roles": (role,)} for role, account in subjects.items()]
            facts = {"organisation": name, "name": "Waterlinie Werk", "state": "active", "bank_access": True, "members": listed}
            await arrive(consumer, [[saying(OrganisationEvent.model_validate(facts), 1)]])
            case = "same" if name == SAME else "other"
            system.things["vacancy", case] = await _vacancy(system, name, subjects["recruiter"], made.clock.today())
            system.things["freeze", case] = await _frozen(made.mongo, made.clock, Scope.RECRUITER, subjects["recruiter"], name)
        system.things["freeze", "organisation"] = await _frozen(made.mongo, made.clock, Scope.ORGANISATION, SAME, SAME)
        at = {str(number): made.clock.machine() for number in range(DecisionEvent.topic.partitions)}
        await made.mongo.database["freshness"].insert_one({"_id": DecisionEvent.topic.name, "at": at})
        system.things["handle", "other"] = await _in_the_bank(system, consumer, made.clock.today())
        vacancy = next(one.posting for one in vacancies(made.clock.today()) if one.matches_search)
        system.bodies = {
            "POST /vacancies": {"json": vacancy},
            "PUT /vacancies/{vacancy:str}": {"json": vacancy, "headers": STALE},
            "POST /bank/freezes/{freeze:str}/abuse": {"json": {"reason": "de profielen staan te koop"}},
            "POST /bank/freezes/{freeze:str}/lifting": {"json": {"reason": "een teller die te laag stond"}},
            "PUT /me/profile": {"json": {}, "headers": STALE},
            "PATCH /me/profile": {"json": {}, "headers": STALE},
            "PUT /me/visibility": {"json": {"fields": {}}, "headers": STALE},
        }
        system.changing = ("vacancies", "view_freezes", "profiles", "outbox")
        await system.remember()
        yield system
    await made.close()


async def _vacancy(system: System, org: str, recruiter: str, today: Any) -> str:
    body = next(one.posting for one in vacancies(today) if one.matches_search)
    headers = system.signer.headers(recruiter, "recruiter", org=org)
    answer = await system.client.post(f"{system.prefix}/vacancies", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _frozen(mongo: Mongo, clock: Any, scope: Scope, owner: str, org: str) -> str:
    name, now = new_id(), clock.machine()
    freeze = Freeze(
        id=name, scope=scope, owner=owner, organisation=org, day=clock.today(), began=now, since=now, looks=Looks(), views=100
    )
    await written(mongo, lambda uow: budget_store.keep_freeze(uow, freeze))
    return name


async def _in_the_bank(system: System, consumer: Any, today: Any) -> str:
    """Let somebody show everything of a profile to the bank, and return the handle."""
    fenna, subject = people()[0], system.subjects["somebody"]
    headers = system.signer.headers(subject, "candidate")

    async def send(method: str, path: str, body: Any = None, **more: str) -> httpx.Response:
        answer = await system.client.request(method, f"{system.prefix}{path}", json=body, headers={**headers, **more})
        assert answer.is_success, answer.text
        return answer

    decided = {"subject": subject, "state": "consented", "purpose": "candidate-search", "controller": "portal"}
    decision = {**decided, "decided_on": today, "statement_version": "2026-01", "language": "nl"}
    await arrive(consumer, [[saying(DecisionEvent.model_validate(decision), 1)]])
    tag = (await send("GET", "/me/profile")).headers["ETag"]
    await send("PUT", "/me/profile", fenna.profile, **{"If-Match": tag})
    tag = (await send("GET", "/me/visibility")).headers["ETag"]
    shown = dict.fromkeys(("identity.given_name", "career.skills", "career.summary", "wishes.titles"), "shown")
    await send("PUT", "/me/visibility", {"fields": shown}, **{"If-Match": tag})
    await send("POST", "/me/activation", {"sixteen_or_older": True})
    system.private[subject] = [*fenna.traces(), fenna.profile["career"]["summary"]]
    return str((await send("GET", "/me/profile/as-recruiter")).json()["handle"])


@asynccontextmanager
async def consent_system(told: Settings) -> AsyncIterator[System]:
    """Somebody who was shown the statement, and the caller who was."""
    settings = ConsentSettings(**told(operator="Operator of the tests"))
    made = connect(settings)
    await made.mongo.ensure_indexes(*consent.INDEXES)
    app = consent.build_api(settings, made=made)
    async with running("consent", app, made.mongo, settings.public_url) as system:
        body = {"json": {"purposes": ["candidate-search"]}}
        for case, who in (("own", "candidate"), ("other", "somebody")):
            headers = system.signer.headers(system.subjects[who], "candidate")
            answer = await system.client.post(f"{system.prefix}/presentations", headers=headers, **body)
            system.things["presentation", case] = answer.json()["id"]
        system.private[system.subjects["somebody"]] = [system.things["presentation", "other"]]
        system.things["version", "there"] = (await system.client.get(f"{system.prefix}/statements")).json()["items"][0]["version"]
        system.things["consented_to", "own"] = "candidate-search"
        system.bodies = {"POST /presentations": body}
        yield system
    await made.close()


def _asked_to_forget(clock: Any, org: str, handle: str) -> Callable[[Any], Any]:
    asked = {"asked_at": clock.now(), "next_at": None, "up_to": 1, "reminders": 0, "late": True, "state": ForgetState.OPEN}
    row = {"_id": f"{org}:{handle}", "organisation": org, "handle": handle, "sequence": 1, **asked}
    return lambda uow: uow.insert(outward_store.FORGETS, row)


@asynccontextmanager
async def notifications_system(told: Settings) -> AsyncIterator[System]:
    """A saved search of the caller and one of somebody else."""
    settings = NotificationsSettings(**told())
    made = connect(settings)
    await made.mongo.ensure_indexes(*notifications.INDEXES)
    app = notifications.build_api(settings, made=made)
    async with running("notifications", app, made.mongo, settings.public_url) as system:
        for case, who in (("own", "candidate"), ("other", "somebody")):
            body = {"criteria": {"words": f"kanarie {who}"}}
            headers = system.signer.headers(system.subjects[who], "candidate")
            answer = await system.client.post(f"{system.prefix}/searches", json=body, headers=headers)
            system.things["search_id", case] = answer.json()["id"]
            system.private[system.subjects[who]] = [f"kanarie {who}", answer.json()["id"]]
        for case, org in (("same", SAME), ("other", OTHER)):
            system.things["organisation", case], system.things["handle", case] = org, f"handle-{case}"
            await written(made.mongo, _asked_to_forget(made.clock, org, f"handle-{case}"))
        criteria = {"criteria": {"words": "houtbouw"}, "frequency": "immediate"}
        system.bodies = {
            "POST /searches": {"json": criteria},
            "POST /searches/preview": {"json": {"criteria": {"words": "houtbouw"}}},
            "PUT /searches/{search_id:str}": {"json": {**criteria, "active": True}, "headers": STALE},
            "DELETE /searches/{search_id:str}": {"headers": STALE},
        }
        system.changing = ("searches", "forgets", "outbox")
        await system.remember()
        yield system
    await made.close()


SYSTEMS = {
    "identity": identity_system,
    "profiles": profiles_system,
    "consent": consent_system,
    "notifications": notifications_system,
}


@pytest.fixture
async def system(request: pytest.FixtureRequest, told: Settings) -> AsyncIterator[System]:
    """The service that a test's parameter names."""
    async with SYSTEMS[request.param](told) as found:
        yield found
