"""The composition root of consent: settings -> store, broker, routes, handlers, jobs. The only file that wires."""

import os
import socket
from dataclasses import dataclass
from datetime import timedelta

from chassis import outbox, parking
from chassis.clock import Clock
from chassis.consume import Consumer
from chassis.http.app import build_api as chassis_api
from chassis.ids import new_id
from chassis.inbox import Subscription
from chassis.jobs import Jobs
from chassis.kafka import make_broker
from chassis.keyring import Keyring
from chassis.known import INDEXES as KNOWN_INDEXES
from chassis.leases import Leases
from chassis.master import MasterKeys
from chassis.mongo import Mongo
from chassis.parking import Parking
from chassis.relay import Relay
from chassis.worker import Worker
from contracts.consent.dead_letter import ConsentDeadLetterEvent
from contracts.identity.account import AccountEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.topics import owned_by
from litestar import Litestar, Router

from consent.callers import store as caller_store
from consent.callers.handlers import on_account, on_account_parked, on_session, on_signing_key
from consent.decisions import store as decision_store
from consent.decisions.routes import ROUTES as DECISION_ROUTES
from consent.settings import ConsentSettings
from consent.statements.model import Statements
from consent.statements.routes import ROUTES as STATEMENT_ROUTES
from consent.statements.service import load

SERVICE = "consent"
VERSION = "0.1.0"
PREFIX = "/api/consent/v1"
INDEXES = (outbox.INDEXES, parking.INDEXES, KNOWN_INDEXES, caller_store.INDEXES, decision_store.INDEXES)

SUBSCRIPTIONS = (
    Subscription(SigningKeyEvent, on_signing_key),
    Subscription(SessionEvent, on_session),
    Subscription(AccountEvent, on_account, when_parked=on_account_parked),
)
"""Everything that consent listens to."""


@dataclass(frozen=True)
class Parts:
    """What the API and the worker are both made of."""

    clock: Clock
    mongo: Mongo
    keyring: Keyring

    async def close(self) -> None:
        """Close all connections."""
        await self.mongo.close()
        await self.keyring.mongo.close()


def parts(settings: ConsentSettings, *, patience: timedelta = timedelta(seconds=4)) -> Parts:
    """Return the shared parts; nothing is connected yet. `patience` is how long a transaction is retried."""
    clock = Clock(settings.clock_file)
    mongo = Mongo(settings.mongo_url.get_secret_value(), database=settings.mongo_database, clock=clock, patience=patience)
    keys = Mongo(settings.keyring_url.get_secret_value(), database=settings.keyring_database, clock=clock, patience=patience)
    return Parts(clock, mongo, Keyring(keys, MasterKeys.parse(settings.master_key.get_secret_value())))


def build_api(settings: ConsentSettings, *, made: Parts | None = None, statements: Statements | None = None) -> Litestar:
    """Return the API. It does not start with texts that nobody should be shown."""
    statements = statements or load()
    made = made or parts(settings)
    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[Router(PREFIX, route_handlers=[*STATEMENT_ROUTES, *DECISION_ROUTES])],
        mongo=made.mongo,
        clock=made.clock,
        indexes=INDEXES,
        dependencies={
            "mongo": made.mongo,
            "clock": made.clock,
            "settings": settings,
            "statements": statements,
        },
    )


def build_worker(settings: ConsentSettings, *, made: Parts | None = None, group: str = SERVICE) -> Worker:
    """Return the worker: consumers and relay. Nothing here happens by the passing of time yet, so it has no jobs."""
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
        jobs=Jobs([], leases),
        topics=[*(event.topic for event in owned_by(SERVICE)), *(one.topic for one in SUBSCRIPTIONS)],
        indexes=INDEXES,
    )


def _consumer(made: Parts, group: str) -> Consumer:
    parked = Parking(
        consumer=SERVICE,
        dead_letter=ConsentDeadLetterEvent,
        record_key=lambda: made.keyring.key("dead-letters", "records"),
        clock=made.clock,
    )
    return Consumer(made.mongo, group, SUBSCRIPTIONS, parked)
