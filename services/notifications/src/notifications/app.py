"""The composition root of notifications: settings -> store, broker, routes, handlers, jobs. The only file that wires."""

import os
import socket
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from chassis import outbox, parking
from chassis.clock import Clock
from chassis.consume import Consumer
from chassis.destruction import destroy_due
from chassis.freshness import Freshness
from chassis.http.app import Lifespan
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
from chassis.parking import Parking
from chassis.relay import Relay
from chassis.sealing import SealedInbox, turn_sealing_keys
from chassis.worker import Worker
from contracts.consent.decision import DecisionEvent
from contracts.consent.mail_request import ConsentMailRequestEvent
from contracts.envelope import Event, Topic
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.dead_letter import NotificationsDeadLetterEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.mail_request import ProfilesMailRequestEvent
from contracts.profiles.vacancy import VacancyEvent
from contracts.topics import owned_by
from litestar import Litestar, Router

from notifications.alerts.handlers import on_decision, on_organisation, on_vacancy
from notifications.alerts.model import TEMPLATE as JOB_ALERT
from notifications.alerts.service import Alerts
from notifications.composing.service import Composer
from notifications.contacts.handlers import on_account, on_account_parked, on_contact
from notifications.contacts.service import Contacts
from notifications.mail import store as mail_store
from notifications.mail.handlers import on_mail_request
from notifications.mail.service import MailRequests
from notifications.matching.service import EverySearch, Matcher
from notifications.searches import store as search_store
from notifications.searches.routes import ROUTES as SEARCH_ROUTES
from notifications.searches.service import Searches
from notifications.sending.jobs import jobs as sending_jobs
from notifications.sending.model import Correspondent, Retries
from notifications.sending.service import Pace, Sender
from notifications.settings import NotificationsSettings
from notifications.sign_in.handlers import on_session, on_signing_key
from notifications.smtp import Mailer, SmtpMailer, SmtpServer
from notifications.unsubscribe.routes import ROUTES as UNSUBSCRIBE_ROUTES
from notifications.unsubscribe.service import Unsubscribing

SERVICE = "notifications"
VERSION = "0.1.0"
PREFIX = "/api/notifications/v1"
INDEXES = (outbox.INDEXES, parking.INDEXES, KNOWN_INDEXES, mail_store.INDEXES, search_store.INDEXES)
SEALED_TO_US = (ContactEvent, IdentityMailRequestEvent, ProfilesMailRequestEvent, ConsentMailRequestEvent)
UP_TO_DATE = timedelta(seconds=20)
"""A consumer that has not been at a topic's end for so long lags: what it has yet to read may need an old sealing key."""


@dataclass(frozen=True)
class Users:
    """The use cases that handlers call."""

    clock: Clock
    contacts: Contacts
    requests: MailRequests
    alerts: Alerts


@dataclass(frozen=True)
class Listening:
    """One line of what notifications listens to: an event, and its handler once the use cases are there."""

    event: type[Event]
    handler: Callable[[Users], Handler]
    when_parked: Handler | None = None

    @property
    def topic(self) -> Topic:
        """The event's topic."""
        return self.event.topic


SUBSCRIPTIONS = (
    Listening(SigningKeyEvent, lambda _: on_signing_key),
    Listening(SessionEvent, lambda use: on_session(use.clock)),
    Listening(AccountEvent, lambda _: on_account, when_parked=on_account_parked),
    Listening(ContactEvent, lambda use: on_contact(use.contacts)),
    Listening(OrganisationEvent, lambda _: on_organisation),
    Listening(IdentityMailRequestEvent, lambda use: on_mail_request(use.requests)),
    Listening(ProfilesMailRequestEvent, lambda use: on_mail_request(use.requests)),
    Listening(ConsentMailRequestEvent, lambda use: on_mail_request(use.requests)),
    Listening(VacancyEvent, lambda use: on_vacancy(use.alerts)),
    Listening(DecisionEvent, lambda _: on_decision),
)


@dataclass(frozen=True)
class Parts:
    """What the API and the worker are both made of."""

    settings: NotificationsSettings
    clock: Clock
    mongo: Mongo
    keyring: Keyring
    searches: Searches
    unsubscribing: Unsubscribing


def parts(settings: NotificationsSettings, *, clock: Clock | None = None, patience: timedelta = timedelta(seconds=4)) -> Parts:
    """Return the shared parts; nothing is connected yet."""
    clock = clock or Clock(settings.clock_file)
    hash_key = b64decode(settings.hash_key.get_secret_value())
    mongo = Mongo(settings.mongo_url.get_secret_value(), database=settings.mongo_database, clock=clock, patience=patience)
    keys = Mongo(settings.keyring_url.get_secret_value(), database=settings.keyring_database, clock=clock, patience=patience)
    keyring = Keyring(keys, MasterKeys.parse(settings.master_key.get_secret_value()))
    searches = Searches(keyring=keyring, clock=clock, hash_key=hash_key, most=settings.searches_per_person)
    return Parts(settings, clock, mongo, keyring, searches, Unsubscribing(hash_key, settings.public_url))


