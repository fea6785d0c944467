"""The composition root of profiles: settings -> stores, broker, routes, handlers, jobs. The only file that wires."""

import os
import socket
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chassis import destruction, outbox, parking, sealed_events
from chassis.clock import Clock
from chassis.consume import Consumer
from chassis.freshness import Freshness
from chassis.http.app import build_api as chassis_api
from chassis.ids import new_id
from chassis.inbox import Handler, Subscription
from chassis.jobs import Job, Jobs
from chassis.kafka import make_broker
from chassis.keyring import INDEXES as KEYRING_INDEXES
from chassis.keyring import Keyring
from chassis.known import INDEXES as KNOWN_INDEXES
from chassis.leases import Leases
from chassis.master import MasterKeys
from chassis.mongo import Mongo
from chassis.outbox import EventTopic
from chassis.parking import Parking
from chassis.relay import Relay
from chassis.sealed_events import Sealer, on_sealing_key
from chassis.worker import Worker
from contracts.consent.decision import DecisionEvent
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.dead_letter import ProfilesDeadLetterEvent
from contracts.topics import event_on, owned_by
from litestar import Litestar, Router

from profiles import records
from profiles.bank import store as bank_entries
from profiles.bank.routes import ROUTES as BANK_ROUTES
from profiles.bank.service import Bank, Projection
from profiles.disclosure.routes import ROUTES as DISCLOSURE_ROUTES
from profiles.disclosure.service import Disclosures
from profiles.lifecycle import store as renewals
from profiles.lifecycle.handlers import hold_account, hold_decision, on_account, on_decision, on_delivery
from profiles.lifecycle.jobs import sweep
from profiles.lifecycle.routes import ROUTES as LIFECYCLE_ROUTES
from profiles.lifecycle.service import Lifecycles
from profiles.organisations import store as organisations
from profiles.organisations.handlers import hold_organisation, on_organisation
from profiles.profile.routes import ROUTES as PROFILE_ROUTES
from profiles.profile.service import Profiles
from profiles.records import Records
from profiles.settings import ProfilesSettings
from profiles.trust.handlers import on_session, on_signing_key
from profiles.views import store as accesses
from profiles.views.routes import ROUTES as VIEW_ROUTES

SERVICE = "profiles"
VERSION = "0.1.0"
PREFIX = "/api/profiles/v1"
INDEXES = (
    outbox.INDEXES,
    parking.INDEXES,
    KNOWN_INDEXES,
    sealed_events.INDEXES,
    records.INDEXES,
    renewals.INDEXES,
    bank_entries.INDEXES,
    organisations.INDEXES,
    accesses.INDEXES,
)


@dataclass(frozen=True)
class Parts:
    """What the API and the worker are both made of."""

    settings: ProfilesSettings
    clock: Clock
    mongo: Mongo
    keyring: Keyring
    sealer: Sealer
    records: Records
    profiles: Profiles
    disclosures: Disclosures
    lifecycles: Lifecycles
    bank: Bank
    consent_freshness: Freshness

    async def close(self) -> None:
        """Close the connections to both databases."""
        await self.mongo.close()
        await self.keyring.mongo.close()


@dataclass(frozen=True)
class Listens:
    """One line of what profiles listens to: the event, its handler, and what hides a person whose key had to be parked."""

    event: Any
    handler: Callable[[Parts], Handler]
    when_parked: Callable[[Parts], Handler] | None = None

    @property
    def topic(self) -> EventTopic:
        """Return the event's topic."""
        topic: EventTopic = self.event.topic
        return topic

    def subscription(self, made: Parts) -> Subscription:
        """Return it with its handler made."""
        return Subscription(self.event, self.handler(made), self.when_parked(made) if self.when_parked else None)


SUBSCRIPTIONS = (
    Listens(SigningKeyEvent, lambda _: on_signing_key),
    Listens(SessionEvent, lambda made: on_session(made.clock)),
    Listens(NotificationsSealingKeyEvent, lambda _: on_sealing_key),
    Listens(AccountEvent, lambda made: on_account(made.records), lambda made: hold_account(made.records)),
    Listens(DecisionEvent, lambda made: on_decision(made.records), lambda made: hold_decision(made.records)),
    Listens(OrganisationEvent, lambda _: on_organisation, lambda _: hold_organisation),
    Listens(DeliveryEvent, lambda made: on_delivery(made.lifecycles)),
)


