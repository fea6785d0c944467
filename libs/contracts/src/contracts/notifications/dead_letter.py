"""What the consumers of notifications could not handle."""

from contracts.shapes import dead_letter


class NotificationsDeadLetterEvent(dead_letter.DeadLetterEvent):
    """A record that a consumer of notifications could not handle: position and reason, never the content."""

    topic = dead_letter.topic("notifications")


SAMPLES = (NotificationsDeadLetterEvent.model_validate(dead_letter.sample()),)
