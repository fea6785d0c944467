"""As many people as wanted in the databases of all services, of whom always the same number are rare in every way.

Whoever is rare is what the questions of `growth` find, so that the number of results stays when the crowd grows.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from chassis.ids import new_id
from chassis.mongo import Mongo
from consent.decisions import store as decisions
from identity.app import INDEXES as IDENTITY
from notifications.app import INDEXES as NOTIFICATIONS
from profiles.app import INDEXES as PROFILES
from profiles.bank.model import skill_hash, words_of
from profiles.settings import ProfilesSettings
from pymongo import WriteConcern

from testkit.bench.bank import filled
from testkit.bench.ground import Ground
from testkit.bench.processes import variables

INDEXES = (*PROFILES, decisions.INDEXES, *IDENTITY, *NOTIFICATIONS)
RARE = 20
"""How many of the crowd are rare, whatever its size."""
KEY = b"bench"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(days=100), NOW + timedelta(days=100)
RARE_WORD, RARE_SKILL = "zeldzaamheid", "Zeldzaamheidskunde"
TERSCHELLING, UTRECHT = [5.35, 53.4], [5.12, 52.09]
Document = dict[str, Any]
BATCH = 5_000


async def fill(ground: Ground, mongo: Mongo, people: int) -> None:
    """Put so many people in."""
    settings = ProfilesSettings(**variables(ground, mongo.database.name, 0))  # type: ignore[arg-type]  # pydantic reads texts
    async with filled(settings, with_people=1):
        profile, entry = [await mongo.find_one(name, {}) or {} for name in ("profiles", "bank")]
    for name in await mongo.database.list_collection_names():
        await mongo.database.drop_collection(name)
    makers: dict[str, Callable[[int, bool], Document]] = {
        "profiles": lambda number, rare: _profile(profile, number, rare=rare),
        "bank": lambda number, rare: _entry(entry, number, rare=rare),
        **_OTHERS,
    }
    database = mongo.database.with_options(write_concern=WriteConcern(1))
    for name, make in makers.items():
        rows = (make(number, rare) for number, rare in _crowd(people))
        while batch := list(islice(rows, BATCH)):
            await database[name].insert_many(batch, ordered=False)


def subject_of(number: int) -> str:
    """Return a person's id; the first one has rows of which others have one."""
    return f"person-{number:06}"


def _crowd(people: int) -> Iterator[tuple[int, bool]]:
    every = people // RARE
    return ((number, number % every == 0) for number in range(people))


def _handle(number: int) -> str:
    return f"{number * 7919 % 1_000_000:06}{number:06}"  # in another order than the ids, as chance would make them


def _owner(number: int, *, rare: bool) -> str:
    """The rare rows are all the first person's."""
    return subject_of(0 if rare else number)


def _profile(like: Document, number: int, *, rare: bool) -> Document:
    return {**like, "_id": subject_of(number), "handle": _handle(number), "due_on": (PAST if rare else FUTURE).date().isoformat()}


_COMMON_ENTRY = {
    "level": 4, "languages": [{"code": "nl", "level": 6}], "licences": ["B"], "contract_types": ["permanent"], "remote": False,
    "salary_from": 3000, "hours_from": 32, "hours_to": 40, "available_from": FUTURE.date().isoformat(),
    "towns": [{"at": {"type": "Point", "coordinates": UTRECHT}}], "provinces": ["NL-UT"], "only_provinces": [],
}  # fmt: skip
_RARE_ENTRY = {
    "level": 8, "languages": [{"code": "fy", "level": 6}], "licences": ["CE"], "contract_types": ["volunteer"], "remote": True,
    "salary_from": 1000, "hours_from": 8, "hours_to": 12, "available_from": PAST.date().isoformat(),
    "towns": [{"at": {"type": "Point", "coordinates": TERSCHELLING}}], "provinces": ["NL-FR"], "only_provinces": [],
}  # fmt: skip


def _entry(like: Document, number: int, *, rare: bool) -> Document:
    words, skills = list(like["words"]), list(like["skills"])
    if rare:
        words += words_of(KEY, [RARE_WORD])
        skills += [{"name": skill_hash(KEY, RARE_SKILL), "level": 4}]
    places = _RARE_ENTRY if rare else _COMMON_ENTRY
    return {**like, **places, "_id": subject_of(number), "handle": _handle(number), "words": words, "skills": skills}


