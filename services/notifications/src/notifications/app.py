"""The composition root of notifications: settings -> store, broker, routes, handlers, jobs. The only file that wires."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from chassis.consume import Consumer
from chassis.erasure import Erasure, first_of, on_request, unless_erased
from chassis.freshness import Freshness
from chassis.http.app import build_api as chassis_api
from chassis.http.dead_letters import ROUTES as DEAD_LETTER_ROUTES
from chassis.ids import new_id
from chassis.inbox import Listens
from chassis.jobs import Job
from chassis.known import on_session, on_signing_key
from chassis.leases import Leases
from chassis.resources import WORKER_PATIENCE, Resources, connect
from chassis.sealing import SealedInbox, turn_sealing_keys
from chassis.setaside import SetAside
from chassis.shares import Shares
from chassis.worker import Worker, assemble
from chassis.worker import make_consumer as chassis_consumer
from contracts.consent.decision import DecisionEvent
from contracts.consent.mail_request import ConsentMailRequestEvent
from contracts.consent.request import RequestEvent
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.dead_letter import NotificationsDeadLetterEvent
from contracts.notifications.request_part import NotificationsRequestPartEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.mail_request import ProfilesMailRequestEvent
from contracts.profiles.profile import ProfileEvent
from contracts.profiles.vacancy import VacancyEvent
from contracts.topics import owned_by
from litestar import Litestar, Router

from notifications.alerts import store as alert_store
from notifications.alerts.handlers import on_decision, on_decision_parked, on_organisation
from notifications.alerts.service import Alerts
from notifications.composing.service import Composer
from notifications.contacts.handlers import on_account, on_account_parked, on_contact
from notifications.contacts.service import Contacts
from notifications.erasure.service import steps, tell
from notifications.fanout import store as fanout_store
from notifications.fanout.handlers import on_vacancy
from notifications.fanout.service import FanOut
from notifications.letters.model import Correspondent
from notifications.mail import store as mail_store
from notifications.mail.handlers import on_mail_request
from notifications.mail.service import MailRequests
from notifications.metrics import read_fanouts, read_followers, read_mails
from notifications.news import store as news_store
from notifications.news.jobs import jobs as news_jobs
from notifications.news.service import TEMPLATE as JOB_ALERT
from notifications.outward import store as outward_store
from notifications.outward.handlers import on_organisation as on_organisation_outward
from notifications.outward.handlers import on_profile, on_profile_parked
from notifications.outward.jobs import jobs as outward_jobs
from notifications.outward.routes import ROUTES as OUTWARD_ROUTES
from notifications.outward.service import Outward
from notifications.preview.routes import ROUTES as PREVIEW_ROUTES
from notifications.preview.service import Previews
from notifications.searches import store as search_store
from notifications.searches.jobs import jobs as search_jobs
from notifications.searches.routes import ROUTES as SEARCH_ROUTES
from notifications.searches.service import Searches
from notifications.sending.jobs import jobs as sending_jobs
from notifications.sending.model import Retries
from notifications.sending.service import Pace, Sender
from notifications.settings import NotificationsSettings
from notifications.smtp import Mailer, SmtpMailer, SmtpServer
from notifications.unsubscribe.routes import ROUTES as UNSUBSCRIBE_ROUTES
from notifications.unsubscribe.service import Unsubscribing

SERVICE = "notifications"
VERSION = "0.1.0"
PREFIX = "/api/notifications/v1"
ROUTES = (*SEARCH_ROUTES, *PREVIEW_ROUTES, *UNSUBSCRIBE_ROUTES, *OUTWARD_ROUTES, *DEAD_LETTER_ROUTES)
INDEXES = (
    alert_store.INDEXES,
    mail_store.INDEXES,
    search_store.INDEXES,
    fanout_store.INDEXES,
    news_store.INDEXES,
    outward_store.INDEXES,
)
SEALED_TO_US = (ContactEvent, IdentityMailRequestEvent, ProfilesMailRequestEvent, ConsentMailRequestEvent)
UP_TO_DATE = timedelta(seconds=20)
"""A consumer that has not been at a topic's end for so long lags: what it has yet to read may need an old sealing key."""

Made = Resources[NotificationsSettings]
MakeMailer = Callable[[NotificationsSettings], Mailer]


@dataclass(frozen=True)
class Parts:
    """The use cases, over the resources of one process."""

    made: Made
    contacts: Contacts
    requests: MailRequests
    searches: Searches
    previews: Previews
    unsubscribing: Unsubscribing
    alerts: Alerts
    fanout: FanOut
    outward: Outward
    erasure: Erasure


SUBSCRIPTIONS = (
    Listens[Parts](SigningKeyEvent, lambda _: on_signing_key),
    Listens[Parts](SessionEvent, lambda _: on_session),
    Listens[Parts](AccountEvent, lambda _: unless_erased(on_account), lambda _: unless_erased(on_account_parked)),
    Listens[Parts](ContactEvent, lambda parts: unless_erased(on_contact(parts.contacts))),
    Listens[Parts](OrganisationEvent, lambda parts: on_organisation_outward(parts.outward, on_organisation)),
    Listens[Parts](IdentityMailRequestEvent, lambda parts: on_mail_request(parts.requests)),
    Listens[Parts](ProfilesMailRequestEvent, lambda parts: on_mail_request(parts.requests)),
    Listens[Parts](ConsentMailRequestEvent, lambda parts: on_mail_request(parts.requests)),
    Listens[Parts](VacancyEvent, lambda parts: on_vacancy(parts.fanout)),
    Listens[Parts](
        ProfileEvent,
        lambda parts: unless_erased(on_profile(parts.outward)),
        lambda parts: unless_erased(on_profile_parked(parts.outward)),
    ),
    Listens[Parts](
        DecisionEvent, lambda _: unless_erased(on_decision, first_of), lambda _: unless_erased(on_decision_parked, first_of)
    ),
    Listens[Parts](RequestEvent, lambda parts: on_request(parts.erasure)),
)
"""Everything that notifications listens to."""


