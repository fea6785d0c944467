"""What the consumers of identity could not handle."""

from contracts.shapes import dead_letter


class IdentityDeadLetterEvent(dead_letter.DeadLetterEvent):
    """A record that a consumer of identity could not handle: position and reason, never the content."""

    topic = dead_letter.topic("identity")


SAMPLES = (IdentityDeadLetterEvent.model_validate(dead_letter.sample()),)
