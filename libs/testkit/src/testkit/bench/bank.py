"""A candidate bank with people in it, filled through the profiles service's own API and consumer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from chassis.ids import new_id
from contracts.consent.decision import DecisionEvent
from contracts.envelope import Event
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from profiles import app
from profiles.settings import ProfilesSettings

from testkit.cast import SHOWN
from testkit.deliveries import arrive, saying
from testkit.keys import Signer
from testkit.portal import ok
from testkit.running import serving
from testkit.samples import people

API = "/api/profiles/v1"


@dataclass
class Bank:
    """The service's parts, the headers of recruiters, each of another organisation, and the handles of who is in the bank."""

    made: app.Parts
    recruiters: list[dict[str, str]]
    handles: list[str]


@asynccontextmanager
async def filled(settings: ProfilesSettings, *, with_people: int, with_recruiters: int = 1) -> AsyncIterator[Bank]:
    """Fill the databases that the settings name, and keep their parts open."""
    made = app.parts(settings)
    await made.mongo.ensure_indexes(*app.INDEXES)
    consumer = app.build_worker(settings, made=made).consumer
    signer = Signer(settings.public_url)

    async def hear(*events: Event) -> None:
        await arrive(consumer, [[saying(event, 1) for event in events]])

    recruiters = [(new_id(), new_id()) for _ in range(with_recruiters)]
    await hear(signer.announcement(), *(_organisation(recruiter, organisation) for recruiter, organisation in recruiters))
    await be_fresh(made)
    async with serving(app.build_api(settings, made=made)) as client:
        handles = [await _candidate(client, signer, hear, number, made) for number in range(with_people)]
    looking = {"Purpose": "candidate-search"}
    headers = [signer.headers(recruiter, "recruiter", org=org, bank=True) | looking for recruiter, org in recruiters]
    yield Bank(made, headers, handles)
    await made.close()


def _organisation(recruiter: str, organisation: str) -> OrganisationEvent:
    members = [{"account": recruiter, "roles": ["recruiter"]}]
    facts = {"organisation": organisation, "name": "Waterlinie Werk", "state": "active", "bank_access": True}
    return OrganisationEvent.model_validate({**facts, "members": members})


async def be_fresh(made: app.Parts) -> None:
    """Let the worker have seen just now that all consents have arrived."""
    at = {str(number): made.clock.machine() for number in range(DecisionEvent.topic.partitions)}
    await made.mongo.database["freshness"].replace_one({}, {"_id": DecisionEvent.topic.name, "at": at}, upsert=True)


async def _candidate(client: httpx.AsyncClient, signer: Signer, hear: Any, number: int, made: app.Parts) -> str:
    subject, like = new_id(), people()[number % len(people())]
    headers, today = signer.headers(subject), made.clock.today()

    async def send(method: str, path: str, body: Any = None, **more: str) -> httpx.Response:
        return ok(await client.request(method, f"{API}{path}", json=body, headers={**headers, **more}))

    await hear(
        AccountEvent(account=subject, state="confirmed", language="nl", roles=("candidate",), confirmed_on=today),
        DecisionEvent.model_validate(
            {"subject": subject, "purpose": "candidate-search", "controller": "portal", "state": "consented"}
            | {"decided_on": today, "statement_version": "2026-01", "language": "nl"}
        ),
    )
    etag = (await send("GET", "/me/profile")).headers["ETag"]
    await send("PUT", "/me/profile", like.profile, **{"If-Match": etag})
    etag = (await send("GET", "/me/visibility")).headers["ETag"]
    await send("PUT", "/me/visibility", {"fields": dict.fromkeys(SHOWN, "shown")}, **{"If-Match": etag})
    await send("POST", "/me/activation", {"sixteen_or_older": True})
    return str((await send("GET", "/me/profile/as-recruiter")).json()["handle"])
