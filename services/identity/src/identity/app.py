"""The composition root of identity: settings -> store, broker, routes, handlers, jobs. The only file that wires."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from chassis import sealed_events
from chassis.clock import Clock
from chassis.consume import Consumer
from chassis.erasure import Erasure, Step, on_request
from chassis.http.app import build_api as chassis_api
from chassis.http.dead_letters import ROUTES as DEAD_LETTER_ROUTES
from chassis.inbox import Listens
from chassis.jobs import Job
from chassis.keyring import Keyring
from chassis.mongo import Mongo
from chassis.resources import REQUEST_PATIENCE, WORKER_PATIENCE, Resources, connect
from chassis.sealed_events import Sealer, on_sealing_key
from chassis.setaside import SetAside
from chassis.worker import Worker, assemble, make_consumer
from contracts.consent.request import RequestEvent
from contracts.identity.dead_letter import IdentityDeadLetterEvent
from contracts.identity.request_part import IdentityRequestPartEvent
from contracts.notifications.reseal import NotificationsResealEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.topics import event_on, owned_by
from litestar import Litestar, Router

from identity.accounts import jobs as account_jobs
from identity.accounts import store as account_store
from identity.accounts.handlers import on_reseal
from identity.accounts.model import Terms as LinkTerms
from identity.accounts.routes import ROUTES as ACCOUNT_ROUTES
from identity.addresses.service import Addresses
from identity.clients import store as client_store
from identity.clients.routes import ROUTES as CLIENT_ROUTES
from identity.clients.service import Secrets
from identity.closing.routes import ROUTES as CLOSING_ROUTES
from identity.closing.service import Closing
from identity.erasure.service import PHASE, forget, tell
from identity.invitations import jobs as invitation_jobs
from identity.invitations import store as invitation_store
from identity.invitations.routes import ROUTES as INVITATION_ROUTES
from identity.keys import jobs as key_jobs
from identity.keys import store as key_store
from identity.keys.model import Terms as KeyTerms
from identity.keys.routes import ROUTES as KEY_ROUTES
from identity.keys.service import Signer, rotate
from identity.mails.service import Post
from identity.organisations import store as organisation_store
from identity.organisations.routes import ROUTES as ORGANISATION_ROUTES
from identity.passwords.service import Passwords
from identity.sessions import jobs as session_jobs
from identity.sessions import store as session_store
from identity.sessions.model import RefreshTokens
from identity.sessions.model import Terms as SessionTerms
from identity.sessions.routes import ROUTES as SESSION_ROUTES
from identity.settings import IdentitySettings
from identity.signin.routes import ROUTES as SIGN_IN_ROUTES
from identity.signin.service import SignIn
from identity.throttling import store as throttle_store

SERVICE = "identity"
VERSION = "0.1.0"
PREFIX = "/api/identity/v1"
ROUTES = [
    *ACCOUNT_ROUTES,
    *CLOSING_ROUTES,
    *SIGN_IN_ROUTES,
    *SESSION_ROUTES,
    *ORGANISATION_ROUTES,
    *INVITATION_ROUTES,
    *CLIENT_ROUTES,
    *KEY_ROUTES,
    *DEAD_LETTER_ROUTES,
]
INDEXES = (
    sealed_events.INDEXES,
    account_store.INDEXES,
    client_store.INDEXES,
    invitation_store.INDEXES,
    key_store.INDEXES,
    organisation_store.INDEXES,
    session_store.INDEXES,
    throttle_store.INDEXES,
)


@dataclass(frozen=True)
class Parts:
    """What API, worker and commands are made of."""

    resources: Resources[IdentitySettings]
    addresses: Addresses
    sealer: Sealer
    post: Post
    passwords: Passwords
    link_terms: LinkTerms
    key_terms: KeyTerms
    session_terms: SessionTerms
    erasure: Erasure

    async def close(self) -> None:
        """Close connections and threads."""
        self.passwords.close()
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
    Listens[Parts](NotificationsSealingKeyEvent, lambda _: on_sealing_key),
    Listens[Parts](NotificationsResealEvent, lambda made: on_reseal(made.addresses, made.post)),
    Listens[Parts](RequestEvent, lambda made: on_request(made.erasure)),
)
"""Everything that identity listens to. Its own signing keys and ended sessions it keeps in the transaction that makes them."""


def parts(settings: IdentitySettings, *, patience: timedelta = REQUEST_PATIENCE) -> Parts:
    """Return the shared parts; nothing is connected yet."""
    resources = connect(settings, patience=patience)
    sealer = Sealer(resources.keyring)
    return Parts(
        resources=resources,
        addresses=Addresses(keyring=resources.keyring, key=resources.hash_key),
        sealer=sealer,
        post=Post(sealer),
        passwords=Passwords(memory_kib=settings.argon2_memory, passes=settings.argon2_passes, threads=settings.argon2_threads),
        link_terms=LinkTerms(settings.confirmation_valid, settings.unconfirmed_kept, settings.mails_per_day),
        key_terms=KeyTerms(settings.signing_key_life, settings.signing_key_notice, settings.access_token_life),
        session_terms=SessionTerms(settings.refresh_idle, settings.refresh_absolute, settings.refresh_grace),
        erasure=Erasure(resources.keyring, [Step(PHASE, forget)], tell, settings.erasure_settled, IdentityRequestPartEvent.topic),
    )


def build_api(settings: IdentitySettings, *, made: Parts | None = None) -> Litestar:
    """Return the API."""
    made = made or parts(settings)
    signer = Signer(mongo=made.mongo, keyring=made.keyring, terms=made.key_terms, issuer=settings.public_url)

    async def first_key() -> None:
        # Made before anybody signs in: services that learn of it later refuse its first tokens for a moment.
        await rotate(mongo=made.mongo, keyring=made.keyring, terms=made.key_terms)

    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[Router(PREFIX, route_handlers=ROUTES)],
        mongo=made.mongo,
        clock=made.clock,
        keyring=made.keyring,
        indexes=INDEXES,
        erasure=made.erasure,
        background={"first-key": first_key},
        dependencies={
            "settings": settings,
            "mongo": made.mongo,
            "addresses": made.addresses,
            "passwords": made.passwords,
            "mail": made.post,
            "link_terms": made.link_terms,
            "session_terms": made.session_terms,
            "signer": signer,
            "signing_in": _sign_in(made, signer),
            "closing": Closing(made.mongo, made.passwords),
            "client_secrets": Secrets(made.resources.hash_key),
            "counted_under": made.resources.hash_key,
            "set_aside": SetAside(made.mongo, consumer_of(made)),
        },
    )


def consumer_of(made: Parts, group: str = SERVICE) -> Consumer:
    """Return the consumer. The worker gives it a broker; the API only replays through it what was set aside."""
    return make_consumer(made.resources, group, [one.bound(made) for one in SUBSCRIPTIONS], IdentityDeadLetterEvent)


def build_worker(settings: IdentitySettings, *, made: Parts | None = None, group: str = SERVICE) -> Worker:
    """Return the worker: consumers, relay and jobs."""
    made = made or parts(settings, patience=WORKER_PATIENCE)
    topics = [event.topic for event in owned_by(SERVICE)]
    return assemble(
        made.resources,
        consumer_of(made, group),
        topics=topics,
        jobs=jobs_of(made),
        indexes=INDEXES,
        erasure=made.erasure,
    )


def _sign_in(made: Parts, signer: Signer) -> SignIn:
    return SignIn(
        mongo=made.mongo,
        passwords=made.passwords,
        signer=signer,
        tokens=RefreshTokens(made.resources.hash_key),
        terms=made.session_terms,
        post=made.post,
    )


def jobs_of(made: Parts) -> list[Job]:
    """Return all that the worker does by the passing of time."""
    return [
        *key_jobs.jobs(mongo=made.mongo, keyring=made.keyring, terms=made.key_terms),
        *account_jobs.jobs(mongo=made.mongo),
        *invitation_jobs.jobs(mongo=made.mongo),
        *session_jobs.jobs(mongo=made.mongo),
        Job("release-waiting", timedelta(seconds=2), partial(made.sealer.release_waiting, made.mongo, event_on)),
    ]