def parts(settings: ProfilesSettings, *, clock: Clock | None = None, patience: timedelta = timedelta(seconds=4)) -> Parts:
    """Return the shared parts; nothing is connected yet."""
    clock = clock or Clock(settings.clock_file)
    mongo = Mongo(settings.mongo_url.get_secret_value(), database=settings.mongo_database, clock=clock, patience=patience)
    keys = Mongo(settings.keyring_url.get_secret_value(), database=settings.keyring_database, clock=clock, patience=patience)
    keyring = Keyring(keys, MasterKeys.parse(settings.master_key.get_secret_value()))
    hash_key = b64decode(settings.hash_key.get_secret_value())
    kept = Records(keyring, clock, settings.terms, Projection(hash_key).project)
    sealer, consent_freshness = Sealer(keyring), Freshness(mongo, DecisionEvent.topic)
    return Parts(
        settings=settings,
        clock=clock,
        mongo=mongo,
        keyring=keyring,
        sealer=sealer,
        records=kept,
        profiles=Profiles(kept),
        disclosures=Disclosures(kept),
        lifecycles=Lifecycles(kept, sealer, hash_key),
        bank=Bank(kept, hash_key, consent_freshness, settings.consent_fresh),
        consent_freshness=consent_freshness,
    )


def build_api(settings: ProfilesSettings, *, made: Parts | None = None) -> Litestar:
    """Return the API."""
    made = made or parts(settings)
    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[
            Router(PREFIX, route_handlers=[*PROFILE_ROUTES, *DISCLOSURE_ROUTES, *LIFECYCLE_ROUTES, *BANK_ROUTES, *VIEW_ROUTES])
        ],
        mongo=made.mongo,
        clock=made.clock,
        indexes=INDEXES,
        dependencies={
            "mongo": made.mongo,
            "profiles": made.profiles,
            "disclosures": made.disclosures,
            "lifecycles": made.lifecycles,
            "bank": made.bank,
        },
    )


def build_worker(settings: ProfilesSettings, *, made: Parts | None = None, group: str = SERVICE) -> Worker:
    """Return the worker: consumers, relay and jobs."""
    made = made or parts(settings, patience=timedelta(seconds=20))
    leases = Leases(made.mongo, owner=f"{socket.gethostname()}:{os.getpid()}:{new_id()[-12:]}", term=settings.relay_lease)
    broker, consumer = make_broker(settings.kafka, client_id=SERVICE), _consumer(made, group)
    consumer.attach(
        broker,
        batch=settings.consumer_batch,
        session_ms=int(settings.kafka_session.total_seconds() * 1000),
        heartbeat_ms=int(settings.kafka_heartbeat.total_seconds() * 1000),
    )
    return Worker(
        service=SERVICE,
        bootstrap=settings.kafka,
        mongo=made.mongo,
        broker=broker,
        consumer=consumer,
        relay=Relay(
            made.mongo,
            leases,
            service=SERVICE,
            bootstrap=settings.kafka,
            batch=settings.relay_batch,
            poll=settings.relay_poll.total_seconds(),
        ),
        jobs=Jobs(_jobs(made), leases),
        topics=[*(event.topic for event in owned_by(SERVICE)), *(one.topic for one in SUBSCRIPTIONS)],
        indexes=INDEXES,
        background=[("consume", _watching(made.consent_freshness, consumer))],
    )


def _consumer(made: Parts, group: str) -> Consumer:
    parked = Parking(
        consumer=group,
        dead_letter=ProfilesDeadLetterEvent,
        record_key=lambda: made.keyring.key("dead-letters", "records"),
        clock=made.clock,
    )
    return Consumer(made.mongo, group, [one.subscription(made) for one in SUBSCRIPTIONS], parked)


def _jobs(made: Parts) -> list[Job]:
    async def sweeping() -> int:
        return await sweep(made.mongo, made.lifecycles)

    async def releasing() -> int:
        return await made.sealer.release_waiting(made.mongo, event_on)

    async def destroying() -> int:
        await made.keyring.mongo.ensure_indexes(KEYRING_INDEXES)
        return await destruction.destroy_due(made.mongo, made.keyring)

    return [
        Job("sweep", made.settings.sweep_every, sweeping),
        Job("release-waiting", timedelta(seconds=2), releasing),
        Job("destroy-keys", timedelta(seconds=2), destroying),
    ]


def _watching(fresh: Freshness, consumer: Consumer) -> Callable[[], Awaitable[None]]:
    async def watch() -> None:
        await fresh.watch(consumer)

    return watch