def build_api(settings: NotificationsSettings, *, clock: Clock | None = None, made: Parts | None = None) -> Litestar:
    """Return the API; it closes its connections when it ends."""
    made = made or parts(settings, clock=clock)
    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[Router(PREFIX, route_handlers=[*SEARCH_ROUTES, *UNSUBSCRIBE_ROUTES])],
        mongo=made.mongo,
        clock=made.clock,
        indexes=INDEXES,
        dependencies={"mongo": made.mongo, "searches": made.searches, "unsubscribing": made.unsubscribing},
        lifespan=[_closing(made)],
    )


def build_worker(
    settings: NotificationsSettings,
    *,
    clock: Clock | None = None,
    matcher: Matcher | None = None,
    make_mailer: Callable[[NotificationsSettings], Mailer] | None = None,
    group: str = SERVICE,
) -> Worker:
    """Return the worker: consumers, relay, jobs, and as many senders as there are connections to the mail server."""
    made = parts(settings, clock=clock, patience=timedelta(seconds=20))
    matcher = matcher or EverySearch()
    leases = Leases(made.mongo, owner=f"{socket.gethostname()}:{os.getpid()}:{new_id()[-12:]}", term=settings.relay_lease)
    broker, consumer = make_broker(settings.kafka, client_id=SERVICE), make_consumer(made, matcher, group=group)
    consumer.attach(
        broker,
        batch=settings.consumer_batch,
        session_ms=int(settings.kafka_session.total_seconds() * 1000),
        heartbeat_ms=int(settings.kafka_heartbeat.total_seconds() * 1000),
    )
    fresh = [Freshness(made.mongo, event.topic) for event in SEALED_TO_US]
    senders = [make_sender(made, matcher, (make_mailer or smtp_mailer)(settings)) for _ in range(settings.smtp_connections)]
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
        jobs=Jobs(_jobs(made, fresh), leases),
        topics=[*(event.topic for event in owned_by(SERVICE)), *(one.topic for one in SUBSCRIPTIONS)],
        indexes=INDEXES,
        background=[
            *(("consume", _watching(one, consumer)) for one in fresh),
            *(("mail", sender.run) for sender in senders),
        ],
    )


def _closing(made: Parts) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        yield
        await made.mongo.close()
        await made.keyring.mongo.close()

    return lifespan


def _contacts(made: Parts) -> Contacts:
    return Contacts(made.keyring, SealedInbox(made.keyring), made.clock)


def _alerts(made: Parts, matcher: Matcher) -> Alerts:
    return Alerts(made.clock, made.searches, matcher, made.unsubscribing)


def make_consumer(made: Parts, matcher: Matcher, *, group: str = SERVICE) -> Consumer:
    """Return the consumer; it applies what it is given also without a broker."""
    requests = MailRequests(made.keyring, SealedInbox(made.keyring), made.clock)
    users = Users(made.clock, _contacts(made), requests, _alerts(made, matcher))
    parked = Parking(
        consumer=SERVICE,
        dead_letter=NotificationsDeadLetterEvent,
        record_key=lambda: made.keyring.key("dead-letters", "records"),
        clock=made.clock,
    )
    listened = [Subscription(one.event, one.handler(users), one.when_parked) for one in SUBSCRIPTIONS]
    return Consumer(made.mongo, group, listened, parked)


def make_sender(made: Parts, matcher: Matcher, mailer: Mailer) -> Sender:
    """Return one sender of queued mails."""
    told = made.settings
    composer = Composer(
        keyring=made.keyring,
        clock=made.clock,
        contacts=_contacts(made),
        correspondent=Correspondent(told.mail_from, told.mail_from_name, told.mail_reply_to),
        public_url=told.public_url,
        own={JOB_ALERT: _alerts(made, matcher).words},
    )
    pace = Pace(lease=told.mail_lease, rest=told.mail_poll)
    return Sender(mongo=made.mongo, clock=made.clock, composer=composer, mailer=mailer, retries=retries(told), pace=pace)


def retries(settings: NotificationsSettings) -> Retries:
    """Return how often mails are tried."""
    return Retries(settings.mail_first_retry, settings.mail_longest_retry, settings.mail_give_up_after)


def smtp_mailer(told: NotificationsSettings) -> Mailer:
    """Return a connection to the mail server."""
    server = SmtpServer(
        host=told.smtp_host,
        port=told.smtp_port,
        tls=told.smtp_tls,
        username=told.smtp_username,
        password=told.smtp_password.get_secret_value() if told.smtp_password else None,
        timeout=told.smtp_timeout,
    )
    return SmtpMailer(server, local_hostname=told.mail_from.rpartition("@")[2])


def _jobs(made: Parts, fresh: Sequence[Freshness]) -> list[Job]:
    async def lagging() -> bool:
        return not all([await one.within(UP_TO_DATE) for one in fresh])

    async def sealing() -> int:
        return await turn_sealing_keys(made.mongo, made.keyring, NotificationsSealingKeyEvent, lagging)

    async def destroying() -> int:
        await made.keyring.mongo.ensure_indexes(KEYRING_INDEXES)
        return await destroy_due(made.mongo, made.keyring)

    return [
        Job("sealing-keys", timedelta(seconds=5), sealing),
        Job("destroy-keys", timedelta(seconds=2), destroying),
        *sending_jobs(mongo=made.mongo, clock=made.clock, retries=retries(made.settings)),
    ]


def _watching(fresh: Freshness, consumer: Consumer) -> Callable[[], Awaitable[None]]:
    async def watch() -> None:
        await fresh.watch(consumer)

    return watch