def _access(number: int, rare: bool) -> Document:
    shown = [{"subject": _owner(number, rare=rare), "box": bytes(240)}]
    who = {"account": "recruiter", "organisation": "o", "organisation_name": "Waterlinie Werk", "purpose": "candidate-search"}
    return {"_id": new_id(), "at": NOW, "kind": "view", **who, "shown": shown, "block": 1 + number // 100}


def _vacancy(number: int, rare: bool) -> Document:
    facts = {"title": "Werkvoorbereider", "description": "Werk.", "remote": False, "skills": [], "contract_types": []}
    unsaid = dict.fromkeys(("place", "valid_through", "level", "hours", "salary", "url", "reference"))
    return {
        "_id": new_id(),
        "sequence": 1,
        "organisation": "rare" if rare else f"organisation-{number // 50}",
        "state": "open",
        "published_on": "2026-03-01",
        "closed_on": None,
        "facts": {**facts, **unsaid},
    }


def _decision(number: int, rare: bool) -> Document:
    shown = {"presentation": new_id(), "version": "2026-01", "language": "nl", "sha256": "0" * 64}
    owner, purpose = _owner(number, rare=rare), f"purpose-{number}" if rare else "candidate-search"
    decided = {"state": "consented", "shown": shown, "decided_on": "2026-03-01", "sequence": 1}
    return {
        "_id": f"{owner}:{purpose}:portal", "key": f"{owner}:{purpose}:portal", "subject": owner, "purpose": purpose,
        "controller": "portal", **decided,
    }  # fmt: skip


def _account(number: int, _rare: bool) -> Document:
    return {
        "_id": subject_of(number),
        "sequence": 1,
        "state": "confirmed",
        "language": "nl",
        "roles": ["candidate"],
        "confirmed_on": "2026-03-01",
        "address_hash": f"hash-{number}",
        "address": bytes(60),
        "password": "$argon2id$" + "x" * 80,
    }


def _registration(number: int, rare: bool) -> Document:
    return {
        "_id": new_id(), "account": subject_of(number), "language": "nl", "address_hash": f"hash-{number}",
        "secret_hash": f"secret-{number}", "made_at": PAST, "valid_until": PAST, "erase_at": PAST if rare else FUTURE,
        "state": "open", "address": bytes(60), "password": "$argon2id$" + "x" * 80,
    }  # fmt: skip


def _invitation(number: int, rare: bool) -> Document:
    row = _registration(number, rare)
    del row["made_at"], row["password"]
    return {**row, "organisation": f"organisation-{number // 50}", "roles": ["recruiter"], "invited_by": "somebody"}


def _client(number: int, rare: bool) -> Document:
    return {
        "_id": new_id(), "sequence": 1, "organisation": "rare" if rare else f"organisation-{number // 50}", "name": "Systeem",
        "scopes": ["vacancies:write"], "secret_hash": "x" * 43, "made_at": NOW, "made_by": "somebody", "revoked_at": None,
    }  # fmt: skip


_FACTS = dict.fromkeys(
    ("name", "street", "postal_code", "place", "country", "data_use_nl", "data_use_en", "privacy_contact"), "Waterlinie Werk"
)


def _organisation(number: int, rare: bool) -> Document:
    members = [{"account": subject_of(0 if rare else number), "roles": ["recruiter"]}]
    state = "active" if rare else "suspended"
    return {"_id": new_id(), "sequence": 1, "facts": _FACTS, "bank_access": True, "state": state, "members": members}


def _session(number: int, rare: bool) -> Document:
    ended = rare and number > 0
    return {
        "_id": new_id(), "sequence": 1, "account": subject_of(number), "role": "candidate", "organisation": None, "amr": ["pwd"],
        "started_at": NOW, "used_at": NOW, "over_at": FUTURE, "token_hash": "x" * 43, "previous_hash": "", "nonce": "",
        "rotated_at": None, "ended_at": PAST if rare else None, "end_reason": "signed-out" if rare else None,
    } | ({"account": subject_of(1)} if ended else {})  # fmt: skip


def _mail(number: int, rare: bool) -> Document:
    ended = {"state": "accepted", "reason": "taken", "asked_at": PAST, "attempts": 1}
    waits = {"state": "queued", "reason": None, "asked_at": PAST, "due_at": PAST, "attempts": 0, "lease": None}
    owner = _owner(number, rare=rare)
    return {"_id": f"profiles:ask:{number}", "asker": "profiles", "subject": owner, "template": "renewal-asked"} | (
        waits if rare else ended
    )


def _search(number: int, rare: bool) -> Document:
    compared = {"words": ["x" * 43], "skills": [], "place": None, "level": None}
    return {
        "_id": new_id(), "sequence": 1, "subject": _owner(number, rare=rare), "state": "active" if rare else "stopped",
        "frequency": "daily", "since": "2026-03-01", "compared": compared, "box": bytes(120),
    }  # fmt: skip


def _news(number: int, rare: bool) -> Document:
    waits = {"state": "collected", "mail": None, "due": PAST}
    done = {"state": "queued", "mail": f"notifications:alert:{number}", "due": PAST}
    owner = _owner(number, rare=rare)
    return {"_id": f"{owner}:{number}", "subject": owner, "search": new_id(), "vacancy": "rare" if rare else f"v-{number}"} | (
        waits if rare else done
    )


_OTHERS: dict[str, Callable[[int, bool], Document]] = {
    "accesses": _access,
    "vacancies": _vacancy,
    "decisions": _decision,
    "decision_history": lambda number, rare: {**_decision(number, rare), "_id": new_id()},
    "accounts": _account,
    "registrations": _registration,
    "invitations": _invitation,
    "clients": _client,
    "organisations": _organisation,
    "sessions": _session,
    "mails": _mail,
    "searches": _search,
    "news": _news,
}
