"""The keys to which others seal what a mail needs."""

from contracts.shapes import sealing_key


class NotificationsSealingKeyEvent(sealing_key.SealingKeyEvent):
    """A public sealing key of notifications: to it go addresses, greetings and the secrets of links."""

    topic = sealing_key.topic("notifications", followed_by=("identity", "profiles", "consent"))


SAMPLES = (NotificationsSealingKeyEvent.model_validate(sealing_key.sample()),)
