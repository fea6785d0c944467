"""The composition root of consent: settings -> store, broker, routes, handlers, jobs. The only file that wires."""

from chassis.consume import Consumer
from chassis.http.app import build_api as chassis_api
from chassis.http.dead_letters import ROUTES as DEAD_LETTER_ROUTES
from chassis.inbox import Subscription
from chassis.known import on_session, on_signing_key
from chassis.resources import WORKER_PATIENCE, Resources, connect
from chassis.setaside import SetAside
from chassis.worker import Worker, assemble, make_consumer
from contracts.consent.dead_letter import ConsentDeadLetterEvent
from contracts.identity.account import AccountEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.topics import owned_by
from litestar import Litestar, Router

from consent.callers import store as caller_store
from consent.callers.handlers import on_account, on_account_parked
from consent.decisions import store as decision_store
from consent.decisions.routes import ROUTES as DECISION_ROUTES
from consent.settings import ConsentSettings
from consent.statements.model import Statements
from consent.statements.routes import ROUTES as STATEMENT_ROUTES
from consent.statements.service import load

SERVICE = "consent"
VERSION = "0.1.0"
PREFIX = "/api/consent/v1"
INDEXES = (caller_store.INDEXES, decision_store.INDEXES)

SUBSCRIPTIONS = (
    Subscription(SigningKeyEvent, on_signing_key),
    Subscription(SessionEvent, on_session),
    Subscription(AccountEvent, on_account, when_parked=on_account_parked),
)
"""Everything that consent listens to."""


def build_api(
    settings: ConsentSettings, *, made: Resources[ConsentSettings] | None = None, statements: Statements | None = None
) -> Litestar:
    """Return the API. It does not start with texts that nobody should be shown."""
    statements = statements or load()
    made = made or connect(settings)
    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[Router(PREFIX, route_handlers=[*STATEMENT_ROUTES, *DECISION_ROUTES, *DEAD_LETTER_ROUTES])],
        mongo=made.mongo,
        clock=made.clock,
        keyring=made.keyring,
        indexes=INDEXES,
        dependencies={
            "mongo": made.mongo,
            "clock": made.clock,
            "settings": settings,
            "statements": statements,
            "set_aside": SetAside(made.mongo, consumer_of(made)),
        },
    )


def consumer_of(made: Resources[ConsentSettings], group: str = SERVICE) -> Consumer:
    """Return the consumer. The worker gives it a broker; the API only replays through it what was set aside."""
    return make_consumer(made, group, SUBSCRIPTIONS, ConsentDeadLetterEvent)


def build_worker(settings: ConsentSettings, *, made: Resources[ConsentSettings] | None = None, group: str = SERVICE) -> Worker:
    """Return the worker. Nothing here happens by the passing of time yet, so it brings no jobs of its own."""
    made = made or connect(settings, patience=WORKER_PATIENCE)
    consumer = consumer_of(made, group)
    return assemble(made, consumer, topics=[event.topic for event in owned_by(SERVICE)], jobs=[], indexes=INDEXES)
