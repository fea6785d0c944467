"""The composition root of consent: settings -> store, broker, routes, handlers, jobs. The only file that wires."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from chassis import sealed_events
from chassis.consume import Consumer
from chassis.erasure import Erased, Erasure, Step
from chassis.http.app import build_api as chassis_api
from chassis.http.dead_letters import ROUTES as DEAD_LETTER_ROUTES
from chassis.inbox import Listens
from chassis.jobs import Job
from chassis.known import on_session, on_signing_key
from chassis.resources import WORKER_PATIENCE, Resources, connect
from chassis.sealed_events import Sealer, on_sealing_key
from chassis.setaside import SetAside
from chassis.uow import UnitOfWork
from chassis.worker import Worker, assemble, make_consumer
from contracts.consent.dead_letter import ConsentDeadLetterEvent
from contracts.identity.account import AccountEvent
from contracts.identity.request_part import IdentityRequestPartEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.request_part import NotificationsRequestPartEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.request_part import ProfilesRequestPartEvent
from contracts.topics import event_on, owned_by
from litestar import Litestar, Router

from consent.callers import store as caller_store
from consent.callers.handlers import on_account as note_caller
from consent.callers.handlers import on_account_parked
from consent.decisions import service as decisions
from consent.decisions import store as decision_store
from consent.decisions.jobs import jobs as decision_jobs
from consent.decisions.routes import ROUTES as DECISION_ROUTES
from consent.metrics import read_requests
from consent.requests import store as request_store
from consent.requests.handlers import on_account, on_delivery, on_request_part
from consent.requests.jobs import jobs as request_jobs
from consent.requests.model import OWN, Phase
from consent.requests.routes import ROUTES as REQUEST_ROUTES
from consent.requests.service import Requests, part_of
from consent.settings import ConsentSettings
from consent.statements.model import Statements
from consent.statements.routes import ROUTES as STATEMENT_ROUTES
from consent.statements.service import load

SERVICE = "consent"
VERSION = "0.1.0"
PREFIX = "/api/consent/v1"
INDEXES = (sealed_events.INDEXES, caller_store.INDEXES, decision_store.INDEXES, request_store.INDEXES)

Made = Resources[ConsentSettings]


@dataclass(frozen=True)
class Parts:
    """The use cases, over the resources of one process."""

    made: Made
    sealer: Sealer
    requests: Requests
    erasure: Erasure


SUBSCRIPTIONS = (
    Listens[Parts](SigningKeyEvent, lambda _: on_signing_key),
    Listens[Parts](SessionEvent, lambda _: on_session),
    Listens[Parts](NotificationsSealingKeyEvent, lambda _: on_sealing_key),
    Listens[Parts](
        AccountEvent, lambda parts: on_account(note_caller, parts.requests, parts.erasure), lambda _: on_account_parked
    ),
    Listens[Parts](IdentityRequestPartEvent, lambda parts: on_request_part(parts.requests)),
    Listens[Parts](ProfilesRequestPartEvent, lambda parts: on_request_part(parts.requests)),
    Listens[Parts](NotificationsRequestPartEvent, lambda parts: on_request_part(parts.requests)),
    Listens[Parts](DeliveryEvent, lambda parts: on_delivery(parts.requests)),
)
"""Everything that consent listens to."""


def use_cases(made: Made) -> Parts:
    """Return the use cases; nothing is connected yet."""
    sealer = Sealer(made.keyring)
    requests = Requests(made.clock, sealer, made.hash_key)

    async def tell(uow: UnitOfWork, erased: Erased, _sequence: int) -> None:
        await requests.confirm(uow, erased.request, OWN, part_of(erased, made.settings.proof_years))

    steps = [Step(Phase.SERVICES, decisions.forget)]
    return Parts(made, sealer, requests, Erasure(made.keyring, steps, tell, made.settings.erasure_settled))


def build_api(settings: ConsentSettings, *, made: Made | None = None, statements: Statements | None = None) -> Litestar:
    """Return the API. It does not start with texts that nobody should be shown."""
    statements = statements or load()
    made = made or connect(settings)
    parts = use_cases(made)
    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[Router(PREFIX, route_handlers=[*STATEMENT_ROUTES, *DECISION_ROUTES, *REQUEST_ROUTES, *DEAD_LETTER_ROUTES])],
        mongo=made.mongo,
        clock=made.clock,
        keyring=made.keyring,
        indexes=INDEXES,
        erasure=parts.erasure,
        dependencies={
            "mongo": made.mongo,
            "clock": made.clock,
            "settings": settings,
            "statements": statements,
            "requests": parts.requests,
            "set_aside": SetAside(made.mongo, consumer_of(parts)),
        },
    )


def consumer_of(parts: Parts, group: str = SERVICE) -> Consumer:
    """Return the consumer. The worker gives it a broker; the API only replays through it what was set aside."""
    return make_consumer(parts.made, group, [one.bound(parts) for one in SUBSCRIPTIONS], ConsentDeadLetterEvent)


def build_worker(settings: ConsentSettings, *, made: Made | None = None, group: str = SERVICE) -> Worker:
    """Return the worker: consumers, relay and jobs."""
    made = made or connect(settings, patience=WORKER_PATIENCE)
    parts = use_cases(made)
    return assemble(
        made,
        consumer_of(parts, group),
        topics=[event.topic for event in owned_by(SERVICE)],
        jobs=[
            Job("release-waiting", timedelta(seconds=2), partial(parts.sealer.release_waiting, made.mongo, event_on)),
            *decision_jobs(made.mongo, every=settings.terms_every, years=settings.proof_years),
            *request_jobs(made.mongo, every=settings.terms_every, years=settings.proof_years),
        ],
        indexes=INDEXES,
        erasure=parts.erasure,
        readings={"requests": partial(read_requests, made.mongo, made.clock)},
    )