def use_cases(made: Made) -> Parts:
    """Return the use cases; nothing is connected yet."""
    inbox = SealedInbox(made.keyring)
    searches = Searches(made.keyring, made.clock, made.hash_key, made.settings.searches_per_person)
    outward = Outward(made.clock, made.settings.forget_within)
    unsubscribing = Unsubscribing(made.hash_key, made.settings.public_url)
    alerts = Alerts(made.clock, searches, unsubscribing)
    return Parts(
        made=made,
        contacts=Contacts(made.keyring, inbox, made.clock),
        requests=MailRequests(made.keyring, inbox, made.clock),
        searches=searches,
        previews=Previews(made.clock),
        unsubscribing=unsubscribing,
        alerts=alerts,
        fanout=FanOut(alerts, searches, made.settings.match_shares),
        outward=outward,
        erasure=Erasure(made.keyring, steps(outward), tell, made.settings.erasure_settled, NotificationsRequestPartEvent.topic),
    )


def build_api(settings: NotificationsSettings, *, made: Made | None = None) -> Litestar:
    """Return the API."""
    made = made or connect(settings)
    parts = use_cases(made)
    return chassis_api(
        settings=settings,
        version=VERSION,
        routes=[Router(PREFIX, route_handlers=ROUTES)],
        mongo=made.mongo,
        clock=made.clock,
        keyring=made.keyring,
        indexes=INDEXES,
        erasure=parts.erasure,
        dependencies={
            "mongo": made.mongo,
            "searches": parts.searches,
            "previews": parts.previews,
            "outward": parts.outward,
            "unsubscribing": parts.unsubscribing,
            "set_aside": SetAside(made.mongo, make_consumer(parts)),
        },
    )


def build_worker(
    settings: NotificationsSettings,
    *,
    made: Made | None = None,
    make_mailer: MakeMailer | None = None,
    group: str = SERVICE,
) -> Worker:
    """Return the worker, with as many senders as there are connections to the mail server."""
    made = made or connect(settings, patience=WORKER_PATIENCE)
    parts = use_cases(made)
    consumer = make_consumer(parts, group=group)
    fresh = [Freshness(made.mongo, event.topic) for event in SEALED_TO_US]
    senders = [make_sender(parts, (make_mailer or smtp_mailer)(settings)) for _ in range(settings.smtp_connections)]
    return assemble(
        made,
        consumer,
        topics=[event.topic for event in owned_by(SERVICE)],
        jobs=[
            _sealing_keys(made, fresh),
            *sending_jobs(mongo=made.mongo, clock=made.clock, retries=retries(settings)),
            *news_jobs(mongo=made.mongo),
            *outward_jobs(mongo=made.mongo, outward=parts.outward),
            *search_jobs(mongo=made.mongo, searches=parts.searches),
        ],
        indexes=INDEXES,
        erasure=parts.erasure,
        background=[
            *(("consume", partial(one.watch, consumer)) for one in fresh),
            *(("mail", sender.run) for sender in senders),
            ("match", make_shares(parts).run),
        ],
        readings={
            "mails": partial(read_mails, made.mongo, made.clock),
            "fanouts": partial(read_fanouts, made.mongo, made.clock),
            "followers": partial(read_followers, made.mongo),
        },
    )


def make_consumer(parts: Parts, *, group: str = SERVICE) -> Consumer:
    """Return the consumer; it applies what it is given also without a broker."""
    return chassis_consumer(parts.made, group, [one.bound(parts) for one in SUBSCRIPTIONS], NotificationsDeadLetterEvent)


def make_shares(parts: Parts) -> Shares:
    """Return this worker's part in matching saved searches."""
    from notifications.follower import Follower  # with numpy, which takes 20 MB and no API needs
    from notifications.matching.index.engine import Engine

    made = parts.made
    follower = Follower(made.mongo, parts.fanout, Engine)
    leases = Leases(made.mongo, owner=new_id(), term=made.settings.relay_lease)
    return Shares(leases, name="match", count=parts.fanout.shares, serve=follower.serve)


def make_sender(parts: Parts, mailer: Mailer) -> Sender:
    """Return one sender of queued mails."""
    made, told = parts.made, parts.made.settings
    composer = Composer(
        keyring=made.keyring,
        clock=made.clock,
        contacts=parts.contacts,
        correspondent=Correspondent(told.mail_from, told.mail_from_name, told.mail_reply_to),
        public_url=told.public_url,
        own={JOB_ALERT: parts.alerts.words},
    )
    pace = Pace(lease=told.mail_lease, rest=told.mail_poll)
    return Sender(mongo=made.mongo, clock=made.clock, composer=composer, mailer=mailer, retries=retries(told), pace=pace)


def retries(told: NotificationsSettings) -> Retries:
    """Return how often mails are tried."""
    return Retries(told.mail_first_retry, told.mail_longest_retry, told.mail_give_up_after)


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


def _sealing_keys(made: Made, fresh: Sequence[Freshness]) -> Job:
    async def lagging() -> bool:
        return not all([await one.within(UP_TO_DATE) for one in fresh])

    async def turn() -> int:
        return await turn_sealing_keys(made.mongo, made.keyring, NotificationsSealingKeyEvent, lagging)

    return Job("sealing-keys", timedelta(seconds=5), turn)
