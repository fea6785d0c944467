"""The contacts that notifications can no longer open."""

from contracts.shapes import reseal


class NotificationsResealEvent(reseal.ResealEvent):
    """Notifications wants a person's contact again; identity answers with `identity.contact.v1`."""

    topic = reseal.topic("notifications", followed_by=("identity",))


SAMPLES = (NotificationsResealEvent.model_validate(reseal.sample()),)
