"""The catalogue: every event of the system. A new event is its module and one line here."""

from contracts.consent.dead_letter import ConsentDeadLetterEvent
from contracts.consent.decision import DecisionEvent
from contracts.consent.mail_request import ConsentMailRequestEvent
from contracts.consent.request import RequestEvent
from contracts.envelope import Event, Topic
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent
from contracts.identity.dead_letter import IdentityDeadLetterEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.request_part import IdentityRequestPartEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.bank import BankEvent
from contracts.notifications.dead_letter import NotificationsDeadLetterEvent
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.organisation import ForOrganisationEvent
from contracts.notifications.request_part import NotificationsRequestPartEvent
from contracts.notifications.reseal import NotificationsResealEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.dead_letter import ProfilesDeadLetterEvent
from contracts.profiles.mail_request import ProfilesMailRequestEvent
from contracts.profiles.profile import ProfileEvent
from contracts.profiles.request_part import ProfilesRequestPartEvent
from contracts.profiles.vacancy import VacancyEvent

SERVICES = ("identity", "profiles", "consent", "notifications")

EVENTS: tuple[type[Event], ...] = (
    SigningKeyEvent,
    AccountEvent,
    SessionEvent,
    OrganisationEvent,
    ContactEvent,
    IdentityMailRequestEvent,
    IdentityRequestPartEvent,
    IdentityDeadLetterEvent,
    ProfileEvent,
    VacancyEvent,
    ProfilesMailRequestEvent,
    ProfilesRequestPartEvent,
    ProfilesDeadLetterEvent,
    DecisionEvent,
    RequestEvent,
    ConsentMailRequestEvent,
    ConsentDeadLetterEvent,
    NotificationsSealingKeyEvent,
    NotificationsResealEvent,
    NotificationsRequestPartEvent,
    DeliveryEvent,
    NotificationsDeadLetterEvent,
    BankEvent,
)

FAMILIES: tuple[type[Event], ...] = (ForOrganisationEvent,)
"""Events with a topic for each receiver; `topic.of(…)` is one of them, and whoever lets the receiver in makes it."""

TOPICS: tuple[Topic, ...] = tuple(event.topic for event in EVENTS)

BY_NAME: dict[str, type[Event]] = {event.topic.name: event for event in EVENTS}


def event_on(topic: str) -> type[Event]:
    """The event that this topic carries."""
    return BY_NAME[topic]


def owned_by(service: str) -> tuple[type[Event], ...]:
    """What this service writes."""
    return tuple(event for event in EVENTS if event.topic.owner == service)


def families_of(service: str) -> tuple[type[Event], ...]:
    """What this service writes to topics of receivers."""
    return tuple(event for event in FAMILIES if event.topic.owner == service)


def followed_by(service: str) -> tuple[type[Event], ...]:
    """What this service reads."""
    return tuple(event for event in EVENTS if service in event.topic.followed_by)
