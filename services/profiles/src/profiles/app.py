"""The composition root of profiles: settings -> stores, broker, routes, handlers, jobs. The only file that wires."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from chassis import sealed_events
from chassis.clock import Clock
from chassis.consume import Consumer
from chassis.erasure import Erasure, Step, first_of, on_request, unless_erased
from chassis.freshness import Freshness
from chassis.http.app import build_api as chassis_api
from chassis.http.dead_letters import ROUTES as DEAD_LETTER_ROUTES
from chassis.inbox import Listens
from chassis.jobs import Job
from chassis.keyring import Keyring
from chassis.known import on_session, on_signing_key
from chassis.mongo import Mongo
from chassis.resources import REQUEST_PATIENCE, WORKER_PATIENCE, Resources, connect
from chassis.sealed_events import Sealer, on_sealing_key
from chassis.setaside import SetAside
from chassis.worker import Worker, assemble, make_consumer
from contracts.consent.decision import DecisionEvent
from contracts.consent.request import RequestEvent
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.dead_letter import ProfilesDeadLetterEvent
from contracts.profiles.request_part import ProfilesRequestPartEvent
from contracts.topics import event_on, owned_by
from litestar import Litestar, Router

from profiles import records
from profiles.abuse.jobs import jobs as abuse_jobs
from profiles.abuse.routes import ROUTES as ABUSE_ROUTES
from profiles.abuse.service import Abuses
from profiles.bank import store as bank_entries
from profiles.bank.routes import ROUTES as BANK_ROUTES
from profiles.bank.service import Bank, Projection
from profiles.blocks import store as blocks
from profiles.blocks.jobs import jobs as block_jobs
from profiles.budgets import store as budgets
from profiles.budgets.handlers import noting_operators
from profiles.budgets.jobs import jobs as budget_jobs
from profiles.budgets.routes import ROUTES as BUDGET_ROUTES
from profiles.budgets.service import Budgets
from profiles.disclosure.routes import ROUTES as DISCLOSURE_ROUTES
from profiles.disclosure.service import Disclosures
from profiles.erasure.service import PHASE, confirming, forget
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
from profiles.signatures import store as signing_keys
from profiles.signatures.service import Signatures
from profiles.vacancies import store as vacancies
from profiles.vacancies.routes import ROUTES as VACANCY_ROUTES
from profiles.vacancies.service import Vacancies
from profiles.views import store as accesses
from profiles.views.routes import ROUTES as VIEW_ROUTES

SERVICE = "profiles"
VERSION = "0.1.0"
PREFIX = "/api/profiles/v1"
INDEXES = (
    sealed_events.INDEXES,
    records.INDEXES,
    renewals.INDEXES,
    bank_entries.INDEXES,
    budgets.INDEXES,
    organisations.INDEXES,
    accesses.INDEXES,
    blocks.INDEXES,
    signing_keys.INDEXES,
    vacancies.INDEXES,
)

ROUTES = [
    *PROFILE_ROUTES,
    *DISCLOSURE_ROUTES,
    *LIFECYCLE_ROUTES,
    *BANK_ROUTES,
    *BUDGET_ROUTES,
    *ABUSE_ROUTES,
    *VIEW_ROUTES,
    *VACANCY_ROUTES,
    *DEAD_LETTER_ROUTES,
]


@dataclass(frozen=True)
class Parts:
    """What the API and the worker are both made of."""

    resources: Resources[ProfilesSettings]
    sealer: Sealer
    records: Records
    profiles: Profiles
    disclosures: Disclosures
    lifecycles: Lifecycles
    bank: Bank
    budgets: Budgets
    abuses: Abuses
    vacancies: Vacancies
    signatures: Signatures
    consent_freshness: Freshness
    erasure: Erasure

    async def close(self) -> None:
        """Close the connections to both databases."""
        await self.resources.close()

    @property
    def clock(self) -> Clock:
        """Both times."""
        return self.resources.clock

    @property
    def mongo(self) -> Mongo:
        """The database."""
        return self.resources.mongo

    @property
    def keyring(self) -> Keyring:
        """The data keys."""
        return self.resources.keyring


SUBSCRIPTIONS = (
    Listens[Parts](SigningKeyEvent, lambda _: on_signing_key),
    Listens[Parts](SessionEvent, lambda _: on_session),
    Listens[Parts](NotificationsSealingKeyEvent, lambda _: on_sealing_key),
    Listens[Parts](
        AccountEvent,
        lambda made: noting_operators(unless_erased(on_account(made.records))),
        lambda made: unless_erased(hold_account(made.records)),
    ),
    Listens[Parts](
        DecisionEvent,
        lambda made: unless_erased(on_decision(made.records), first_of),
        lambda made: unless_erased(hold_decision(made.records), first_of),
    ),
    Listens[Parts](OrganisationEvent, lambda _: on_organisation, lambda _: hold_organisation),
    Listens[Parts](DeliveryEvent, lambda made: on_delivery(made.lifecycles)),
    Listens[Parts](RequestEvent, lambda made: on_request(made.erasure)),
)
"""Everything that profiles listens to."""


def parts(settings: ProfilesSettings, *, patience: timedelta = REQUEST_PATIENCE) -> Parts:
    """Return the shared parts; nothing is connected yet."""
    made = connect(settings, patience=patience)
    kept = Records(made.keyring, made.clock, settings.terms, Projection(made.hash_key).project)
    sealer, consent_freshness = Sealer(made.keyring), Freshness(made.mongo, DecisionEvent.topic)
    counted = Budgets(made.clock, sealer, made.keyring, settings.views)
    confirmed = confirming(access_log_kept=settings.access_log_kept, freezes_kept=settings.freezes_kept)
    return Parts(
        resources=made,
        sealer=sealer,
        records=kept,
        profiles=Profiles(kept),
        disclosures=Disclosures(kept),
        lifecycles=Lifecycles(kept, sealer, made.hash_key),
        bank=Bank(kept, made.hash_key, consent_freshness, settings.consent_fresh, counted),
        budgets=counted,
        abuses=Abuses(made.clock, sealer, made.keyring, counted),
        vacancies=Vacancies(made.clock),
        signatures=Signatures(made.mongo, made.keyring, made.hash_key),
        consent_freshness=consent_freshness,
        erasure=Erasure(made.keyring, [Step(PHASE, forget)], confirmed, settings.erasure_settled, ProfilesRequestPartEvent.topic),
    )


def build_api(settings: ProfilesSettings, *, made: Parts | None = None) -> Litestar:
    """Return the API."""
    made = made or parts(settings)
    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[Router(PREFIX, route_handlers=ROUTES)],
        mongo=made.mongo,
        clock=made.clock,
        keyring=made.keyring,
        indexes=INDEXES,
        erasure=made.erasure,
        dependencies={
            "mongo": made.mongo,
            "keyring": made.keyring,
            "profiles": made.profiles,
            "disclosures": made.disclosures,
            "lifecycles": made.lifecycles,
            "bank": made.bank,
            "budgets": made.budgets,
            "abuses": made.abuses,
            "vacancies": made.vacancies,
            "set_aside": SetAside(made.mongo, consumer_of(made)),
        },
    )


def consumer_of(made: Parts, group: str = SERVICE) -> Consumer:
    """Return the consumer. The worker gives it a broker; the API only replays through it what was set aside."""
    return make_consumer(made.resources, group, [one.bound(made) for one in SUBSCRIPTIONS], ProfilesDeadLetterEvent)


def build_worker(settings: ProfilesSettings, *, made: Parts | None = None, group: str = SERVICE) -> Worker:
    """Return the worker: consumers, relay and jobs."""
    made = made or parts(settings, patience=WORKER_PATIENCE)
    consumer = consumer_of(made, group)
    return assemble(
        made.resources,
        consumer,
        topics=[event.topic for event in owned_by(SERVICE)],
        jobs=_jobs(made),
        indexes=INDEXES,
        erasure=made.erasure,
        background=[("consume", partial(made.consent_freshness.watch, consumer))],
    )


def _jobs(made: Parts) -> list[Job]:
    told = made.resources.settings
    terms = {"every": told.terms_every, "budgets_kept": told.budgets_kept, "freezes_kept": told.freezes_kept}
    return [
        Job("sweep", told.sweep_every, partial(sweep, made.mongo, made.lifecycles)),
        *block_jobs(mongo=made.mongo, signatures=made.signatures, every=told.access_log_sealed_every, kept=told.access_log_kept),
        *budget_jobs(made.mongo, **terms),
        *abuse_jobs(made.mongo, made.abuses),
        Job("release-waiting", timedelta(seconds=2), partial(made.sealer.release_waiting, made.mongo, event_on)),
    ]
